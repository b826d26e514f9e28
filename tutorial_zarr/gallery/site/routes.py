"""In which order the lessons can be taken: what each needs, and which fit into so many minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tutorial_zarr.gallery.catalogue import GalleryError, Notebook
from tutorial_zarr.gallery.series import AREAS
from tutorial_zarr.gallery.site.facets import stars

Lessons = Mapping[str, Notebook]


@dataclass(frozen=True)
class Route:
    """Lessons in an order in which they can be taken: `minutes` in all, and `known`, what one has to know before."""

    lessons: tuple[str, ...] = ()
    minutes: int = 0
    known: tuple[str, ...] = ()


def closure(lessons: Lessons, last: str) -> tuple[str, ...]:
    """A lesson, after everything that it needs, and that those need."""
    found: dict[str, None] = {}

    def visit(name: str, below: tuple[str, ...]) -> None:
        if name in below:
            raise GalleryError(f"gallery site: lesson {name} needs itself, by {' and '.join(below)}; try other Needs")
        if name not in lessons:
            raise GalleryError(f"gallery site: lesson {below[-1]} needs {name}, expected the id of a lesson")
        for need in sorted(lessons[name].needs):
            visit(need, (*below, name))
        found[name] = None

    visit(last, ())
    return tuple(found)


def depths(lessons: Lessons) -> dict[str, int]:
    """How many lessons stand before each on the longest way to it."""
    found: dict[str, int] = {}
    for last in lessons:
        for name in closure(lessons, last):
            found[name] = max((found[need] + 1 for need in lessons[name].needs), default=0)
    return found


def direct(lessons: Lessons) -> dict[str, tuple[str, ...]]:
    """Of what each lesson needs, that which no other of its needs needs."""
    before = {name: set(closure(lessons, name)) - {name} for name in lessons}
    return {
        name: tuple(need for need in lesson.needs if not any(need in before[other] for other in lesson.needs))
        for name, lesson in lessons.items()
    }


def routes(lessons: Lessons, area: str) -> Callable[[int], Route]:
    """A function that gives, for so many minutes, the route to lessons of an area.

    Easy lessons come first, then those that take the fewest minutes with what they need. All that a lesson needs
    stands on the route before it; where there is no time for that, the route names as known what it leaves out.
    """
    minutes = {name: lesson.minutes for name, lesson in lessons.items()}
    level = {name: stars(lesson) for name, lesson in lessons.items()}
    ways = {name: closure(lessons, name) for name in lessons if name[:2] in AREAS[area]}

    def left_out(name: str, limit: int) -> int:
        """How many lessons at the beginning of a way there is no time for."""
        way = [minutes[each] for each in ways[name]]
        return next(count for count in range(len(way) + 1) if sum(way[count:]) <= limit)

    def route(limit: int) -> Route:
        taken, known = list[str](), tuple[str, ...]()
        while True:
            left = limit - sum(minutes[name] for name in taken)
            cost = {
                name: sum(minutes[each] for each in way if each not in taken and each not in known)
                for name, way in ways.items()
                if name not in taken and name not in known
            }
            if fitting := [name for name in cost if cost[name] <= left]:
                best = min(fitting, key=lambda name: (level[name], cost[name], name))
                taken += [name for name in ways[best] if name not in taken and name not in known]
            elif taken or not (short := [name for name in ways if minutes[name] <= limit]):
                return Route(tuple(taken), limit - left, known)
            else:
                best = min(short, key=lambda name: (left_out(name, limit), level[name], minutes[name], name))
                known = ways[best][: left_out(best, limit)]

    return route


def steps(lessons: Lessons, area: str, most: int) -> list[tuple[int, Route]]:
    """All routes of up to `most` minutes, each with the least minutes that it is for."""
    route, found = routes(lessons, area), list[tuple[int, Route]]()
    for limit in range(5, most + 1, 5):
        new = route(limit)
        if new.lessons and (not found or new != found[-1][1]):
            found.append((limit, new))
    return found
