"""The law of everything that replaces or grows, at some of its moments; all of them with ``-m slow``, for an hour.

`law` says what it is, and is a command as well.
"""

import random

import numpy as np
import pytest

import tutorial_zarr as zarr

from . import law
from .acts import LAYOUT, NEW, Act, acts
from .moments import Memory, Server

WORLDS = ["memory", "folder", "sqlite", "zip", "bucket"]
ON_A_SERVER = (
    "create with data",
    "overwrite with an array",
    "copy in place of another",
    "move a group",
    "append",
    "to_zarr w",
)


def world_of(name, folder):
    if name == "bucket":
        pytest.importorskip("obstore", reason="obstore is not installed: pip install 'tutorial_zarr[cloud]'")
    return next(world for world in law.worlds(folder) if world.name == name)


def known(act):
    """Whether what an act needs is installed here."""
    needs = {"to_zarr": "xarray", "from_netcdf": "h5netcdf", "from dask": "dask"}
    for name, package in needs.items():
        if act.name.startswith(name):
            return law.installed(package)
    return True


def hold(world, folder, cases, choose, faults=law.ALL_FAULTS):
    total, found = 0, []
    for count, more in law.hold(world, folder, cases, choose, faults):
        total += count
        found += more
    assert not found, f"{len(found)} of {total} combinations:\n" + "\n".join(map(str, found[:20]))
    assert total > len(cases)


@pytest.mark.parametrize("name", WORLDS)
def test_whatever_goes_wrong_leaves_the_old_one_the_new_one_or_a_mark(name, tmp_path):
    numbers = random.Random(name)
    cases = [case for case in law.cases(False) if known(case[0])]
    if name != "memory":
        cases = numbers.sample(cases, len(cases) // 5)
    faults = [fault for fault in law.ALL_FAULTS if fault != "dies"]  # a process each: with the slow ones
    hold(world_of(name, tmp_path), tmp_path, cases, lambda count: [numbers.randrange(count)] if count else [], faults)


def test_whatever_goes_wrong_on_a_server_leaves_the_old_one_the_new_one_or_a_mark(seaweed, tmp_path):
    numbers = random.Random(0)
    cases = [(act, 3, True) for act in acts() if act.name in ON_A_SERVER and known(act)]
    faults = ("lost answer", "asked again", "kill")
    hold(Server(*seaweed), tmp_path, cases, law.some(numbers), faults)


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_whatever_goes_wrong_at_any_moment(name, tmp_path):
    hold(world_of(name, tmp_path), tmp_path, [case for case in law.cases(True) if known(case[0])], law.every)


@pytest.mark.slow
def test_whatever_goes_wrong_on_a_server_at_any_moment(seaweed, tmp_path):
    hold(Server(*seaweed), tmp_path, [case for case in law.cases(False) if known(case[0])], law.some(random.Random(0)))


# --- a law must be able to fail


def careless(store, source):
    """What was there goes first, and the document comes before its chunks."""
    store.delete_prefix("g/x")
    array = zarr.create_array(store, name="g/x", shape=NEW.shape, dtype=NEW.dtype, zarr_format=source.format, **LAYOUT)
    array[...] = NEW


def silent(store, source):
    """Whatever is wrong, nothing is said."""
    try:
        careless(store, source)
    except Exception:
        pass


def stubborn(store, source):
    """It is done where nothing was done before."""
    if store.exists("started"):
        raise ValueError("it was started before")
    store.set("started", b"")
    zarr.create_array(store, name="g/n", data=NEW, zarr_format=source.format, **LAYOUT)
    store.delete("started")


def untidy(store, source):
    """Something stays where it went wrong before."""
    if store.exists("g/started"):
        store.set("g/rest", b"")
    store.set("g/started", b"")
    zarr.create_array(store, name="g/n", data=NEW, zarr_format=source.format, **LAYOUT)
    store.delete("g/started")


@pytest.mark.parametrize(
    ("act", "path", "kinds"),
    [
        (careless, "g/x", {"other values"}),
        (silent, "g/x", {"other values", "silent"}),
        (stubborn, "g/n", {"does not go on"}),
        (untidy, "g/n", {"keys left"}),
    ],
)
def test_the_law_finds_what_is_wrong(act, path, kinds, tmp_path):
    case = law.make_case(Act("", act, {path: NEW}), 3, False, Memory(), tmp_path)
    assert not law.wrong_when_nothing_happens(case)
    faults = [(fault, at) for fault in ("raises", "kill") for at in range(case.moments[fault])]
    found = [problem for fault, at in faults for problem in law.run(case, Memory(), fault, at, tmp_path)]
    assert kinds <= {kind for kind, _ in found}


def test_the_law_finds_elements_that_are_not_what_the_act_says(tmp_path):
    case = law.make_case(Act("", careless, {"g/x": NEW + 1}), 3, False, Memory(), tmp_path)
    assert any("expected" in text for text in law.wrong_when_nothing_happens(case))


def test_the_law_finds_a_listing_that_is_not_true(tmp_path):
    case = law.make_case(Act("", lambda s, f: s.delete("g/x/zarr.json"), {"g/x": None}), 3, True, Memory(), tmp_path)
    assert any("lists" in text for text in law.wrong_when_nothing_happens(case))


def test_holes_are_seen_through_where_a_mark_names_them():
    old = law.Node("array", "{}", (4,), "int64", np.arange(4).tobytes())
    grown = law.Node("array", "{}", (6,), "int64", np.array([0, 1, 2, 3, -1, -1]).tobytes())
    assert law._with_holes(grown, (old,), [(0, 4, 6)])
    assert not law._with_holes(grown, (old,), [(0, 5, 6)])
    assert not law._with_holes(grown, (old,), [])
