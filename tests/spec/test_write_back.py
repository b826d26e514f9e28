"""What is read can be written: the values of every case, written under its own metadata, read equal again."""

import json

import pytest

import tutorial_zarr as zarr
from spec import (
    test_v2_codecs,
    test_v2_dtypes,
    test_v2_metadata,
    test_v2_object_codecs,
    test_v3_codecs,
    test_v3_dtypes,
    test_v3_fill_values,
    test_v3_grids,
    test_v3_keys,
    test_v3_metadata,
    test_v3_sharding,
)
from spec.build import assert_same, documents_of, judge_all, read

MODULES = [
    test_v2_codecs,
    test_v2_dtypes,
    test_v2_metadata,
    test_v2_object_codecs,
    test_v3_codecs,
    test_v3_dtypes,
    test_v3_fill_values,
    test_v3_grids,
    test_v3_keys,
    test_v3_metadata,
    test_v3_sharding,
]
MODULES = [module for module in MODULES if hasattr(module, "CASES")]  # none where ml_dtypes is not installed
BY_MODULE = pytest.mark.parametrize("module", MODULES, ids=[m.__name__.rpartition(".test_")[2] for m in MODULES])


@BY_MODULE
@pytest.mark.filterwarnings("ignore")
def test_written_values_read_equal(module):
    def judge(case):
        store = documents_of(case.store)
        zarr.open_array(store, mode="r+", path=case.path, **case.options)[...] = case.expected
        assert_same(read(store, case.path, **case.options), case.expected)

    judge_all((case for case in module.CASES if case.exact and case.writable), judge)


@BY_MODULE
@pytest.mark.filterwarnings("ignore")
def test_a_copy_has_the_same_values_and_the_same_metadata(module):
    """`copy` loses no NaN payload, no big integer, no member that may be ignored."""

    def judge(case):
        name = "zarr.json" if any(key.endswith("zarr.json") for key in case.store) else ".zarray"
        (key,) = (key for key in case.store if key.endswith(name))
        target = {}
        zarr.copy(zarr.open_array(case.store, mode="r", path=case.path), target, name="copy")
        assert_same(read(target, "copy"), case.expected)
        before, after = (json.loads(text.decode("utf-8-sig")) for text in (case.store[key], target[f"copy/{name}"]))
        assert {member: after.get(member) for member in before} == before

    judge_all((case for case in module.CASES if case.writable and not case.options), judge)
