"""``tutorial-zarr workshop``: plans, the kit that installs without a network, receipts, slides, notes and the board.

What they are is in the folder `gallery/workshop`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutorial_zarr.cli.check import installation
from tutorial_zarr.cli.gallery import group
from tutorial_zarr.cli.output import complain, print_json, print_table, print_text, progress_bar
from tutorial_zarr.cli.plans import stoppable
from tutorial_zarr.gallery import student
from tutorial_zarr.gallery.catalogue import GalleryError, list_notebooks, select
from tutorial_zarr.gallery.workshop import plan as plans
from tutorial_zarr.words import size_text


def command(click: Any) -> Any:
    """The click group."""
    plan = click.Argument(["plan"], metavar="PLAN")
    ids = click.Argument(["ids"], nargs=-1)
    minutes = click.Option(["--minutes"], type=click.IntRange(1, 1440), default=90, help="How long it takes; 90.")
    start = click.Option(["--start"], default="09:00", help="When it begins; 09:00.")
    lessons = click.Option(["--lessons"], required=True, help="Ids, such as 00_00,01_01,01_02.")
    folder = click.Option(["--in", "folder"], type=click.Path(), default=".", help="The folder; this one by default.")
    receipts = click.Option(["--receipts"], type=click.Path(), help="For the host: a file of lines NAME RECEIPT.")
    kit = click.Option(["--out", "out_dir"], type=click.Path(), default="kit", help="The new folder; default: kit.")
    systems = click.Option(["--systems"], default="linux,windows,macos", help="Of linux, windows, macos; all three.")
    pythons = click.Option(
        ["--python", "pythons"], default="3.12", help="Versions that learners have, such as 3.12,3.13."
    )
    wheel = click.Option(
        ["--wheel"], type=click.Path(dir_okay=False), help="The wheel of tutorial_zarr; in a clone it is made."
    )
    address = click.Option(
        ["--address"], default="127.0.0.1", help="Of this machine in the room; else it alone is served."
    )
    port = click.Option(["--port"], type=click.IntRange(0, 65535), default=8000, help="The port; 8000.")
    room = click.Option(["--room"], help="The code of the room; by default one is drawn.")

    def page(name: str) -> Any:
        return click.Option(
            ["--out"], type=click.Path(dir_okay=False), default=name, help=f"The page; default: {name}."
        )

    actions = {
        "new": (new, [click.Argument(["file"], type=click.Path(dir_okay=False)), lessons, minutes, start]),
        "build": (build, [plan, kit, systems, pythons, wheel]),
        "verify": (verify, [plan, folder, receipts]),
        "notes": (notes_, [plan, page("notes.html")]),
        "slides": (slides_, [plan, page("slides.html")]),
        "board": (board_, [address, port, room]),
        "reset": (reset, [ids, folder]),
    }
    return group(click, "workshop", actions, "Plan a workshop, build its kit, and see who is how far.")


def new(file: str, lessons: str, minutes: int, start: str, as_json: bool) -> int:
    """Write a plan of some lessons to the new file FILE, such as day.toml, if it fits its minutes."""
    path, wanted = Path(file), [each.strip() for each in lessons.split(",") if each.strip()]
    chosen = [notebook.id for each in wanted for notebook in select([each])]
    text = plans.new(path.stem.replace("-", " "), minutes, start, chosen)
    plan = plans.parse(text, path.name)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except FileExistsError:
        raise GalleryError(
            f"workshop new: expected a new file, found {path}; nothing was written; try another"
        ) from None
    return _show(plan, as_json, path)


def _show(plan: plans.Plan, as_json: bool, path: Path) -> int:
    columns = ("at", "minutes", "lesson", "title")
    rows = [(plan.clock(each.begin), str(each.minutes), each.lesson, each.title) for each in plan.parts]
    if as_json:
        about = {"file": path.as_posix(), "title": plan.title, "minutes": plan.minutes, "slack": plan.slack}
        return print_json({**about, "parts": [dict(zip(columns, row, strict=True)) for row in rows]})
    print_table(columns, rows)
    print_text(
        f"{plan.slack} minutes of slack. {path.name} can be changed by hand: leave_out, exercises, pause, activity."
    )
    return 0


def build(plan: str, out_dir: str, systems: str, pythons: str, wheel: str | None, as_json: bool) -> int:
    """Build the kit of a plan: wheels for each system, students' notebooks, site, slides, START_HERE.html.

    PLAN is a TOML file, or one of 90-minutes, half-day, day. Only this command needs a network.
    """
    from tutorial_zarr.gallery.workshop import kit

    with stoppable("nothing was built"), progress_bar() as bar:
        task = bar.add_task("kit", total=None)
        report = kit.build(
            plans.read(plan),
            out_dir,
            systems.split(","),
            pythons.split(","),
            wheel,
            lambda what: bar.update(task, description=what),
        )
    if as_json:
        return print_json(report)
    rows = [(what, size_text(nbytes)) for what, nbytes in report["bytes"].items()]
    print_table(("part", "size"), rows)
    print_text(f"The kit is {out_dir}; learners copy it to their disk and open START_HERE.html.")
    return 0


def verify(plan: str, folder: str, receipts: str | None, as_json: bool) -> int:
    """Say whether this machine is ready for a plan, and print a receipt for the host; nothing is installed."""
    from tutorial_zarr.gallery.workshop import verify

    chosen = plans.read(plan)
    if receipts is not None:
        learners = verify.read_receipts(chosen, receipts)
        if as_json:
            print_json(learners)
        else:
            rows = [
                (each["name"], "yes" if each["ready"] else "no", each["machine"], "; ".join(each["lacks"]))
                for each in learners
            ]
            print_table(("name", "ready", "machine", "lacks"), rows)
        return 0 if all(each["ready"] for each in learners) else 1
    report = verify.verify(chosen, folder, installation()["ok"])
    if as_json:
        print_json(report)
    else:
        for lack in report["lacks"]:
            complain(f"workshop verify: lacks {lack}")
        print_text("Ready." if report["ready"] else "Not ready.")
        print_text(f"Receipt, for the host: {report['receipt']}")
    return 0 if report["ready"] else 1


def slides_(plan: str, out: str, as_json: bool) -> int:
    """Write the slides of a plan as one page: arrow keys turn, N shows the notes, D turns dark or light; it prints."""
    from tutorial_zarr.gallery.workshop import slides

    return _page(slides.page(plans.read(plan)), out, as_json)


def notes_(plan: str, out: str, as_json: bool) -> int:
    """Write the teacher's notes of a plan as one page to print; the solutions are in them."""
    from tutorial_zarr.gallery.workshop import notes

    return _page(notes.page(plans.read(plan)), out, as_json)


def _page(text: str, out: str, as_json: bool) -> int:
    Path(out).write_text(text, encoding="utf-8", newline="\n")
    if as_json:
        return print_json({"file": Path(out).as_posix(), "bytes": Path(out).stat().st_size})
    print_text(f"{out}: {size_text(Path(out).stat().st_size)}; it needs no other file.")
    return 0


def board_(address: str, port: int, room: str | None, as_json: bool) -> int:
    """Show who has solved what, until it is stopped. Nothing is stored; only private addresses are served."""
    from tutorial_zarr.gallery.workshop import board, posting

    server = board.Board(address, port, room)
    with server:
        typed = f'board("{server.url}", "{server.room}", "your name")'
        if as_json:
            print_json({"url": server.url, "room": server.room, "learners_type": typed})
        else:
            print_text(f"The board: {server.url}\nLearners type in a cell:")
            print_text(f"  from tutorial_zarr.gallery.lesson import board\n  {typed}")
            if address == "127.0.0.1":
                print_text(f"This machine alone is served; for the room: --address {posting.own_address()}")
        with stoppable("the board is gone, and nothing of it was stored"):
            server.serve_forever()
    return 0


def reset(ids: tuple[str, ...], folder: str, as_json: bool) -> int:
    """Put fresh copies of students' notebooks IDS beside the learner's, as NAME_fresh_N; without IDS, of all there."""
    there = {path.name[:5] for path in Path(folder).rglob("*.ipynb")}
    chosen = ids or tuple(notebook.id for notebook in list_notebooks() if notebook.id in there)
    done = [path.as_posix() for path, _ in student.reset(folder, chosen, beside=True)]
    if as_json:
        return print_json(done)
    for path in done:
        print_text(path)
    return 0
