"""Limits on what data from somebody else may cost."""

import subprocess
import sys

import pytest

from tutorial_zarr import limits
from tutorial_zarr.errors import LimitError


def test_a_limit_is_changed_for_a_block_and_put_back_whatever_happens():
    before = limits.current()
    with limits.override(json_depth=3, memory_bytes=10):
        assert (limits.current().json_depth, limits.current().memory_bytes) == (3, 10)
        with pytest.raises(ValueError, match=r"limit codecs"), limits.override(json_depth=5):
            limits.configure(codecs=0)
        assert limits.current().json_depth == 3
    assert limits.current() == before


def test_a_limit_is_changed_for_the_process():
    before = limits.configure(codecs=7)
    try:
        assert limits.current().codecs == 7
    finally:
        limits.configure(codecs=before.codecs)


@pytest.mark.parametrize("value", [0, -1, 2.5, "9", None])
def test_a_limit_is_a_number_of_at_least_one(value):
    with pytest.raises(ValueError, match=r"limit codecs: expected an integer of at least 1"):
        limits.configure(codecs=value)


def test_a_limit_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ValueError, match=r"among document_bytes, .*found memory"):
        limits.configure(memory=1)


def test_the_environment_sets_limits_from_the_start():
    code = "from tutorial_zarr import limits; print(limits.current().memory_bytes, limits.current().codecs)"
    variables = {"TUTORIAL_ZARR_LIMIT_MEMORY_BYTES": "12345", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["12345", "64"]
    with pytest.raises(ValueError, match=r"TUTORIAL_ZARR_LIMIT_CODECS: expected a number of at least 1, found 'many'"):
        limits.from_environment({"TUTORIAL_ZARR_LIMIT_CODECS": "many"})


def test_memory_is_compared_with_the_limit_or_with_what_is_free():
    with limits.override(memory_bytes=100):
        limits.check_memory("here", 100)
        with pytest.raises(LimitError, match=r"here: expected at most 100 B, the limit memory_bytes, found .* 101"):
            limits.check_memory("here", 101)
    limits.check_memory("here", limits.SMALL_READ - 1)
    with pytest.raises(
        MemoryError, match=r"the memory that is free, found that reading this selection would take 8.0 PiB"
    ):
        limits.check_memory("here", 1 << 53)


def test_some_memory_is_free():
    found = limits.free_memory()
    assert found is None or found > 1 << 20
