"""What the library says in Python, said in the options of a command.

An error names keywords (``overwrite=True``), as whoever calls a function can type them. Who typed a command has options
in their place. `in_options` is told which options the command has.

>>> import click
>>> copy = click.Command("copy", params=[click.Option(["--if-exists"]), click.Option(["--memory"])])
>>> in_options("found an array; try another name, or overwrite=True to delete it", copy)
'found an array; try another name, or --if-exists replace to delete it'
>>> in_options("found nothing; check the path, or create it with mode='a' or create_array", copy)
'found nothing; check the path'
"""

from __future__ import annotations

import re
from typing import Any

# What only a program can do: (a pattern, what a command says in its place).
_IN_PROGRAMS = (
    (r", or create it with mode='a' or create_array", ""),
    (r", or open with mode='r\+' to finish it", ", or complete it with tutorial-zarr doctor --repair"),
    (r"; try mode='r\+'", ""),
    (r"repeat the call that was cut short", "repeat the command that was cut short"),
    (r"repeat that call", "repeat that command"),
    (r"(?<=; )call again\b", "type the command again"),
    (r"try open_group, or a path: ", "try a path below it: "),
    (r"try store=\{\} for memory, or install", "try to install"),
    (r"try convert\.to_v3 with a target", "try tutorial-zarr convert --to 3 --target STORE"),
    (r"try convert\.to_v2 with a target", "try tutorial-zarr convert --to 2 --target STORE"),
    (r"\btry consolidate_metadata(\(store\))?, or use_consolidated=False", "try tutorial-zarr consolidate"),
    (r"; if those of the other format are the ones to keep, try force=True", ""),
    (r", and `move` afterwards", ", and tutorial-zarr move afterwards"),
    (r"\bremove_metadata: ", "convert: "),
)
_STORE = re.compile(r"\b(?:Local|HTTP|Fsspec|Object|Zip|SQLite)Store\((['\"])(.*?)\1[^()]*\)")
_AROUND = re.compile(r"\bReadOnlyStore\((['\"])(.*?)\1\)")
_KEYWORD = re.compile(r"\b([a-z_]+)=(True\b|'[^']*'|\"[^\"]*\"|[\w.]+\b)?(?![=\w'\"])")


def places(text: str) -> str:
    """`text` with stores by their places alone: ``'/data/a.zarr'`` for ``LocalStore('/data/a.zarr')``."""
    return _AROUND.sub(r"\1\2\1", _STORE.sub(r"\1\2\1", text))


def in_options(sentence: str, command: Any) -> str:
    """`sentence` with the keywords of functions as the options of `command`, where it has such options."""
    sentence = places(sentence)
    for pattern, words in _IN_PROGRAMS:
        sentence = re.sub(pattern, words, sentence)
    options = {param.name: param for param in command.params if getattr(param, "opts", [""])[0].startswith("--")}

    def spelled(found: re.Match[str]) -> str:
        name, value = found[1], (found[2] or "").strip("'\"")
        if name == "overwrite" and "if_exists" in options:
            return "--if-exists replace"
        option = options.get({"compressors": "compressor", "workers": "jobs"}.get(name, name))
        if option is None:
            return found[0]
        return option.opts[0] if value in ("", "True") else f"{option.opts[0]} {value}"

    return _KEYWORD.sub(spelled, sentence)
