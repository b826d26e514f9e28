"""Some random histories against the model; `differential` is a command that tells as many as there is time for."""

import time

import numpy as np
import pytest

import tutorial_zarr as zarr

from . import differential
from .differential import Elsewhere, Step, run, shortened

SECONDS = 10


@pytest.fixture(scope="module")
def elsewhere():
    actor = Elsewhere()
    yield actor
    actor.end()


def test_random_histories_agree_with_the_model(elsewhere, tmp_path):
    start, number, steps = time.monotonic(), 0, 0
    while number < 4 or time.monotonic() - start < SECONDS:
        taken, counts, problem = run(number, tmp_path, elsewhere)
        assert not problem, f"history {number}: {problem}\n" + "\n".join(map(str, taken))
        number, steps = number + 1, steps + sum(counts.values())
    assert steps > 50


def test_a_history_is_the_same_each_time(tmp_path):
    once, again = (run(3, tmp_path, None)[0] for _ in range(2))
    assert list(map(str, once)) == list(map(str, again))


def test_what_is_wrong_is_found_and_made_short(monkeypatch, tmp_path):
    """An append that writes other elements, where a history has done much else before."""
    steps = [
        Step(
            0,
            "create",
            "b",
            {
                "shape": (2,),
                "dtype": "<i4",
                "chunks": (2,),
                "overwrite": False,
                "shards": None,
                "seed": 1,
                "compressors": None,
            },
        ),
        Step(1, "attribute", "b", ("x", 1)),
        Step(
            0,
            "create",
            "a",
            {
                "shape": (3,),
                "dtype": "<i4",
                "chunks": (2,),
                "overwrite": False,
                "shards": None,
                "seed": 1,
                "compressors": None,
            },
        ),
        Step(1, "check"),
        Step(0, "append", "a", (0, 2, 1, 7)),
        Step(1, "resize", "b", (5,)),
    ]
    append = zarr.Array.append
    monkeypatch.setattr(zarr.Array, "append", lambda self, data, axis=0: append(self, np.asarray(data) + 1, axis))
    start = {"world": "memory", "format": 3}
    monkeypatch.setattr(differential, "tell", lambda number: iter([start]))
    _, _, problem = run(0, tmp_path, None, steps)
    assert problem.startswith("WrongError: a: expected")
    few, _ = shortened(0, steps, tmp_path, None, problem)
    assert [step.kind for step in few] == ["create", "append"]
