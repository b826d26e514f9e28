"""What every data type promises: its JSON names it, and a fill value and an element keep every bit.

Subclass `DataTypeLaws` and list `data_types`, each as the ``data_type`` member of a v3 document.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import dtypes
from tutorial_zarr.dtypes import DataType
from tutorial_zarr.errors import MetadataError

from .codecs import assert_same
from .samples import chunk_of
from .stores import Laws

COUNT = 24


class DataTypeLaws(Laws):
    """The laws of a data type. `data_types` lists what is tried, `values` elements where not any bits are allowed."""

    data_types: Sequence[Any] = ()
    values: Mapping[str, Sequence[Any]] = {}  # by the type's name
    serializer: Any = None  # the array -> bytes codec where the default one cannot carry the type

    def pytest_generate_tests(self, metafunc: Any) -> None:
        metafunc.parametrize("document", self.data_types, ids=lambda d: d if isinstance(d, str) else d["name"])

    def elements(self, data_type: DataType) -> np.ndarray:
        """Elements to try: the fill value by default, and values or any bits."""
        chunk = chunk_of(data_type, (COUNT,), self.values.get(data_type.name))
        chunk[0] = data_type.default_fill()[()]
        return chunk

    def fills(self, data_type: DataType) -> list[np.ndarray]:
        """The same as 0-d arrays."""
        return [np.asarray(each).reshape(()) for each in np.split(self.elements(data_type), COUNT)]

    # --- names

    def test_its_json_names_the_same_type(self, document):
        data_type = dtypes.from_json(document)
        written = json.loads(json.dumps(data_type.to_json(), allow_nan=False))
        again = dtypes.from_json(written)
        assert (again, hash(again), again.numpy) == (data_type, hash(data_type), data_type.numpy)
        assert dtypes.from_json(written if isinstance(written, dict) else {"name": written}) == data_type

    def test_a_configuration_with_an_unknown_key_is_refused(self, document):
        known = document.get("configuration", {}) if isinstance(document, dict) else {}
        name = document["name"] if isinstance(document, dict) else document
        with pytest.raises(MetadataError, match=r"data_type|configuration"):
            dtypes.from_json({"name": name, "configuration": {**known, "no such key": 1}})

    def test_a_pickled_type_is_the_same_type(self, document):
        data_type = dtypes.from_json(document)
        again = pickle.loads(pickle.dumps(data_type))
        assert (again, again.numpy) == (data_type, data_type.numpy)

    # --- fill values

    def test_a_fill_value_survives_json_to_the_bit(self, document):
        data_type = dtypes.from_json(document)
        for fill in self.fills(data_type):
            written = json.loads(json.dumps(data_type.fill_to_json(fill), allow_nan=False))
            read = data_type.fill_from_json(written)
            assert (read.shape, read.dtype) == ((), data_type.numpy)
            assert_same(read, fill)

    def test_a_fill_value_that_is_given_as_an_element_keeps_its_bits(self, document):
        data_type = dtypes.from_json(document)
        for fill in self.fills(data_type):
            assert_same(data_type.scalar(fill), fill)
        assert_same(data_type.scalar(data_type.default_fill()), data_type.default_fill())

    def test_a_fill_value_of_a_wrong_form_is_a_metadata_error(self, document):
        data_type = dtypes.from_json(document)
        for wrong in ({"no such": "form"}, [None] * 3, None, {"": []}, "0xnothing hexadecimal, base64 or short \ud800"):
            try:
                accepted = data_type.fill_from_json(wrong)
            except MetadataError as error:
                assert data_type.name in str(error)  # noqa: PT017 - a text type may accept the last form
            else:
                assert isinstance(wrong, str)
                assert accepted.dtype == data_type.numpy

    # --- v2

    def test_its_typestr_names_the_same_elements_in_both_byte_orders(self, document):
        data_type = dtypes.from_json(document)
        try:
            typestr = dtypes.to_v2(data_type)
        except MetadataError as error:
            assert "v2" in str(error)  # noqa: PT017 - most of the newer types have none
            return
        object_codec = None
        if typestr == "|O":
            object_codec = {"id": "vlen-utf8" if data_type.numpy.kind == "T" else "vlen-bytes"}
        for endian, order in (("little", "<"), ("big", ">")):
            typestr = json.loads(json.dumps(dtypes.to_v2(data_type, endian)))
            again, stored = dtypes.from_v2(typestr, object_codec)
            assert again.numpy == data_type.numpy
            assert stored.newbyteorder(order) == stored
            assert dtypes.to_v2(again, endian) == typestr
            store: dict[str, Any] = {}
            a = zarr.create_array(
                store, shape=COUNT, chunks=7, dtype=document if object_codec else stored, zarr_format=2
            )
            a[:] = self.elements(data_type)
            assert_same(zarr.open_array(store)[:], self.elements(data_type))
        for fill in self.fills(data_type):
            written = json.loads(json.dumps(data_type.fill_to_v2(fill), allow_nan=False))
            read = data_type.fill_from_v2(written)
            if "NaN" in json.dumps(written):  # v2 has one NaN
                assert data_type.fill_to_v2(read) == written
            else:
                assert_same(read, fill)

    # --- elements

    def test_an_array_of_it_reads_back_what_was_written(self, document):
        data_type = dtypes.from_json(document)
        chunk = self.elements(data_type)
        for endian in ("little", "big") if data_type.needs_endian else ("little",):
            own = {"name": "bytes", "configuration": {"endian": endian}} if data_type.needs_endian else "auto"
            store: dict[str, Any] = {}
            a = zarr.create_array(
                store, shape=COUNT + 5, chunks=7, dtype=document, fill_value=chunk[1], serializer=self.serializer or own
            )
            a[:COUNT] = chunk
            read = zarr.open_array(store)
            assert (read.dtype, read.metadata.data_type) == (data_type.numpy, data_type)
            assert_same(read[:COUNT], chunk)
            assert_same(read[COUNT:], np.resize(chunk[1:2], 5))
