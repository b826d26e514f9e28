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
    assert "try --target, a store" in err


def test_consolidated_metadata_is_written_and_checked(run, store):
    assert run("consolidate", store, "--dry-run")[1] == "nothing is consolidated\n"
    assert run("consolidate", store)[1] == "4 nodes consolidated\n"
    assert run("consolidate", store, "--dry-run")[:2] == (0, "the consolidated metadata is up to date\n")
    document = store / "x" / ".zarray"  # as a program that knows nothing of consolidated metadata changes it
    document.write_text(json.dumps({**json.loads(document.read_text()), "shape": [2, 6]}))
    code, out, err = run("consolidate", store, "--dry-run", "--json")
    assert (code, err) == (1, "")
    stale = [{"path": "x", "what": "differs from the consolidated metadata in shape"}]
    assert json.loads(out) == {"schema": 1, "stale": stale}
    code, _, err = run("consolidate", store, "--path", "nothing", "--dry-run")
    assert code == 1
    assert "expected" in err


@pytest.mark.parametrize("name", ["copy", "move", "delete", "rechunk", "convert", "consolidate"])
def test_every_command_has_help(run, name):
    code, out, err = run(name, "--help")
    assert (code, err.strip()) == (0, "")
    assert "--dry-run" in out
    assert "--json" in out


@pytest.mark.parametrize("option", ["--chunks", "--shards"])
def test_a_chunk_shape_with_too_few_or_too_many_lengths_is_refused(run, store, tmp_path, option):
    for lengths in ("4", "4,6,1"):
        more = ["--chunks", "1,1", "--zarr-format", "3"] if option == "--shards" else []
        code, out, err = run("rechunk", store, tmp_path / "to", "--path", "x", *more, option, lengths)
        assert (code, out) == (1, "")
        assert f"{option[2:]}: expected 2 lengths, one for each axis of the shape (4, 6)" in err
        assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("command", ["rechunk", "convert"])
def test_a_memory_that_is_no_number_of_bytes_is_a_wrong_command(run, store, tmp_path, command):
    where = [tmp_path / "to", "--path", "x"] if command == "rechunk" else ["--to", "3"]
    before = content(store)
    code, _, err = run(command, store, *where, "--memory", "lots")
    assert code == 2
    assert "expected a number of bytes, or text such as '256 MiB', found 'lots'" in err
    assert content(store) == before


def test_a_conversion_in_place_says_what_comes_next(run, store, tmp_path):
    assert "next: convert ... --to 3 --finish, or --undo" in run("convert", store, "--to", "3")[1]
    assert "--finish" not in run("convert", store, "--to", "2", "--target", tmp_path / "to")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (lambda store, to: ["copy", store, to], "nothing is lost: what TARGET held is there"),
        (lambda store, to: ["move", store, "x", "z"], "the node is whole at SOURCE or at DEST"),
        (lambda store, to: ["delete", store, "x", "--yes"], "The same command deletes the rest"),
        (lambda store, to: ["rechunk", store, to, "--path", "x", "--chunks", "4,1"], "goes on where this one was"),
        (lambda store, to: ["convert", store, "--to", "3"], "can also be undone, with --undo"),
        (lambda store, to: ["consolidate", store], "nothing was written"),
    ],
)
def test_a_command_that_is_stopped_says_what_is_left_and_goes_on(run, store, tmp_path, monkeypatch, arguments, said):
    from tutorial_zarr.stores import LocalStore

    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        for name in ("set", "set_if", "delete", "delete_prefix", "update"):
            patch.setattr(LocalStore, name, interrupted)
        code, out, err = run(*arguments(store, tmp_path / "to"))
    assert (code, out.strip()) == (130, "")
    assert err.strip().startswith("tutorial-zarr: stopped; ")
    assert said in err
    code, _, err = run(*arguments(store, tmp_path / "to"))
    assert (code, err.strip()) == (0, "")


# --- consolidated stores


def seen_by_all(store):
    """Path -> elements, as each reader sees the arrays of a store by its consolidated metadata."""
    other = pytest.importorskip("zarr", reason="the second reader is not installed")
    for module in (other, zarr):
        group = module.open_consolidated(str(store), mode="r")
        members = group.members(max_depth=None)
        yield {path: node[...].tolist() for path, node in members if isinstance(node, module.Array)}
    xarray = pytest.importorskip("xarray", reason="the third reader is not installed")
    with xarray.open_dataset(store, engine="zarr", consolidated=True, mask_and_scale=False) as dataset:
        yield {name: variable.values.tolist() for name, variable in dataset.variables.items()}


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["move", "STORE", "x", "g/moved"], {"y": "y", "g/moved": "x"}),
        (["move", "STORE", "x", "z"], {"y": "y", "z": "x"}),
        (["delete", "STORE", "x", "--yes"], {"y": "y"}),
        (["copy", "STORE", "STORE", "--path", "x", "--target-path", "copied"], {"x": "x", "y": "y", "copied": "x"}),
        (["copy", "STORE", "STORE", "--path", "x", "--target-path", "y", "--if-exists", "replace"],
         {"x": "x", "y": "x"}),
        (["rechunk", "STORE", "STORE", "--path", "x", "--target-path", "y", "--chunks", "1,6", "--overwrite"],
         {"x": "x", "y": "x"}),
        (["rechunk", "STORE", "STORE", "--path", "x", "--target-path", "n", "--chunks", "1,6"],
         {"x": "x", "y": "y", "n": "x"}),
    ],
)  # fmt: skip
def test_who_reads_by_consolidated_metadata_sees_what_a_command_did(run, tmp_path, zarr_format, arguments, expected):
    store = tmp_path / "a store"
    values = {"x": np.arange(1, 25).reshape(4, 6), "y": np.arange(1, 13).reshape(3, 4)}
    root = zarr.create_group(store, zarr_format=zarr_format)
    for name, data in values.items():
        root.create_array(name, data=data, chunks=(2, 3), dimension_names=[f"{name}0", f"{name}1"])
    zarr.consolidate_metadata(store)
    code, _, err = run(*(store if word == "STORE" else word for word in arguments))
    assert (code, err.strip()) == (0, "")
    assert run("consolidate", store, "--dry-run")[0] == 0
    wanted = {path: values[name].tolist() for path, name in expected.items()}
    ours, theirs, dataset = seen_by_all(store)
    assert ours == theirs == wanted
    assert dataset == {path: elements for path, elements in wanted.items() if "/" not in path}
