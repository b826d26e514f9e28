"""What no message, repr or log shows: passwords and signatures in URLs, and what stands in ``storage_options``.

>>> public("https://user:word@example.org/data.zarr?signature=1")
'https://example.org/data.zarr'
>>> public("simplecache::s3://bucket/data.zarr"), public("what? data#1.zarr")
('simplecache::s3://bucket/data.zarr', 'what? data#1.zarr')
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from tutorial_zarr.errors import StoreError

# scheme; who asks, up to the last @ before the path; host and path; query and fragment, up to the next URL of a chain
_NEXT = r"(?!::[A-Za-z][\w+.-]*:[:/])"
_URL = re.compile(rf"([A-Za-z][\w+.-]*://)([^\s/?#'\"]*@)?((?:{_NEXT}[^\s?#'\"])*)([?#](?:{_NEXT}[^\s'\"])*)?")
_SECRET = re.compile("(?i)key|secret|token|pass|cred|auth|sas|sig|connection|cookie|headers")  # options so called
_OPEN = re.compile("(?i)endpoint|region|protocol|bucket|account_name|project|host|port")
_SHORTEST = 6  # characters of a value that is hidden under another name: shorter ones stand in every sentence


def public(text: str) -> str:
    """`text`, with the URLs in it cut to what may be shown."""
    return _URL.sub(_shown, text) if "://" in text else text


def _shown(found: re.Match[str]) -> str:
    scheme, user, place, rest = found.groups()
    if user and (":" in user or scheme.lower().startswith("http")):
        user = ""
    if rest and "=" not in rest and not scheme.lower().startswith("http"):
        place += rest  # "#" and "?" are letters in a bucket's keys
    return f"{scheme}{user or ''}{place}"


def hidden(text: str, *options: Any) -> str:
    """`text` without the values of options, and with its URLs cut."""
    for value in sorted(set(_values(options)), key=len, reverse=True):
        text = text.replace(value, "...")
    return public(text)


def _values(options: Any, name: str = "") -> Iterator[str]:
    if isinstance(options, dict):
        for key, value in options.items():
            yield from _values(value, f"{name} {key}")
    elif isinstance(options, (list, tuple)):
        for value in options:
            yield from _values(value, name)
    elif isinstance(options, (str, bytes)):
        least = 3 if _SECRET.search(name) else sys.maxsize if _OPEN.search(name) else _SHORTEST
        if len(options) >= least:
            yield options if isinstance(options, str) else options.decode("latin-1")


def because(error: StoreError, cause: BaseException, *options: Any) -> StoreError:
    """`error` with its cause behind it; or without, where a traceback would tell a secret then."""
    said = "".join(traceback.format_exception(cause))
    error.__cause__ = cause if hidden(said, *options) == said else None
    return error
