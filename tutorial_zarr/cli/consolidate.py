"""``tutorial-zarr consolidate``: all metadata below a group in one document; or where that is out of date."""

from __future__ import annotations

from typing import Any

from tutorial_zarr import api, words
from tutorial_zarr.errors import NodeNotFoundError

from .output import json_option, place_argument, print_json, print_text
from .plans import following, path_option

LEFT = "nothing was written: the consolidated metadata are as they were. The same command begins anew"


def command(click: Any) -> Any:
    """The click command."""
    params = [
        place_argument(click, "store"),
        path_option(click),
        click.Option(["--dry-run"], is_flag=True, help="Say what is out of date, and write nothing."),
        json_option(click),
    ]
    help_text = (
        "Gather the metadata of all nodes below the group STORE into one document.\n\n"
        "With --dry-run the exit code is 1 where what is consolidated differs from the nodes' own documents."
    )
    return click.Command("consolidate", params=params, callback=run, help=help_text)


def run(store: str, path: str, dry_run: bool, as_json: bool) -> int:
    """Carry out the command; returns the exit code."""
    if not dry_run:
        with following("nodes", LEFT) as progress:
            group = api.consolidate_metadata(store, path=path, progress=progress)
        count = len(group.consolidated_members or {})
        return _say({"consolidated": count, "stale": []}, [f"{words.count(count, 'nodes')} consolidated"], as_json)
    try:
        found = api.consolidated_differences(store, path)
    except NodeNotFoundError as error:
        if "expected consolidated metadata" not in error.message:
            raise
        return _say({"consolidated": None, "stale": []}, ["nothing is consolidated"], as_json)
    lines = [str(difference) for difference in found] or ["the consolidated metadata is up to date"]
    _say({"stale": [difference._asdict() for difference in found]}, lines, as_json)
    return 1 if found else 0


def _say(document: dict[str, Any], lines: list[str], as_json: bool) -> int:
    if as_json:
        return print_json(document)
    print_text("\n".join(lines))
    return 0
