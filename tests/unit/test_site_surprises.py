"""The page of surprises, from a table with planted answers, and from the one that comes with the package."""

import pytest

from tutorial_zarr.gallery.site import surprises
from tutorial_zarr.interop import survey
from tutorial_zarr.interop.causes import CAUSES

for module in ("jinja2", "pygments"):
    pytest.importorskip(module, reason="the pages of the gallery need the extra site")

CAUSE = CAUSES[0]


def program(title, **more):
    return {"title": title, "versions": {title.lower(): "1.2", "python": "3.12"}, **more}


@pytest.fixture
def table():
    """Two writers and three readers: one misreads a zero, one refuses, one reads nothing at all."""
    zeros = {"sentence": "writes <zeros>", "call": "write(0 < 1)"}
    answers = [
        ("a", "zeros", "v", "good", "raw", "equal"),
        ("a", "zeros", "v", "masks", "raw", "equal"),
        ("a", "zeros", "v", "masks", "decoded", "silent", "1 of 2 elements: [0] missing for 0", CAUSE.id),
        ("a", "zeros", "w", "good", "raw", "refused", "no such type"),
        ("a", "zeros", "w", "masks", "decoded", "silent", "1 of 2 elements: [0] missing for 0", CAUSE.id),
        ("b", "zeros", "v", "masks", "raw", "equal"),
        ("b", "zeros", "v", "masks", "decoded", "crash"),
        ("b", "zeros", "v", "writes-only", "raw", "refused", "reads nothing"),
    ]
    return {
        "date": "2026-01-02",
        "platform": "Linux x86_64",
        "writers": {name: program(name.upper(), situations={"zeros": zeros}) for name in ("a", "b")},
        "readers": {name: program(name.capitalize()) for name in ("good", "masks", "writes-only")},
        "absent": {"b/more": "ValueError: no"},
        "cells": [(*answer, *("",) * (8 - len(answer))) for answer in answers],
    }


def test_each_cell_has_a_sign_and_the_numbers(table):
    values = surprises.page(table).values
    assert values["heads"] == ["Good", "Masks"]  # who reads nothing has no column
    assert [(title, [cell[:2] for cell in cells]) for title, cells in values["rows"]] == [
        ("A", [("no", "\u2013 1"), ("wrong", "\u00d7 2")]),
        ("B", [("", ""), ("no", "\u2013 1")]),
    ]
    assert values["rows"][0][1][1][2] == "of 2 arrays 0 right, 2 changed without an error"
    assert (values["arrays"], values["misread"], values["answers"]) == (3, 2, 8)
    counted = [(each["title"], each["right"], each["refused"], each["silent"]) for each in values["counts"]]
    assert counted == [("Good", 1, 1, 0), ("Masks, decoded", 0, 1, 2), ("Masks", 2, 0, 0)]
    assert (values["counts"][1]["share"], values["counts"][1]["bad"]) == (0, 66.7)


def test_each_cause_says_who_was_called_how_and_who_saw_what(table):
    values = surprises.page(table).values
    (cause,) = values["causes"]
    (case,) = cause["cases"]
    assert case["who"] == "A (a 1.2) writes <zeros>"
    assert surprises.plain(case["call"]) == "write( 0 < 1 )"
    assert [node for _, node, _ in case["seen"]] == ["v", "w"]
    assert {saw for *_, saw in case["seen"]} == {"1 of 2 elements: [0] missing for 0"}
    assert values["writers"] == [{"title": "A", "causes": [(CAUSE.id, surprises.words(CAUSE.instead))]}]
    assert values["absent"] == [("b, more", "ValueError: no")]


def test_what_programs_say_is_escaped(table):
    from tutorial_zarr.gallery.site.build import environment

    page = surprises.page(table)
    shown = environment().get_template(page.template).blocks["content"]
    context = environment().get_template(page.template).new_context({**page.values, "page": page, "to": str})
    text = "".join(shown(context))
    assert "writes &lt;zeros&gt;" in text
    assert "<zeros>" not in text
    assert f'id="{CAUSE.id}"' in text
    assert f'href="#{CAUSE.id}"' in text
    assert ">\u00d7 2</td>" in text


def test_every_silent_cell_of_the_stored_table_is_on_the_page():
    cells = [cell for cell in survey.cells_of(survey.stored_table()) if cell.outcome == survey.SILENT]
    values = surprises.page(survey.stored_table()).values
    assert sum(each["silent"] for each in values["counts"]) == len(cells) > 20
    shown = [
        (cause["anchor"], node, saw)
        for cause in values["causes"]
        for case in cause["cases"]
        for _, node, saw in case["seen"]
    ]
    assert {(cell.cause, cell.node, cell.saw) for cell in cells} == set(shown)
    assert values["misread"] == len({(cell.writer, cell.situation, cell.node) for cell in cells})
