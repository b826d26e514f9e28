"""Codecs, data types and stores of one's own."""

import pytest

from tutorial_zarr.errors import ReadOnlyError, StoreError
from tutorial_zarr.stores import MemoryStore, make_store, register_store


def test_a_registered_scheme_opens_its_store_with_the_whole_url_the_mode_and_the_options():
    seen = []

    def factory(url, mode, storage_options):
        seen.append((url, mode, storage_options))
        return MemoryStore({"a": b"1"})

    register_store("seen", factory)
    assert make_store("seen://bucket/a b?x=1", "r+", {"token": "t"}).get("a") == b"1"
    assert make_store("seen://bucket").get("a") == b"1"
    assert seen == [("seen://bucket/a b?x=1", "r+", {"token": "t"}), ("seen://bucket", "a", {})]


def test_a_store_behind_a_url_opened_for_reading_refuses_to_write():
    register_store("seen", lambda url, mode, storage_options: MemoryStore({"a": b"1"}))
    with pytest.raises(ReadOnlyError, match="expected a writable store"):
        make_store("seen://bucket", "r").set("a", b"2")


def test_an_unknown_scheme_is_an_error_that_lists_the_known_ones():
    with pytest.raises(StoreError, match=r"expected a path or a URL with .*file://.*found gopher://"):
        make_store("gopher://hole")
