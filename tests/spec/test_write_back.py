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
from spec.build import assert_same, documents_of, read

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
BY_MODULE = pytest.mark.parametrize("module", MODULES, ids=[m.__name__.rpartition(".test_")[2] for m in MODULES])


@BY_MODULE
@pytest.mark.filterwarnings("ignore")
def test_written_values_read_equal(module):
    wrong = []
    for case in module.CASES:
        if not (case.exact and case.writable):
            continue
        store = documents_of(case.store)
        try:
            zarr.open_array(store, mode="r+", path=case.path, **case.options)[...] = case.expected
            assert_same(read(store, case.path, **case.options), case.expected)
        except Exception as error:
            wrong.append((case.id, f"{type(error).__name__}: {str(error)[:200]}"))
    assert wrong == []


@BY_MODULE
@pytest.mark.filterwarnings("ignore")
def test_a_copy_has_the_same_values_and_the_same_metadata(module):
    """`copy` loses no NaN payload, no big integer, no member that may be ignored."""
    wrong = []
    for case in module.CASES:
        if not (case.exact and case.writable) or case.options:
            continue
        name = "zarr.json" if any(key.endswith("zarr.json") for key in case.store) else ".zarray"
        prefix = case.path.replace("\\", "/").replace("//", "/").strip("/")
        key = f"{prefix}/{name}" if prefix else name
        target = {}
        try:
            zarr.copy(zarr.open_array(case.store, mode="r", path=case.path, **case.options), target, name="copy")
            assert_same(read(target, "copy", **case.options), case.expected)
            before, after = (json.loads(s.decode("utf-8-sig")) for s in (case.store[key], target[f"copy/{name}"]))
            assert {k: after.get(k) for k in before} == before
        except Exception as error:
            wrong.append((case.id, f"{type(error).__name__}: {str(error)[:200]}"))
    assert wrong == []
