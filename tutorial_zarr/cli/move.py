"""``tutorial-zarr move``: a node to another path of the same store."""

from __future__ import annotations

from typing import Any

from tutorial_zarr import api

from .output import json_option, place_argument
from .plans import dry_run_option, following, say

LEFT = "nothing is lost: the node is whole at SOURCE or at DEST. The same command finishes the move"


def command(click: Any) -> Any:
    """The click command."""
    params = [
        place_argument(click, "store"),
        click.Argument(["source"]),
        click.Argument(["dest"]),
        dry_run_option(click),
        json_option(click),
    ]
    help_text = "Move the node at the path SOURCE of STORE to the path DEST, where nothing may be."
    return click.Command("move", params=params, callback=run, help=help_text)


def run(store: str, source: str, dest: str, dry_run: bool, as_json: bool) -> int:
    """Carry out the command; returns the exit code."""
    plan = api.move(store, source, dest, dry_run=True)
    if not dry_run:
        with following("objects", LEFT) as progress:
            api.move(store, source, dest, progress=progress)
    return say(plan, as_json, done=not dry_run)
