"""``tutorial-zarr delete``: a node, once ``--yes`` is said."""

from __future__ import annotations

from typing import Any

from tutorial_zarr import api

from .output import json_option, place_argument
from .plans import dry_run_option, say, stoppable

LEFT = "the node is whole, or it is gone and some of its chunks lie there still. The same command deletes the rest"


def command(click: Any) -> Any:
    """The click command."""
    params = [
        place_argument(click, "store"),
        click.Argument(["path"]),
        click.Option(["--yes"], is_flag=True, help="Delete it. Without this the command only says what it would do."),
        dry_run_option(click),
        json_option(click),
    ]

    def callback(**options: Any) -> int:
        if options["yes"] and options["dry_run"]:
            raise click.UsageError("--yes and --dry-run exclude each other")
        return run(**options)

    help_text = "Say what deleting the node at PATH of STORE deletes; with --yes, delete it."
    return click.Command("delete", params=params, callback=callback, help=help_text)


def run(store: str, path: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Carry out the command; returns the exit code."""
    plan = api.delete(store, path, dry_run=True)
    if yes:
        with stoppable(LEFT):
            api.delete(store, path, dry_run=False)
    return say(plan, as_json, done=yes)
