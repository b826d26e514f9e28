"""``tutorial-zarr copy``: an array or a group to another store, byte by byte."""

from __future__ import annotations

from typing import Any

from tutorial_zarr import api
from tutorial_zarr.hierarchy import IF_EXISTS

from .output import json_option, place_argument
from .plans import dry_run_option, following, path_option, say

LEFT = (
    "nothing is lost: what TARGET held is there as it was, or it is marked as unfinished, and no reader takes it for "
    "whole. The same command finishes the copy"
)


def command(click: Any) -> Any:
    """The click command."""
    words = "Refuse a node that is there, replace it, or keep it and add what is missing."
    params = [
        place_argument(click, "store"),
        place_argument(click, "target"),
        path_option(click),
        path_option(click, "--target-path", "Where in TARGET; its root by default."),
        click.Option(["--if-exists"], type=click.Choice(IF_EXISTS), default="raise", show_default=True, help=words),
        dry_run_option(click),
        json_option(click),
    ]
    help_text = "Copy the node STORE to TARGET, with all that lies below it. Within a format no byte changes."
    return click.Command("copy", params=params, callback=run, help=help_text)


def run(store: str, target: str, path: str, target_path: str, if_exists: str, dry_run: bool, as_json: bool) -> int:
    """Carry out the command; returns the exit code."""
    source = api.open(store, mode="r", path=path, use_consolidated=False)
    plan = api.copy(source, target, name=target_path, if_exists=if_exists, dry_run=True)
    if not dry_run:
        with following("objects", LEFT) as progress:
            api.copy(source, target, name=target_path, if_exists=if_exists, progress=progress)
    return say(plan, as_json, done=not dry_run)
