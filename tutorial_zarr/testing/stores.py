"""What every store promises: values come back, ranges are cut as `stores.base` says, nothing leaves the store.

Subclass `StoreLaws` and fill in `make`. What a store may do or leave (locks between processes, requests in
flight, credentials) is not a law; it belongs in that store's own tests.

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#abstract-store-interface
"""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tutorial_zarr.errors import NodeNameError, ReadOnlyError, ReplacedError, StoreError
from tutorial_zarr.stores import ReadOnlyStore, Store
from tutorial_zarr.stores.base import check_key, cut

VALUE = bytes(range(10))
RANGES = [(0, None), (0, 4), (3, 7), (4, None), (4, 4), (7, 99), (10, 12), (50, 60), (50, None), -1, -4, -10, -99, None]
# Names sort by their characters, the slash among them: "a-b" and "a.b" stand before all that is below "a".
KEYS = ["a-b", "a.b", "a/x", "a/y/1", "a/y/2", "a0", "b", "zarr.json"]
STRANGE = ["été/日本", "with space/100%", "c/0/0", ".zattrs", "a+b=c&d", "x" * 120, "#1?", "deep/" * 20 + "leaf"]
OUTSIDE = ["../x", "a/../../x", "/x", "a//x", "a/", "", ".", "..", "a/./x", "a\\..\\..\\x", "x\0"]


class Laws:
    """Base of the kits."""


class StoreLaws(Laws):
    """The laws of a store. `make` returns an empty one that can be written to."""

    def make(self, tmp_path: Path) -> Store:
        """An empty, writable store. `tmp_path` is an empty folder of this test's own, for stores that need one."""
        raise NotImplementedError

    def for_reading(self, store: Store) -> Store:
        """The same place, opened for reading alone."""
        return ReadOnlyStore(store)

    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        with self.make(tmp_path) as store:
            yield store

    # --- values

    def test_a_value_comes_back_as_it_was_set(self, store):
        for value in (VALUE, b"\0", b"x" * 100_000, bytearray(VALUE), memoryview(VALUE), np.arange(10, dtype="u1")):
            store.set("a/b", value)
            assert bytes(store.get("a/b")) == bytes(value)
            assert store.get_size("a/b") == len(value)
            assert store.exists("a/b")
            assert "a/b" in store

    def test_a_key_that_was_never_set_is_absent(self, store):
        store.set("a/b", VALUE)
        for key in ("c", "a/c", "a/b/c", "b", "a/bb"):
            assert store.get(key) is None
            assert store.get(key, (0, 1)) is None
            assert store.get_ranges(key, [(0, 1), -1]) == [None, None]
            assert store.get_size(key) is None
            assert not store.exists(key)

    def test_a_shorter_value_replaces_a_longer_one_whole(self, store):
        store.set("a", VALUE)
        store.set("a", b"12")
        assert (bytes(store.get("a")), store.get_size("a"), bytes(store.get("a", -5))) == (b"12", 2, b"12")
        assert list(store.list_prefix()) == ["a"]

    def test_an_empty_value_is_a_value(self, store):
        store.set("a", b"")
        assert (bytes(store.get("a")), store.get_size("a"), store.exists("a")) == (b"", 0, True)
        assert [bytes(store.get("a", r)) for r in RANGES] == [b""] * len(RANGES)
        assert list(store.list_prefix()) == ["a"]

    def test_a_store_keeps_its_own_copy_of_a_value(self, store):
        value = bytearray(VALUE)
        store.set("a", value)
        value[:] = b"changed..."
        assert bytes(store.get("a")) == VALUE

    def test_a_deleted_value_is_gone_and_the_others_stay(self, store):
        store.set("a/b", VALUE)
        store.set("a/c", VALUE)
        store.delete("a/b")
        assert (store.get("a/b"), store.exists("a/b"), store.get_size("a/b")) == (None, False, None)
        assert list(store.list_prefix()) == ["a/c"]
        store.set("a/b", b"again")
        assert bytes(store.get("a/b")) == b"again"

    def test_deleting_what_is_not_there_is_no_error(self, store):
        store.set("a/b", VALUE)
        for key in ("c", "a/c", "a/b/c", "a"):
            store.delete(key)
        assert list(store.list_prefix()) == ["a/b"]

    # --- ranges

    def test_a_range_is_cut_as_python_cuts_and_ends_where_the_value_does(self, store):
        store.set("a", VALUE)
        for byte_range in RANGES:
            assert bytes(store.get("a", byte_range)) == cut(VALUE, byte_range), byte_range

    def test_several_ranges_of_a_value_are_the_single_ones(self, store):
        store.set("a", VALUE)
        assert [bytes(part) for part in store.get_ranges("a", RANGES)] == [cut(VALUE, r) for r in RANGES]
        assert list(store.get_ranges("a", [])) == []

    def test_a_reader_fills_a_buffer_and_tells_how_many_bytes_there_were(self, store):
        for key, value in (("a/b/full", VALUE), ("a/b/less", b"123"), ("a/b/none", b"")):
            store.set(key, value)
        read = store.reader("a/b/")
        if read is None:
            return  # the store has no better way than `get`
        buffer = np.full(12, 0xAA, np.uint8)
        for name, value in (("full", VALUE), ("less", b"123"), ("none", b"")):
            exact = buffer[: len(value)]
            assert read(name, exact) == len(value), name
            assert exact.tobytes() == value
        assert read("less", buffer[:10]) == 3  # with room to spare
        assert read("full", buffer[:4]) == 5, "one more than the buffer holds, as the value does not fit"
        assert read("full", buffer[:0]) == 1
        assert (buffer[10:] == 0xAA).all(), "nothing is written behind a buffer"
        assert read("nothing", buffer[:10]) is None

    def test_what_is_read_through_a_snapshot_is_of_one_value(self, store):
        store.set("a", VALUE)
        with ThreadPoolExecutor(1) as others:
            with store.snapshot("a") as value, store.snapshot("b") as nothing:
                assert (nothing.get(-4), bytes(value.get(-4))) == (None, cut(VALUE, -4))
                assert [bytes(part) for part in value.get_ranges([(0, 1), (3, 6)])] == [VALUE[:1], VALUE[3:6]]
                writing = others.submit(store.set, "a", b"replaced by others")
                wait([writing], 0.2)  # a store may keep writers out until the snapshot is closed
                try:
                    found = [bytes(part) for part in value.get_ranges([(0, 1), (3, 6)])]
                except ReplacedError:
                    found = None  # it can tell, and says so
                assert found in (None, [VALUE[:1], VALUE[3:6]]) or not value.isolated
            failed = writing.exception()
        assert bytes(store.get("a")) == (VALUE if failed else b"replaced by others")
        assert failed is None or sys.platform == "win32", "a file that is open there cannot be replaced"

    # --- listing

    def test_a_listing_is_sorted_and_complete(self, store):
        for key in reversed(KEYS):
            store.set(key, b"1")
        assert list(store.list_prefix()) == KEYS
        assert list(store.list_dir()) == ["a-b", "a.b", "a/", "a0", "b", "zarr.json"]

    def test_a_prefix_ends_at_a_slash(self, store):
        for key in KEYS:
            store.set(key, b"1")
        assert list(store.list_prefix("a")) == ["a/x", "a/y/1", "a/y/2"]
        assert list(store.list_prefix("a/y")) == ["a/y/1", "a/y/2"]
        assert list(store.list_dir("a")) == ["x", "y/"]
        assert list(store.list_dir("a/y")) == ["1", "2"]
        for absent in ("b", "c", "a/x/1", "a/z"):
            assert (list(store.list_prefix(absent)), list(store.list_dir(absent))) == ([], [])
        assert list(store.list_prefix("a/")) == ["a/x", "a/y/1", "a/y/2"]  # and may be written with it
        assert list(store.list_dir("a/")) == ["x", "y/"]

    def test_an_empty_store_lists_nothing(self, store):
        assert (list(store.list_prefix()), list(store.list_dir()), list(store.list_prefix("a"))) == ([], [], [])

    def test_deleting_a_prefix_deletes_all_below_it_and_nothing_else(self, store):
        for key in KEYS:
            store.set(key, b"1")
        store.delete_prefix("a/y")
        store.delete_prefix("nothing")
        store.delete_prefix("b")  # a key itself is not below it
        assert list(store.list_prefix()) == ["a-b", "a.b", "a/x", "a0", "b", "zarr.json"]
        store.delete_prefix("a/")
        assert list(store.list_prefix()) == ["a-b", "a.b", "a0", "b", "zarr.json"]
        store.delete_prefix("")
        assert list(store.list_prefix()) == []

    def test_many_keys_are_deleted_though_another_writer_takes_one_of_them_first(self, store):
        keys, real, taken = [f"a/{i}" for i in range(20)], store.list_prefix, []
        for key in keys:
            store.set(key, b"1")

        def list_prefix(prefix: str = "") -> Any:
            found = list(real(prefix))
            if found and not taken:
                taken.append(found[0])
                store.delete(found[0])
            return iter(found)

        store.list_prefix = list_prefix
        store.delete_prefix("a")
        del store.list_prefix
        assert list(store.list_prefix()) == []

    # --- keys

    def test_any_key_that_zarr_can_name_works(self, store):
        for number, key in enumerate(STRANGE):
            store.set(check_key(key), str(number).encode())
        assert list(store.list_prefix()) == sorted(STRANGE)
        assert [bytes(store.get(key)) for key in STRANGE] == [str(n).encode() for n in range(len(STRANGE))]
        assert list(store.list_dir("été")) == ["日本"]

    def test_a_key_that_would_leave_the_store_is_refused(self, store):
        store.set("a/b", VALUE)
        for key in OUTSIDE:
            with pytest.raises(NodeNameError, match=r"key|name"):
                store.set(key, b"out")
            try:
                assert store.get(key) is None
            except (NodeNameError, StoreError):
                pass  # as good as None
        assert list(store.list_prefix()) == ["a/b"]

    def test_a_key_below_another_key_is_refused_or_kept_beside_it(self, store):
        store.set("a", b"file")
        try:
            store.set("a/b", b"below")
        except StoreError:
            assert list(store.list_prefix()) == ["a"]
        else:
            assert bytes(store.get("a/b")) == b"below"
        assert bytes(store.get("a")) == b"file"

    # --- changes

    def test_opened_for_reading_it_reads_and_refuses_every_change(self, store):
        store.set("a", VALUE)
        reading = self.for_reading(store)
        assert reading.read_only
        assert (bytes(reading.get("a", (2, 4))), list(reading.list_prefix())) == (VALUE[2:4], ["a"])
        for change in (
            lambda: reading.set("b", b"1"),
            lambda: reading.set("a", b"1"),
            lambda: reading.delete("a"),
            lambda: reading.delete("nothing"),
            lambda: reading.delete_prefix(""),
            lambda: reading.update("a", lambda old: b"1"),
            lambda: reading.set_if_absent("b", b"1"),
        ):
            with pytest.raises(ReadOnlyError, match=r"reading|read-only"):
                change()
        assert (bytes(store.get("a")), list(store.list_prefix())) == (VALUE, ["a"])

    def test_an_update_sees_the_present_value(self, store):
        seen = []
        store.update("a", lambda old: (seen.append(old), b"1")[1])
        store.update("a", lambda old: (seen.append(bytes(old)), old)[1])  # the same again: nothing to write
        assert (seen, bytes(store.get("a"))) == ([None, b"1"], b"1")
        assert (store.set_if_absent("a", b"2"), store.set_if_absent("b", b"2")) == (False, True)
        assert (bytes(store.get("a")), bytes(store.get("b"))) == (b"1", b"2")
        if store.update_deletes:
            store.update("a", lambda old: None)
            assert not store.exists("a")

    def test_threads_that_update_one_value_lose_nothing(self, store):
        with ThreadPoolExecutor(4) as pool:
            for job in [pool.submit(store.update, "n", lambda old: str(int(old or 0) + 1).encode()) for _ in range(24)]:
                job.result()
        assert bytes(store.get("n")) == b"24"

    def test_threads_that_set_different_keys_do_not_disturb_each_other(self, store):
        values = {f"{i % 4}/{i}": str(i).encode() * (i + 1) for i in range(64)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(store.set, values, values.values()))
            assert dict(zip(values, map(bytes, pool.map(store.get, values)), strict=True)) == values
        assert list(store.list_prefix()) == sorted(values)

    def test_a_reader_sees_the_old_value_or_the_new_one_and_no_mixture(self, store):
        old, new = b"o" * 50_000, b"n" * 90_000
        store.set("a", old)

        def write(rounds: int) -> None:
            for i in range(rounds):
                store.set("a", old if i % 2 else new)

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write, 40)
            while not writing.done():
                found = store.get("a")
                assert found is not None
                assert bytes(found) in (old, new)
            writing.result()

    def test_a_pickled_store_is_the_same_store_or_refused_with_a_type_error(self, store):
        store.set("a/b", VALUE)
        try:
            pickled = pickle.dumps(store)
        except TypeError:
            return  # a store that cannot go to another process, and says so
        with pickle.loads(pickled) as again:
            assert (bytes(again.get("a/b")), list(again.list_prefix())) == (VALUE, ["a/b"])

    def test_closing_twice_is_no_error(self, store):
        store.set("a", VALUE)
        store.close()
        store.close()
