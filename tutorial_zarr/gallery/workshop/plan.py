"""A plan: which lessons, in which order, in how many minutes. A TOML file that a teacher can change by hand.

    title = "Half a day of Zarr"
    start = "09:00"
    minutes = 240

    [[part]]
    lesson = "01_01"
    leave_out = ["others", "operations"]   # sections that are skipped
    exercises = ["1"]                      # those that are done; all, if this line is absent

    [[part]]
    pause = 45
    activity = "Lunch"

    [[part]]
    activity = "Exit ticket"
    minutes = 5
    text = "Predict the requests for a window on a new layout."

The minutes of a lesson are those of its passport, less what is left out, unless the part gives its own. A pause of
ten minutes is put where the work since the last one is nearest to an hour; a tenth of the working time stays slack.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib.metadata
import itertools
import math
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutorial_zarr import words
from tutorial_zarr.gallery.catalogue import GalleryError, Notebook, list_notebooks
from tutorial_zarr.gallery.packages import normal, package
from tutorial_zarr.gallery.workshop.outline import Outline, outline

PLANS = Path(__file__).with_name("plans")
HOUR, PAUSE, SHORT, SLACK = 60, 10, 15, 0.1  # no pause before so short a rest
KEYS: dict[str, type] = {"title": str, "start": str, "minutes": int, "part": list}
KINDS: dict[str, dict[str, type]] = {  # of parts, by the key that each of a kind has
    "lesson": {"lesson": str, "leave_out": list, "exercises": list, "minutes": int, "text": str},
    "pause": {"pause": int, "activity": str, "text": str},
    "activity": {"activity": str, "minutes": int, "text": str},
}
LONGEST = 1 << 20  # bytes of a plan


@dataclass(frozen=True)
class Part:
    """A lesson, a pause or something else, with its minutes and the minute at which it begins."""

    title: str
    minutes: int
    begin: int
    lesson: str = ""
    pause: bool = False
    text: str = ""
    left_out: tuple[str, ...] = ()
    exercises: tuple[str, ...] | None = None

    @property
    def outline(self) -> Outline:
        """The outline of its lesson."""
        return outline(next(each for each in list_notebooks() if each.id == self.lesson))


@dataclass(frozen=True)
class Plan:
    """A plan that fits: parts in order, pauses among them, and the slack that is left."""

    title: str
    start: str
    minutes: int
    parts: tuple[Part, ...]
    slack: int
    source: str

    @property
    def lessons(self) -> tuple[Part, ...]:
        """The parts that are lessons."""
        return tuple(part for part in self.parts if part.lesson)

    @property
    def ids(self) -> list[str]:
        """The ids of the lessons."""
        return [part.lesson for part in self.lessons]

    @property
    def notebooks(self) -> list[Notebook]:
        """The lessons."""
        return [part.outline.notebook for part in self.lessons]

    def clock(self, minute: int) -> str:
        """The time of the day at a minute of the plan."""
        hours, minutes = map(int, self.start.split(":"))
        hour, minute = divmod(hours * 60 + minutes + minute, 60)
        return f"{hour % 24:02}:{minute:02}"


def read(name: str | Path) -> Plan:
    """A plan from a TOML file, or one that comes with the package, by its name: 90-minutes, half-day, day."""
    path = Path(name)
    if not path.is_file() and path.suffix == "" and (PLANS / f"{path.name}.toml").is_file():
        path = PLANS / f"{path.name}.toml"
    known = ", ".join(sorted(each.stem for each in PLANS.glob("*.toml")))
    if not path.is_file():
        raise GalleryError(f"workshop: expected a plan, found no file {name}; try a TOML file, or one of {known}")
    if path.stat().st_size > LONGEST:
        raise GalleryError(f"workshop: expected a plan of at most {words.size_text(LONGEST)}, found a longer {name}")
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise GalleryError(f"{path.name}: expected text in UTF-8, found another encoding ({error.reason})") from error


def parse(source: str, name: str = "plan") -> Plan:
    """A plan from its text. One that does not fit its minutes is refused with what would make it fit."""
    try:
        data = tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise GalleryError(f"{name}: expected TOML, found a mistake: {error}") from error
    _typed(name, data, KEYS)
    for key in KEYS:
        if key not in data:
            raise GalleryError(f"{name}: expected a line '{key} = ...', found none; try: tutorial-zarr workshop new")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", data["start"]):
        raise GalleryError(f'{name}: expected a start such as "09:00", found {data["start"]!r}')
    parts = list(_with_pauses([_part(name, number, part) for number, part in enumerate(data["part"], 1)]))
    slack = math.ceil(SLACK * sum(part.minutes for part in parts if not part.pause))
    plan = Plan(data["title"], data["start"], data["minutes"], tuple(parts), slack, source)
    _fits(name, plan)
    return plan


def _fits(name: str, plan: Plan) -> None:
    ids = plan.ids
    if not ids:
        raise GalleryError(f'{name}: expected at least one lesson, found none; try a part with lesson = "01_01"')
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise GalleryError(f"{name}: expected each lesson once, found {twice} twice")
    pauses = sum(part.minutes for part in plan.parts if part.pause)
    work = sum(part.minutes for part in plan.parts) - pauses
    over = work + pauses + plan.slack - plan.minutes
    if over > 0:
        longest = max(plan.lessons, key=lambda part: part.minutes)
        raise GalleryError(
            f"{name}: expected parts that fit into {plan.minutes} minutes, found {work} of work, {pauses} of pauses "
            f"and {plan.slack} of slack, {over} too many; try a longer day, or leave_out sections of {longest.lesson} "
            f"({longest.minutes} minutes)"
        )


def _part(name: str, number: int, data: Any) -> Part:
    where = f"{name}, part {number}"
    if not isinstance(data, dict):
        raise GalleryError(f"{where}: expected a table [[part]], found {words.plain(data, 60)!r}")
    kind = next((kind for kind in KINDS if kind in data), None)
    if kind is None:
        raise GalleryError(f"{where}: expected one of {', '.join(KINDS)}, found {words.some(data) or 'nothing'}")
    _typed(where, data, KINDS[kind])
    if kind == "lesson":
        return _lesson(where, data)
    if (minutes := data.get("pause", data.get("minutes"))) is None:
        raise GalleryError(f"{where}: expected a line 'minutes = ...', found none")
    title = data.get("activity", "Break")
    return Part(title, _positive(where, minutes), 0, pause=kind == "pause", text=data.get("text", ""))


def _lesson(where: str, data: dict[str, Any]) -> Part:
    known = {notebook.id: notebook for notebook in list_notebooks()}
    if data["lesson"] not in known:
        raise GalleryError(
            f"{where}: expected the id of a lesson, found {data['lesson']!r}; try one of {', '.join(known)}"
        )
    notebook = known[data["lesson"]]
    about = outline(notebook)
    left, done = tuple(data.get("leave_out", ())), data.get("exercises")
    for found, allowed, what in (
        (left, [section.name for section in about.sections if section.name != "head"], "sections to leave out"),
        (done or (), [each.name for each in about.exercises], "exercises"),
    ):
        if unknown := [each for each in found if each not in allowed]:
            there = ", ".join(dict.fromkeys(allowed)) or "none, as it has none"
            raise GalleryError(f"{where}: expected {what} of {notebook.id}, found {unknown[0]!r}; try one of {there}")
    exercises = None if done is None else tuple(done)
    minutes = data.get("minutes", about.minutes(left, exercises))
    return Part(notebook.title, _positive(where, minutes), 0, notebook.id, False, data.get("text", ""), left, exercises)


def _positive(where: str, minutes: int) -> int:
    if not 0 < minutes <= 24 * 60:
        raise GalleryError(f"{where}: expected minutes from 1 to {24 * 60}, found {minutes}")
    return minutes


def _typed(where: str, data: dict[str, Any], keys: dict[str, type]) -> None:
    for key, value in data.items():
        if key not in keys:
            raise GalleryError(f"{where}: expected {', '.join(keys)}, found {words.plain(key, 40)!r}")
        if not isinstance(value, keys[key]) or isinstance(value, bool):
            raise GalleryError(f"{where}: expected {key} to be {keys[key].__name__}, found {words.plain(value, 60)!r}")
        if isinstance(value, list) and key != "part" and not all(isinstance(each, str) for each in value):
            raise GalleryError(f"{where}: expected {key} to be a list of text, found {words.plain(value, 60)!r}")


def _with_pauses(parts: list[Part]) -> Iterator[Part]:
    """The parts with a pause wherever the work since the last one is nearest to an hour, and when each begins."""
    now, worked = 0, 0
    for place, part in enumerate(parts):
        left = sum(each.minutes for each in itertools.takewhile(lambda each: not each.pause, parts[place:]))
        if worked and left > SHORT and worked + part.minutes - HOUR > abs(HOUR - worked):
            yield Part("Break", PAUSE, now, pause=True)
            now, worked = now + PAUSE, 0
        yield dataclasses.replace(part, begin=now)
        now += part.minutes
        worked = 0 if part.pause else worked + part.minutes


def new(title: str, minutes: int, start: str, lessons: list[str]) -> str:
    """The text of a plan of some lessons, to begin with."""
    lines = [f"title = {_quoted(title)}", f"start = {_quoted(start)}", f"minutes = {minutes}"]
    for lesson in lessons:
        lines += ["", "[[part]]", f"lesson = {_quoted(lesson)}"]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    inside = words.plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def modules(plan: Plan) -> dict[str, str]:
    """The modules of other people that the lessons of a plan import, and the package that brings each."""
    own = {"tutorial_zarr", "data_gen"}
    found = {module for notebook in plan.notebooks for module in _imports(notebook)} - own - sys.stdlib_module_names
    installed = importlib.metadata.packages_distributions()
    return {module: normal(installed.get(module, [package(module)])[0]) for module in sorted(found)}


def _imports(notebook: Notebook) -> Iterator[str]:
    source = notebook.path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            tops = [name.partition(".")[0] for name in names]
            yield from (name for name in tops if f"{name}.py" not in source)  # else the lesson writes it itself
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "need":
            given = [each.value for each in node.args if isinstance(each, ast.Constant)]
            yield from (name.partition(".")[0] for name in given if isinstance(name, str))
