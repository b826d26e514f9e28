"""The page of surprises: what real programs write by default, and who shows something else without an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tutorial_zarr.gallery.site.markup import code, plain, words
from tutorial_zarr.gallery.site.pages import Page
from tutorial_zarr.interop import surprises, survey
from tutorial_zarr.interop.causes import CAUSES
from tutorial_zarr.words import count


def page(table: Mapping[str, Any]) -> Page:
    """The page of a table of `tutorial_zarr.interop.survey`."""
    cells, advices = survey.cells_of(table), surprises.advices(table)
    counted = [(reader, view, found) for reader, view, found in surprises.counts(table) if _reads(found)]
    readers = dict.fromkeys(reader for reader, _, _ in counted)
    causes: list[dict[str, Any]] = [
        {
            "anchor": cause.id,
            "title": cause.id.replace("-", " ").capitalize(),
            "what": words(cause.what),
            "instead": words(cause.instead),
            "cases": [case for each in advices if each.cause == cause for case in _cases(table, each)],
        }
        for cause in CAUSES
        if any(each.cause == cause for each in advices)
    ]
    programs = count(len(table["writers"]), "programs")
    values = {
        "date": table["date"],
        "platform": table["platform"],
        "arrays": len({_array(cell) for cell in cells}),
        "misread": len({_array(cell) for cell in cells if cell.outcome == survey.SILENT}),
        "answers": len(cells),
        "counts": [_count(table["readers"][reader], view, found) for reader, view, found in counted],
        "heads": [table["readers"][name]["title"] for name in readers],
        "rows": [
            (writer["title"], [_cell(cells, name, reader) for reader in readers])
            for name, writer in table["writers"].items()
        ],
        "causes": causes,
        "writers": _instead(table, advices),
        "absent": [(name.replace("/", ", "), why) for name, why in table["absent"].items()],
    }
    return Page(
        "surprises.html",
        "Surprises",
        f"What {programs} write by default, and what others see in it: where a value changes and nobody says so.",
        "surprises.html",
        values,
        tuple((each["anchor"], plain(f"{each['title']}: {each['what']} {each['instead']}")) for each in causes),
    )


def _reads(found: Mapping[str, int]) -> bool:
    """Whether a reader reads anything."""
    return bool(found[survey.EQUAL] + found[survey.SILENT])


def _array(cell: survey.Cell) -> tuple[str, str, str]:
    return cell.writer, cell.situation, cell.node


def _title(program: Mapping[str, Any]) -> str:
    """What a program is called, with the version of the package that matters most."""
    return f"{program['title']} ({' '.join(next(iter(program['versions'].items())))})"


def _count(reader: Mapping[str, Any], view: str, found: Mapping[str, int]) -> dict[str, Any]:
    """How many answers of a reader came to what, and the shares of a bar."""
    right, silent, refused = found[survey.EQUAL], found[survey.SILENT], found[survey.REFUSED] + found[survey.CRASH]
    per = 100 / (right + silent + refused)
    return {
        "title": reader["title"] + (", decoded" if view == "decoded" else ""),
        "version": _title(reader),
        "right": right,
        "refused": refused,
        "silent": silent,
        "share": round(right * per, 1),
        "bad": round(silent * per, 1),
    }


def _cell(cells: list[survey.Cell], writer: str, reader: str) -> tuple[str, str, str]:
    """What one reader made of all arrays of one writer: a class, a sign, and the numbers behind them."""
    asked: dict[tuple[str, str, str], set[str]] = {}
    for cell in cells:
        if (cell.writer, cell.reader) == (writer, reader):
            asked.setdefault(_array(cell), set()).add(cell.outcome)
    if not asked:
        return "", "", "not asked"
    wrong = sum(survey.SILENT in found for found in asked.values())
    right = sum(found == {survey.EQUAL} for found in asked.values())
    said = f"of {count(len(asked), 'arrays')} {right} right, {wrong} changed without an error"
    if wrong:
        return "wrong", f"\u00d7 {wrong}", said
    return ("yes", "=", said) if right == len(asked) else ("no", f"\u2013 {len(asked) - right}", said)


def _cases(table: Mapping[str, Any], advice: surprises.Advice) -> Iterator[dict[str, Any]]:
    """Each situation of a writer that one cause spoils: the call, and who saw what."""
    writer = table["writers"][advice.writer]
    for situation in dict.fromkeys(cell.situation for cell in advice.cells):
        seen: dict[tuple[str, str], list[str]] = {}
        for cell in advice.cells:
            if cell.situation == situation:
                reader = f"{table['readers'][cell.reader]['title']}, {surprises.WORDS[cell.view]}"
                seen.setdefault((cell.node, cell.saw), []).append(reader)
        yield {
            "who": f"{_title(writer)} {writer['situations'][situation]['sentence']}",
            "call": code(writer["situations"][situation]["call"], "python"),
            "seen": [("; ".join(readers), node, saw) for (node, saw), readers in seen.items()],
        }


def _instead(table: Mapping[str, Any], advices: list[surprises.Advice]) -> list[dict[str, Any]]:
    """What each writer should write instead: its title, and for each cause the anchor and the words."""
    return [
        {
            "title": program["title"],
            "causes": [(each.cause.id, words(each.cause.instead)) for each in advices if each.writer == name],
        }
        for name, program in table["writers"].items()
        if any(each.writer == name for each in advices)
    ]
