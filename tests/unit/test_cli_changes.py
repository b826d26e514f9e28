"""The commands that change a store, called as a shell would call them."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tutorial_zarr as zarr

pytest.importorskip("click", reason="the command line needs the extra cli")
pytest.importorskip("rich", reason="the command line needs the extra cli")


@pytest.fixture
def store(tmp_path):
    """A group of Zarr 2 with two arrays."""
    root = zarr.create_group(tmp_path / "a store", zarr_format=2)
    root.create_array("x", data=np.arange(24).reshape(4, 6), chunks=(1, 6))
    root.create_array("g/y", data=np.arange(3), chunks=2)
    return tmp_path / "a store"


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = [
    lambda store, to: ["copy", store, to, "--path", "x", "--target-path", "copied"],
    lambda store, to: ["move", store, "x", "g/moved"],
    lambda store, to: ["delete", store, "g"],
    lambda store, to: ["rechunk", store, to, "--path", "x", "--chunks", "4,1"],
    lambda store, to: ["convert", store, "--to", "3"],
    lambda store, to: ["convert", store, "--to", "3", "--target", to],
]
NAMES = ["copy", "move", "delete", "rechunk", "convert", "convert to a target"]


@pytest.mark.parametrize("arguments", COMMANDS, ids=NAMES)
def test_a_dry_run_prints_the_plan_and_changes_nothing(run, store, tmp_path, arguments):
    before = content(store)
    line = arguments(store, tmp_path / "to")
    code, out, err = run(*line, "--dry-run")
    assert (code, err.strip()) == (0, "")
    assert len(out.splitlines()) >= 2
    code, out, err = run(*line, "--dry-run", "--json")
    assert (code, err.strip()) == (0, "")
    assert json.loads(out)["done"] is False
    assert content(store) == before
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("arguments", COMMANDS, ids=NAMES)
def test_without_it_the_work_is_done_and_said(run, store, tmp_path, arguments):
    before = content(store)
    yes = ["--yes"] if arguments(store, tmp_path)[0] == "delete" else []
    code, out, err = run(*arguments(store, tmp_path / "to"), *yes, "--json")
    assert (code, err.strip()) == (0, "")
    assert json.loads(out)["done"] is True
    assert content(store) != before or (tmp_path / "to").exists()


def test_copies_moves_and_deletions_arrive(run, store, tmp_path):
    expected = np.arange(24).reshape(4, 6)
    assert run("copy", store, tmp_path / "to", "--path", "x", "--target-path", "copied")[0] == 0
    assert np.array_equal(zarr.open_array(tmp_path / "to", path="copied")[...], expected)
    code, _, err = run("copy", store, tmp_path / "to", "--path", "x", "--target-path", "copied")
    assert code == 1
    assert "expected nothing" in err
    assert run("copy", store, tmp_path / "to", "--path", "x", "--target-path", "copied", "--if-exists", "skip")[0] == 0
    assert run("move", store, "x", "g/moved")[0] == 0
    assert np.array_equal(zarr.open_array(store, path="g/moved")[...], expected)
    code, _, err = run("move", store, "g", "g/moved/deeper")
    assert code == 1
    assert "expected a place outside" in err
    code, out, _ = run("delete", store, "g")
    assert code == 0
    assert "g/moved" in out
    assert (store / "g").exists()
    code, out, _ = run("delete", store, "g", "--yes")
    assert out.startswith("done: delete 'g'")
    assert not (store / "g").exists()
    assert run("delete", store, "g", "--yes", "--dry-run")[0] == 2


def test_an_array_is_rechunked(run, store, tmp_path):
    arguments = ["rechunk", store, tmp_path / "to", "--path", "x", "--chunks", "2,3", "--shards", "4,6"]
    more = ["--zarr-format", "3", "--compressor", "gzip", "--target-path", "new", "--verify"]
    code, out, err = run(*arguments, *more)
    assert (code, err.strip()) == (0, "")
    assert out.startswith("done: rechunk (4, 6)")
    new = zarr.open_array(tmp_path / "to", path="new")
    assert (new.chunks, new.shards, new.compressors[0].name) == ((2, 3), (4, 6), "gzip")
    code, _, err = run("rechunk", store, tmp_path / "small", "--path", "x", "--chunks", "2,3", "--memory", "10")
    assert code == 1
    assert "expected a memory budget of at least" in err
    code, _, err = run("rechunk", store, tmp_path / "bad", "--path", "x", "--chunks", "two")
    assert code == 2
    assert "expected numbers joined by commas" in err


def test_a_conversion_is_made_undone_and_finished(run, store):
    before = content(store)
    assert run("convert", store, "--to", "3")[0] == 0
    assert (store / "g/y/zarr.json").exists()
    code, out, _ = run("convert", store, "--to", "3", "--undo", "--dry-run")
    assert code == 0
    assert "g/y/zarr.json" in out
    assert run("convert", store, "--to", "3", "--undo")[0] == 0
    assert content(store) == before
    assert run("convert", store, "--to", "3", "--consolidate")[0] == 0
    assert run("convert", store, "--to", "3", "--finish")[0] == 0
    assert zarr.open_consolidated(store, mode="r")["x"].zarr_format == 3
    assert run("convert", store, "--to", "3", "--finish", "--undo")[0] == 2
    code, out, _ = run("convert", store, "--to", "2", "--dry-run")
    assert code == 0


def test_a_conversion_that_cannot_be_made_says_why(run, tmp_path):
    zarr.create_array(tmp_path / "x", data=np.arange(4), chunks=2)
    code, out, _ = run("convert", tmp_path / "x", "--to", "2", "--dry-run")
    assert code == 1
    assert "chunk keys such as c/0 are not Zarr 2's" in out
    code, _, err = run("convert", tmp_path / "x", "--to", "2")
    assert code == 1
    assert "try target=" in err


def test_consolidated_metadata_is_written_and_checked(run, store):
    assert run("consolidate", store, "--dry-run")[1] == "nothing is consolidated\n"
    assert run("consolidate", store)[1] == "4 nodes consolidated\n"
    assert run("consolidate", store, "--dry-run")[:2] == (0, "the consolidated metadata is up to date\n")
    zarr.open_group(store, use_consolidated=False)["x"].resize(2, 6)
    code, out, err = run("consolidate", store, "--dry-run", "--json")
    assert (code, err) == (1, "")
    assert json.loads(out) == {"stale": [{"path": "x", "what": "differs from the consolidated metadata in shape"}]}
    code, _, err = run("consolidate", store, "--path", "nothing", "--dry-run")
    assert code == 1
    assert "expected" in err


@pytest.mark.parametrize("name", ["copy", "move", "delete", "rechunk", "convert", "consolidate"])
def test_every_command_has_help(run, name):
    code, out, err = run(name, "--help")
    assert (code, err.strip()) == (0, "")
    assert "--dry-run" in out
    assert "--json" in out
