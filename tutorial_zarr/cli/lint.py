"""``tutorial-zarr lint``: what of a store other readers will not open, why, and the nearest change that they would.

The exit code is 0 where all readers asked for read every array, 1 where one does not, 2 where the command itself was
wrong.
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr.cli.output import json_option, place_argument, print_json, print_table, print_text
from tutorial_zarr.interop.lint import check_readers, lint, stored_matrix
from tutorial_zarr.stores.secrets import public


def command(click: Any) -> Any:
    """The click command."""
    readers = click.Option(["--for", "readers"], default="", help="Names of readers, with commas; all by default.")
    params = [place_argument(click, "store"), readers, json_option(click)]
    return click.Command("lint", params=params, callback=check, help=check.__doc__)


def check(store: str, readers: str, as_json: bool) -> int:
    """Say which readers will not open the arrays of STORE, by the matrix that came with this version."""
    matrix = stored_matrix()
    wanted = check_readers([name.strip() for name in readers.split(",") if name.strip()], matrix)
    findings = list(lint(store, wanted, matrix))
    bad = [finding for finding in findings if finding.outcome != "untested"]
    if as_json:
        versions = {name: matrix.data["peers"][name]["versions"] for name in wanted}
        print_json({"matrix": matrix.data["date"], "readers": versions, "findings": [vars(f) for f in findings]})
    elif findings:
        for finding in findings:
            print_text(finding)
    else:
        print_table(("store", "read by"), [(public(store), ", ".join(wanted))])
    return int(bool(bad))
