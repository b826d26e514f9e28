"""``tutorial-zarr convert``: a hierarchy from Zarr 2 to Zarr 3, and back; undone, or finished."""

from __future__ import annotations

from typing import Any

from tutorial_zarr import words
from tutorial_zarr.tools import convert

from .output import json_option, place_argument
from .plans import dry_run_option, following, memory_option, path_option, say, stoppable

LEFT = (
    "STORE can be read as before. The same command finishes the conversion; one that was made in place can also be "
    "undone, with --undo"
)


def command(click: Any) -> Any:
    """The click command."""
    params = [
        place_argument(click, "store"),
        click.Option(["--to"], type=click.Choice(["2", "3"]), required=True, help="The format to convert to."),
        path_option(click),
        click.Option(["--target"], help="Write the hierarchy to this store; without it, in place."),
        click.Option(["--finish"], is_flag=True, help="Remove the documents of the other format."),
        click.Option(["--undo"], is_flag=True, help="Remove the documents of the format --to again."),
        click.Option(["--consolidate/--no-consolidate"], default=None, help="By default as STORE has it."),
        memory_option(click),
        dry_run_option(click),
        json_option(click),
    ]

    def callback(**options: Any) -> int:
        if options["finish"] and options["undo"]:
            raise click.UsageError("--finish and --undo exclude each other")
        if (options["finish"] or options["undo"]) and options["target"]:
            raise click.UsageError("--finish and --undo are for conversions in place: they need no --target")
        return run(**options)

    help_text = (
        "Convert the node STORE, and all below it, to the other format.\n\n"
        "In place only metadata is written, and the old documents stay until --finish or --undo. What would lose "
        "something is refused; --dry-run says what becomes of each node, and why."
    )
    return click.Command("convert", params=params, callback=callback, help=help_text)


def run(
    store: str,
    to: str,
    path: str,
    target: str | None,
    finish: bool,
    undo: bool,
    consolidate: bool | None,
    memory: str,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Carry out the command; returns the exit code."""
    wanted = int(to)
    if finish or undo:
        with stoppable(LEFT):
            removed = convert.remove_metadata(store, 5 - wanted if finish else wanted, path=path, dry_run=dry_run)
        return say(removed, as_json, done=not dry_run)
    options: dict[str, Any] = {"path": path, "memory": memory, "consolidate": consolidate}
    plan: Any = convert.convert(store, wanted, target, dry_run=True, **options)
    if dry_run:
        say(plan, as_json)
        return 1 if plan.of("impossible") or (target is None and plan.of("must be rewritten")) else 0
    with following("nodes", LEFT) as progress:
        convert.convert(store, wanted, target, progress=progress, **options)
    lines = [f"note ({words.some([node.shown for node in alike], 3)}): {note}" for note, alike in _notes(plan).items()]
    if target is None:
        lines.append(
            f"both formats lie there now: readers of Zarr {to} see the new one; next: convert ... --to {to} --finish, "
            "or --undo"
        )
    return say(plan, as_json, done=True, then="\n".join(lines))


def _notes(plan: convert.ConversionPlan) -> dict[str, list[convert.NodePlan]]:
    """Each note, and the nodes that it is about."""
    found: dict[str, list[convert.NodePlan]] = {}
    for node in plan.nodes:
        for note in node.notes:
            found.setdefault(words.plain(note), []).append(node)
    return found
