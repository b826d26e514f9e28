"""Commands that somebody stops with Ctrl-C, in a process of their own: what they say, what lies there, and again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr

pytest.importorskip("click", reason="the command line needs the extra cli")
pytest.importorskip("rich", reason="the command line needs the extra cli")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to another process")

ROOT = Path(__file__).parents[2]

# After so many changes of a folder the command says so, and every further one waits long enough to be stopped in it.
SLOWLY = """
import itertools, signal, sys, time
from tutorial_zarr.stores import LocalStore
from tutorial_zarr.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background ignores it
changes, after = itertools.count(1), int(sys.argv[1])

def slow(change):
    def slowed(*args, **options):
        count = next(changes)
        if count == after:
            print("now", flush=True)
        if count >= after:
            time.sleep(0.1)
        return change(*args, **options)
    return slowed

for name in ("set", "delete", "delete_prefix", "set_if_absent", "move_prefix"):
    setattr(LocalStore, name, slow(getattr(LocalStore, name)))
sys.exit(main(sys.argv[2:]))
"""


def stopped(after, *words):
    """Run a command, stop it after so many changes, and return what it said."""
    line = [sys.executable, "-c", SLOWLY, str(after), *map(str, words)]
    with subprocess.Popen(
        line, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert first == "now\n", err
    assert (process.returncode, out) == (130, ""), err
    assert err.startswith("tutorial-zarr: stopped; "), err
    assert len(err.splitlines()) == 1
    return err


VALUES = np.arange(400).reshape(20, 20)


@pytest.fixture
def store(tmp_path):
    root = zarr.create_group(tmp_path / "a", zarr_format=2)
    root.create_array("g/x", data=VALUES, chunks=(1, 20))
    zarr.consolidate_metadata(tmp_path / "a")
    return tmp_path / "a"


def finished(run, words, result, path):
    """The same command again, and what it made is whole."""
    code, _, err = run(*words)
    assert (code, err) == (0, "")
    assert np.array_equal(zarr.open(result, mode="r", path=path)[...], VALUES)
    code, out, _ = run("doctor", result)
    assert code == 0, out


@pytest.mark.parametrize("after", [2, 6, 21])
def test_copy(run, store, tmp_path, after):
    words = ["copy", store, tmp_path / "b"]
    assert "The same command finishes the copy" in stopped(after, *words)
    finished(run, words, tmp_path / "b", "g/x")


@pytest.mark.parametrize("after", [3, 11])
def test_rechunk(run, store, tmp_path, after):
    words = ["rechunk", store, tmp_path / "b", "--path", "g/x", "--chunks", "20,1", "--memory", "4 KiB", "--jobs", 1]
    assert "goes on where this one was" in stopped(after, *words)
    if (tmp_path / "b" / ".unfinished").exists():
        code, out, _ = run("doctor", tmp_path / "b")
        assert code == 1
        assert "tutorial-zarr rechunk with the same options goes on where it was" in out
    finished(run, words, tmp_path / "b", "")


@pytest.mark.parametrize("after", [2, 8, 21, 26, 29])
def test_move(run, store, after):
    words = ["move", store, "g", "h/i"]
    assert "The same command finishes the move" in stopped(after, *words)
    root = zarr.open_group(store, mode="r", use_consolidated=False)
    assert any(root.get(path) is not None for path in ("g/x", "h/i/x")), "it is nowhere"
    finished(run, words, store, "h/i/x")
    assert not (store / "g").exists()
    assert set(zarr.open_consolidated(store, mode="r").array_keys()) == set()
    assert zarr.open_consolidated(store, mode="r")["h/i/x"].shape == (20, 20)


@pytest.mark.parametrize("after", [2, 8, 16])
def test_convert_to_a_target(run, store, tmp_path, after):
    words = ["convert", store, "--to", "3", "--target", tmp_path / "b"]
    assert "The same command finishes the conversion" in stopped(after, *words)
    finished(run, words, tmp_path / "b", "g/x")


def test_delete(run, store):
    words = ["delete", store, "g", "--yes"]
    assert "The same command deletes the rest" in stopped(1, *words)
    code, _, err = run(*words)
    assert (code, err) == (0, "")
    assert not (store / "g").exists()
    assert run("doctor", store)[0] == 0


@pytest.mark.parametrize("after", [3, 9])
def test_import(run, tmp_path, after):
    xarray = pytest.importorskip("xarray", reason="import needs xarray")
    xarray.Dataset({"t": (("y", "x"), VALUES)}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    words = ["import", tmp_path / "a.nc", tmp_path / "b", "--chunks", "y=1"]
    assert "The same command finishes it" in stopped(after, *words)
    assert [path for path in (tmp_path / "b").rglob("*") if path.is_file()] == []
    finished(run, words, tmp_path / "b", "t")
