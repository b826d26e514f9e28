"""A rechunk, a conversion of metadata and a move whose process is killed, at any moment, and called again.

Afterwards the elements are equal by hash, and at every moment in between the store opens whole: in the old form or
in the new one. The process is a real one and ends by SIGKILL (on Windows by TerminateProcess), so nothing is tidied
up. Killed runs go on with what is there, until one of them comes to its end; then a new store is begun.

    pytest tests/faults/test_kill_conversions.py -m slow -n 0 -s       # 200 moments of each, instead of 20
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.tools.convert import content_hash

# The work is done again and again in one process, each time on a new store, as starting Python takes the most time.
# It says which store it works on, and when a step is done; the killer counts the steps.
RECHUNK = """
import sys, itertools
import tutorial_zarr as zarr
def step(*args):
    print("step", flush=True)
for number in itertools.count(int(sys.argv[3])):
    print(number, flush=True)
    new = {"path": "deep/new", "chunks": (64, 2), "memory": 40_000 if number % 2 else 5_000, "workers": 2}
    zarr.rechunk(sys.argv[1], f"{sys.argv[2]}/{number}", progress=step, **new)
"""
CONVERT = """
import sys, itertools
import tutorial_zarr as zarr
def step(*args):
    print("step", flush=True)
source = zarr.open_group(sys.argv[1], mode="r")
for number in itertools.count(int(sys.argv[3])):
    store = f"{sys.argv[2]}/{number}"
    zarr.copy(source, store, name="", if_exists="skip") if number > int(sys.argv[3]) else None
    print(number, flush=True)
    try:
        zarr.convert.to_v3(store, progress=step)
    except FileNotFoundError:  # the killed run had begun to remove the old documents, that of the root first
        pass
    step()
    zarr.convert.remove_metadata(store, 2)
"""

MOVE = """
import sys, itertools
import tutorial_zarr as zarr
def step(*args):
    print("step", flush=True)
names = ["deep/one", "two"]
for number in itertools.count(int(sys.argv[3])):
    print(number, flush=True)
    zarr.move(sys.argv[1], names[number % 2], names[(number + 1) % 2], progress=step)
"""


def run_and_kill(code: str, source: Path, folder: Path, first: int, numbers: random.Random) -> int:
    """Work from the store `first` on, for some steps and a moment, then die; returns the store that was worked on."""
    command = [sys.executable, "-c", code, str(source), str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(numbers.randint(1, 60))]
        time.sleep(numbers.uniform(0, 0.01))
        assert process.poll() is None, "the process ended by itself"
        process.kill()
        said += process.stdout.readlines()
    return int([line for line in said if line.strip().isdigit()][-1])


def elements(group: zarr.Group) -> dict[str, str]:
    return {path: content_hash(node) for path, node in group.members(None) if isinstance(node, zarr.Array)}


def files(folder: Path) -> set[str]:
    """What lies in a store, but for the remains of files that were being written."""
    return {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".partial")
    }


def kill_rechunks(tmp_path: Path, moments: int, seed: int) -> int:
    """Kill a rechunk so many times; returns how many arrays were finished."""
    numbers = random.Random(seed)
    data = np.random.default_rng(seed).integers(0, 1 << 30, (64, 192)).astype("i4")
    source = tmp_path / "a source, with spaces"
    expected = content_hash(zarr.create_array(source, data=data, chunks=(2, 64)))
    folder = tmp_path / "results"
    whole = {"zarr.json", "deep/zarr.json", "deep/new/zarr.json", *(f"deep/new/c/0/{i}" for i in range(96))}
    number = 0
    for _ in range(moments):
        last = run_and_kill(RECHUNK, source, folder, number, numbers)
        for finished in range(number, last):
            assert files(folder / str(finished)) == whole
            assert elements(zarr.open_group(folder / str(finished), mode="r")) == {"deep/new": expected}
        number = last
        if (folder / str(number) / "zarr.json").exists():  # nothing is seen of it, or all
            assert elements(zarr.open_group(folder / str(number), mode="r")) in ({}, {"deep/new": expected})
        if (folder / str(number)).exists() and files(folder / str(number)) == whole:
            number += 1  # it was killed after the last step
    return number


def kill_conversions(tmp_path: Path, moments: int, seed: int) -> int:
    """Kill a conversion so many times; returns how many were finished."""
    numbers = random.Random(seed)
    source = tmp_path / "a source, with spaces"
    root = zarr.create_group(source, zarr_format=2, attributes={"title": "old"})
    for i in range(12):
        root.create_array(f"g{i % 3}/x{i}", data=np.arange(i, i + 6), chunks=4, attributes={"number": i})
    expected, attributes = elements(root), {path: node.attrs.asdict() for path, node in root.members(None)}
    folder = tmp_path / "results"
    whole = {name for name in files(source) if "/." not in name and name[0] != "."}
    whole |= {"zarr.json", *(f"{path}/zarr.json" for path, _ in root.members(None))}
    zarr.copy(root, folder / "0", name="")
    number = 0
    for _ in range(moments):
        last = run_and_kill(CONVERT, source, folder, number, numbers)
        for finished in range(number, last):
            assert files(folder / str(finished)) == whole
            assert elements(zarr.open_group(folder / str(finished), mode="r")) == expected
        number, store = last, folder / str(last)
        zarr_format = 3 if (store / "zarr.json").exists() else 2
        opened = zarr.open_group(store, mode="r", zarr_format=zarr_format)  # whole, in one format or in the other
        assert elements(opened) == expected
        assert {path: node.attrs.asdict() for path, node in opened.members(None)} == attributes
        if files(store) == whole:
            number += 1
            zarr.copy(root, folder / str(number), name="", if_exists="skip")
    return number


def kill_moves(tmp_path: Path, moments: int, seed: int) -> int:
    """Kill a process that moves a group to and fro; returns how often it was moved."""
    numbers = random.Random(seed)
    store = tmp_path / "a store, with spaces"
    root = zarr.create_group(store)
    for i in range(2):
        root.create_array(f"deep/one/x{i}", data=np.arange(i, i + 40), chunks=2)
    zarr.consolidate_metadata(store)
    group, names, number = elements(root["deep/one"]), ["deep/one", "two"], 0
    whole = {name.removeprefix("deep/one/") for name in files(store) if name.startswith("deep/one/")}
    for _ in range(moments):
        number = run_and_kill(MOVE, store, tmp_path, number, numbers)
        source, target = names[number % 2], names[(number + 1) % 2]
        for use_consolidated in (False, True):
            found = elements(zarr.open_group(store, mode="r", use_consolidated=use_consolidated))
            for path, content in found.items():
                assert content == group[path.removeprefix("deep/one/").removeprefix("two/")]
        try:
            zarr.move(store, source, target)
        except FileNotFoundError:  # it was killed after the last step
            pass
        assert files(store / target) == whole
        assert files(store / source) == set()
        assert not zarr.is_stale(store)
        number += 1
    return number


@pytest.mark.parametrize("kill", [kill_rechunks, kill_conversions, kill_moves])
def test_what_was_killed_goes_on_and_ends_equal(kill, tmp_path):
    assert kill(tmp_path, 20, seed=1) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_rechunks, kill_conversions, kill_moves])
def test_what_is_killed_at_two_hundred_moments_goes_on_and_ends_equal(kill, tmp_path):
    finished = kill(tmp_path, 200, seed=2)
    print(f"\n{kill.__name__}: 200 processes killed, {finished} stores finished, all equal")
    assert finished >= 20
