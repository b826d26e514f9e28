"""``tutorial-zarr rechunk``: an array with other chunks, shards or codecs, within a memory budget."""

from __future__ import annotations

from typing import Any

from tutorial_zarr import api
from tutorial_zarr.tools import convert

from .output import json_option, place_argument
from .plans import dry_run_option, following, memory_option, path_option, say

LEFT = (
    "the new array is not to be seen until it is whole, and what was there before stays until then. The same command "
    "goes on where this one was"
)


def command(click: Any) -> Any:
    """The click command."""
    lengths = {"metavar": "N,N,...", "callback": lambda context, option, value: _lengths(click, value)}
    params = [
        place_argument(click, "store"),
        place_argument(click, "target"),
        path_option(click),
        path_option(click, "--target-path", "Where in TARGET; its root by default."),
        click.Option(["--chunks"], help="The new chunk shape.", **lengths),
        click.Option(["--shards"], help="The new shard shape.", **lengths),
        click.Option(["--compressor"], help="A codec's name, such as gzip; as STORE has it by default."),
        click.Option(["--zarr-format"], type=click.Choice(["2", "3"]), help="As STORE has it by default."),
        click.Option(["--profile"], type=click.Choice(["portable"]), help="Refuse what some readers do not read."),
        memory_option(click),
        click.Option(["--temp"], help="A store for the temporary array of two passes; beside the target by default."),
        click.Option(["--jobs"], type=click.IntRange(min=1), help="Copy so many regions at once."),
        click.Option(["--overwrite"], is_flag=True, help="Replace an array that is there."),
        click.Option(["--verify"], is_flag=True, help="Read both arrays afterwards, and compare them."),
        dry_run_option(click),
        json_option(click),
    ]
    help_text = (
        "Write the array STORE to TARGET with another layout.\n\n"
        "Called again after it was interrupted, it goes on where it was. --dry-run prints the plan: passes, memory, "
        "chunks read and written."
    )
    return click.Command("rechunk", params=params, callback=run, help=help_text)


def _lengths(click: Any, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"expected numbers joined by commas, such as 100,100; found {text!r}") from None


def run(
    store: str,
    target: str,
    path: str,
    target_path: str,
    zarr_format: str | None,
    compressor: str | None,
    jobs: int | None,
    dry_run: bool,
    as_json: bool,
    verify: bool,
    **options: Any,
) -> int:
    """Carry out the command; returns the exit code."""
    source = api.open_array(store, mode="r", path=path)
    options |= {"path": target_path, "zarr_format": int(zarr_format) if zarr_format else None, "workers": jobs}
    if compressor:
        options["compressors"] = [compressor]
    plan = convert.rechunk(source, target, dry_run=True, **options)
    if not dry_run:
        with following("regions", LEFT) as progress:
            convert.rechunk(source, target, verify=verify, progress=progress, **options)
    return say(plan, as_json, done=not dry_run)
