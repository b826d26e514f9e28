"""``tutorial-zarr doctor``: examine a store, compare it with a manifest, repair what is safe to repair.

The exit code is 0 where nothing is amiss, 1 where there is a fault (after a repair: where one is left), 2 where the
command itself was wrong. What to do stands beside each fault.
"""

from __future__ import annotations

from typing import Any

from tutorial_zarr import parallel, words
from tutorial_zarr.cli.output import json_option, place_argument, print_json, print_text
from tutorial_zarr.cli.plans import following
from tutorial_zarr.cli.sentences import places
from tutorial_zarr.stores import make_store
from tutorial_zarr.tools import doctor
from tutorial_zarr.words import plain


def command(click: Any) -> Any:
    """The click command."""
    place = click.Path(dir_okay=False)

    def flag(name: str, words: str) -> Any:
        return click.Option([name], is_flag=True, help=words)

    params = [
        place_argument(click, "store"),
        click.Option(["--path"], default="", help="The node to begin at; the root by default."),
        click.Option(["--jobs"], type=click.IntRange(min=1), help="Decode so many chunks at once."),
        flag("--metadata-only", "Look at documents and keys, and leave the chunks alone."),
        click.Option(["--write-manifest"], type=place, help="Write the hashes of all values to this file."),
        click.Option(["--verify"], type=place, help="Compare all values with the hashes in this file."),
        flag("--quiet", "Print the last line alone, which counts what was found."),
        flag("--repair", "Delete old leftovers, write stale consolidated metadata anew; see --move."),
        flag("--dry-run", "With --repair: say what would be done, and do nothing."),
        click.Option(
            ["--move"], multiple=True, metavar="KEY", help="With --repair: move this orphan out of the store."
        ),
        click.Option(["--into"], type=click.Path(file_okay=False), help="The folder that --move moves to."),
        click.Option(
            ["--leftover-age"],
            type=click.FloatRange(min=0),
            default=3600.0,
            show_default=True,
            help="With --repair: seconds after which an unfinished file counts as left behind.",
        ),
        json_option(click),
    ]

    def callback(**options: Any) -> int:
        if (options["dry_run"] or options["move"]) and not options["repair"]:
            raise click.UsageError("--dry-run and --move need --repair")
        if bool(options["move"]) != bool(options["into"]):
            raise click.UsageError("--move and --into need each other")
        if options["write_manifest"] and (options["verify"] or options["repair"]):
            raise click.UsageError("--write-manifest goes with neither --verify nor --repair")
        if options["verify"] and options["repair"]:
            raise click.UsageError("a manifest tells what has changed, not how it was: --verify cannot --repair")
        return run(**options)

    help_text = (
        "Check every document and every chunk of STORE against the format.\n\n"
        "STORE is a folder, a zip file or a URL. Each fault is named with its key, its likely cause and its repair."
    )
    return click.Command("doctor", params=params, callback=callback, help=help_text)


def run(
    store: str,
    path: str,
    jobs: int | None,
    metadata_only: bool,
    write_manifest: str | None,
    verify: str | None,
    repair: bool,
    dry_run: bool,
    move: tuple[str, ...],
    into: str | None,
    leftover_age: float,
    quiet: bool,
    as_json: bool,
) -> int:
    """Carry out the command; returns the exit code."""
    writes = repair and not dry_run
    left = "each repair is whole, or was not begun" if writes else "nothing was changed"
    with (
        make_store(store, "r+" if writes else "r") as opened,
        following("keys", f"{left}. The same command begins anew") as progress,
    ):
        in_flight = jobs or opened.concurrency or parallel.get_workers()
        if write_manifest:
            count = doctor.write_manifest(opened, write_manifest, path, in_flight, progress)
            return _say(
                {"manifest": write_manifest, "keys": count},
                f"{plain(write_manifest)}: {words.count(count, 'keys')}",
                as_json,
            )
        if verify:
            report = doctor.verify(opened, verify, path, in_flight, progress)
        else:
            report = doctor.examine(opened, path, chunks=not metadata_only, jobs=jobs, progress=progress)
        actions = []
        if repair:
            actions = doctor.repair(opened, report, move=move, into=into, leftover_age=leftover_age, dry_run=dry_run)
            if any(action.done for action in actions):
                report = doctor.examine(opened, path, chunks=not metadata_only, jobs=jobs, progress=progress)
    document = report.to_json()
    if repair:
        document["repairs"] = [action._asdict() for action in actions]
    would = "would be " if dry_run else ""
    lines = [f"repair: {plain(action.key)}: {would}{plain(action.what)}" for action in actions]
    _say(document, report.summary if quiet else "\n".join([*lines, str(report)]), as_json)
    return 0 if report.ok else 1


def _say(document: Any, text: str, as_json: bool) -> int:
    if as_json:
        return print_json(document)
    print_text(places(text))
    return 0
