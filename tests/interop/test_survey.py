"""The survey of real writers: what counts as the same, what a silent cell says, and a run with planted programs."""

import json

import numpy as np
import pytest

from tutorial_zarr.interop import surprises, survey
from tutorial_zarr.interop.causes import CAUSES, cause_of
from tutorial_zarr.interop.environments import PeerFile, find_peers
from tutorial_zarr.interop.protocol.peer_protocol import Unsupported, meaning

WRITER = """
import numpy as np
from writer_protocol import Meant, serve, situation

import tutorial_zarr as zarr

zarr.__name__


@situation("writes counts")
def two_counts(path):
    values = np.array([0, 3], "i2")
    zarr.create_array(path, name="v", data=values)
    return [Meant("v", values)]


@situation("writes with a gap")
def gap(path):
    values = np.ma.masked_equal([5, 9], 9)
    zarr.create_array(path, name="v", data=values.data)
    return [Meant("v", values)]


@situation("cannot be written")
def fails(path):
    raise ValueError("no such thing")


serve("A writer", "numpy")
"""
READER = """
import numpy as np
from peer_protocol import Opened, Peer, serve

import tutorial_zarr as zarr


class Masks(Peer):
    name = "masks zeros"

    def versions(self):
        return {"numpy": np.__version__}

    def capabilities(self):
        return ["*"]

    def open(self, path, node, consolidated):
        array = zarr.open_array(path, path=node, mode="r")
        return Opened(array.shape, lambda region: array[region])

    def meaning(self, path, node):
        return np.ma.masked_equal(zarr.open_array(path, path=node, mode="r")[:], 0)


serve(Masks())
"""


@pytest.fixture
def programs(tmp_path):
    files = {}
    for name, text in (("writer", WRITER), ("reader", READER)):
        path = tmp_path / "programs" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        files[name] = PeerFile(name, path)
    return files


def run(folder, programs):
    return survey.Survey(folder, {"writer": programs["writer"]}, {"reader": programs["reader"]}, here=True)()


def test_a_run_says_who_is_silent_and_goes_on_where_it_was(tmp_path, programs):
    table = run(tmp_path / "run", programs)
    found = {cell[1:5]: cell[5:7] for cell in map(tuple, table["cells"])}
    assert found == {
        ("two-counts", "v", "reader", "raw"): ("equal", ""),
        ("two-counts", "v", "reader", "decoded"): ("silent", "1 of 2 elements: [0] missing for 0"),
        ("gap", "v", "reader", "decoded"): ("silent", "1 of 2 elements: [1] 9 for missing"),
    }  # what is in the store of the second was not said, so its raw view is not compared
    assert table["absent"] == {"writer/fails": "ValueError: no such thing"}
    call = table["writers"]["writer"]["situations"]["two-counts"]["call"]
    assert call == 'values = np.array([0, 3], "i2")\nzarr.create_array(path, name="v", data=values)'
    assert json.loads((tmp_path / "run" / "survey.json").read_text())["cells"] == [list(c) for c in table["cells"]]
    results = tmp_path / "run" / "results.jsonl"
    before = results.read_text()
    assert run(tmp_path / "run", programs)["cells"] == table["cells"]
    assert results.read_text() == before  # nothing was asked again
    programs["reader"].path.write_text(READER.replace(", 0)", ", 3)"), encoding="utf-8")
    assert {c[1]: c[6] for c in run(tmp_path / "run", programs)["cells"] if c[4] == "decoded"} == {
        "two-counts": "1 of 2 elements: [1] missing for 3",
        "gap": "1 of 2 elements: [1] 9 for missing",
    }


def test_a_program_that_is_not_here_is_absent_with_the_reason(tmp_path, programs):
    programs["reader"].path.write_text('# /// script\n# dependencies = ["nowhere-at-all"]\n# ///\n' + READER)
    table = run(tmp_path / "run", programs)
    assert table["cells"] == []
    assert "nowhere-at-all" in table["absent"]["reading: reader"]


@pytest.mark.parametrize(
    ("values", "kind", "found"),
    [
        (np.array([1.5, np.nan, np.inf]), "real", [1.5, None, "inf"]),
        (np.array([True, False]), "boolean", [True, False]),
        (np.array([2**63], "u8"), "integer", [2**63]),
        (np.array([b"a", b""], "S1"), "text", ["a", ""]),
        (np.array(["a", None], object), "text", ["a", None]),
        (np.array([3, "NaT"], "m8[h]"), "duration", [3 * 3_600_000_000_000, None]),
        (np.array(7), "integer", [7]),
        (np.ma.masked_equal(np.array([[1, 2]]), 2), "integer", [1, None]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_values_mean(values, kind, found):
    assert meaning(values) == {"shape": list(values.shape), "kind": kind, "values": found}


def test_records_are_not_compared():
    with pytest.raises(Unsupported, match="not compared"):
        meaning(np.zeros(2, "i4,f4"))


@pytest.mark.parametrize(
    ("meant", "found", "said"),
    [
        ([1, 2], [1, 3], "1 of 2 elements: [1] 3 for 2"),
        ([0.1, 2.0], [0.1 + 1e-9, 2.0], ""),
        ([2**53, 0], [2**53 + 1, 0], "1 of 2 elements: [0] 9007199254740993 for 9007199254740992"),
        (["a", None], ["a", "nan"], '1 of 2 elements: [1] "nan" for missing'),
        ([None, 1], [None, 1], ""),
    ],
)
def test_judging(meant, found, said):
    outcome = survey.judge({"shape": [2], "values": meant}, {"shape": [2], "values": found})
    assert outcome == (("silent", said) if said else ("equal", ""))


def test_another_shape_is_silent():
    found = survey.judge({"shape": [2], "values": [1, 2]}, {"shape": [2, 1], "values": [1, 2]})
    assert found == ("silent", "the shape (2, 1) for (2,)")


# --- the table that comes with the package


def test_every_silent_cell_has_a_cause_and_every_cause_a_silent_cell():
    cells = survey.cells_of(survey.stored_table())
    silent = [cell for cell in cells if cell.outcome == survey.SILENT]
    assert [cell for cell in silent if not cell.cause] == []
    assert {cell.cause for cell in silent} == {cause.id for cause in CAUSES}
    for cell in silent:
        assert cell.cause == cause_of(cell.writer, cell.situation, cell.node, cell.reader, cell.view)
    for cause in CAUSES:
        assert cause.what.endswith(".")
        assert cause.instead.endswith(".")


def test_the_stored_table_is_of_these_programs():
    table = survey.stored_table()
    assert sorted(table["writers"]) == sorted(survey.find_writers())
    assert set(table["readers"]) <= set(find_peers())
    for name, file in survey.find_writers().items():
        for situation in table["writers"][name]["situations"]:
            written = situation.replace("-", "_")
            assert written in file.path.read_text(encoding="utf-8"), f"{name}: {situation}"


def test_this_library_shows_what_was_meant_but_where_a_cause_says_why_not():
    """What others lose while writing is lost for all readers; nothing is lost by reading it here."""
    cells = survey.cells_of(survey.stored_table())
    ours = {cell[:3] for cell in map(key_of, cells) if cell[3] == "tutorial-zarr" and cell[5] == survey.SILENT}
    others = {cell[:3] for cell in map(key_of, cells) if cell[3] == "xarray" and cell[5] == survey.SILENT}
    assert ours <= others


def key_of(cell):
    return cell.writer, cell.situation, cell.node, cell.reader, cell.view, cell.outcome


def test_the_page_names_every_cause_and_the_picture_every_array_that_is_misread():
    table = survey.stored_table()
    text = surprises.to_markdown(table)
    for cause in CAUSES:
        assert cause.what in text
        assert cause.instead in text
    misread = {cell[:3] for cell in map(key_of, survey.cells_of(table)) if cell[5] == survey.SILENT}
    words = surprises.picture(table).alt
    assert f"{len(misread)} are misread by a reader without an error" in words


def test_a_program_that_cannot_say_what_it_is_is_absent(tmp_path, programs):
    text = READER.replace('return {"numpy": np.__version__}', 'raise ValueError("no version")')
    programs["reader"].path.write_text(text, encoding="utf-8")
    table = run(tmp_path / "run", programs)
    assert table["readers"] == {}
    assert "no version" in table["absent"]["reading: reader"]
