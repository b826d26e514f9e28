"""``tutorial-zarr explain``: who wrote a store, what of it is unusual, and what other programs will see.

The exit code is 0 where it could be explained, whatever is said; 1 where there is nothing of that kind.
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr.cli.output import json_option, place_argument, print_json, print_text
from tutorial_zarr.interop.explain import explain, lines


def command(click: Any) -> Any:
    """The click command."""
    params = [place_argument(click, "store"), json_option(click)]
    return click.Command("explain", params=params, callback=tell, help=tell.__doc__)


def tell(store: str, as_json: bool) -> int:
    """Say who wrote STORE, by its traits; what of it is unusual; and what other programs will see.

    STORE is a folder, a zip file or a URL. It may be an N5 container or an Icechunk repository, too.
    """
    told = explain(store)
    if as_json:
        return print_json(told.to_json())
    for line in lines(told):
        print_text(line)
    return 0
