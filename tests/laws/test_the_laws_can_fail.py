"""Each law is worth something only if a plugin that breaks it fails: broken ones, and the laws that find them."""

import inspect
import itertools
import time

import numpy as np
import pytest

from tutorial_zarr import codecs, dtypes
from tutorial_zarr.codecs.base import ArrayArrayCodec, ArrayBytesCodec, BytesBytesCodec
from tutorial_zarr.dtypes.numbers import Integer
from tutorial_zarr.stores import MemoryStore, Snapshot
from tutorial_zarr.stores.base import cut
from tutorial_zarr.testing import CodecCase, CodecLaws, DataTypeLaws, StoreLaws


def broken_laws(kit, *arguments):
    """The laws of `kit` that do not hold, each tried with fresh arguments."""
    found = set()
    for name, law in inspect.getmembers(kit, inspect.ismethod):
        if name.startswith("test_"):
            try:
                law(*(make() for make in arguments))
            except (Exception, pytest.fail.Exception):
                found.add(name.removeprefix("test_"))
    return found


# --- stores


class ForgetsDeletes(MemoryStore):
    def delete(self, key):
        self.check_writable()


class AppendsToOldValues(MemoryStore):
    def set(self, key, value):
        super().set(key, bytes(value) + bytes(self.mapping.get(key, b""))[len(value) :])


class CutsRangesByLength(MemoryStore):
    def get(self, key, byte_range=None):
        if isinstance(byte_range, tuple) and byte_range[1] is not None:
            byte_range = (byte_range[0], byte_range[0] + byte_range[1])
        return super().get(key, byte_range)


class RefusesRangesBeyondTheEnd(MemoryStore):
    def get(self, key, byte_range=None):
        value = super().get(key)
        if value is not None and isinstance(byte_range, tuple) and (byte_range[1] or 0) > len(value):
            raise IndexError("beyond the end")
        return value if value is None else cut(value, byte_range)


class ReadsOnFromTheNextValue(MemoryStore):
    def snapshot(self, key):
        found = Snapshot(self, key)
        found.isolated = True
        return found


class TakesEmptyForAbsent(MemoryStore):
    def get(self, key, byte_range=None):
        return super().get(key, byte_range) or None


class InventsZeros(MemoryStore):
    def get(self, key, byte_range=None):
        return super().get(key, byte_range) if key in self.mapping else b"\0"


class KeepsTheBufferItself(MemoryStore):
    def set(self, key, value):
        super().set(key, b"")
        self.mapping[key] = value


class ListsInTheOrderOfWriting(MemoryStore):
    def list_prefix(self, prefix=""):
        return (key for key in list(self.mapping) if key.startswith(prefix + "/" if prefix else ""))


class MatchesPrefixesWithinNames(MemoryStore):
    def list_prefix(self, prefix=""):
        return iter(sorted(key for key in self.mapping if key.startswith(prefix)))


class ListsKeysInsteadOfNames(MemoryStore):
    def list_dir(self, prefix=""):
        return (f"{prefix}/{name}" if prefix else name for name in super().list_dir(prefix))


class KeepsOnlyPlainKeys(MemoryStore):
    def set(self, key, value):
        super().set(key.encode("ascii", "replace").decode(), value)


class LetsKeysOut(MemoryStore):
    def set(self, key, value):
        self.check_writable()
        self.mapping[key] = bytes(value)


class WritesThoughReadOnly(MemoryStore):
    def check_writable(self):
        pass


class WritesInPieces(MemoryStore):
    def set(self, key, value):
        for stop in (len(value) // 2, len(value)):
            super().set(key, bytes(value)[:stop])
            time.sleep(0.001)  # for a reader to come by


class LosesWhatIsPickled(MemoryStore):
    def __reduce__(self):
        return type(self), ()


class ReadsOneByteTooFew(MemoryStore):
    def reader(self, prefix):
        def read(name, buffer):
            value = self.get(prefix + name)
            if value is None or len(value) > len(buffer):
                return None if value is None else len(buffer) + 1
            buffer[: max(len(value) - 1, 0)] = np.frombuffer(value, np.uint8)[:-1]
            return len(value)

        return read


class LosesUpdates(MemoryStore):
    serial = itertools.count()

    def lock_name(self, key):
        return next(self.serial)  # every update has a lock of its own

    def get_tagged(self, key):
        value = super().get_tagged(key)
        time.sleep(0.001)  # for another thread to come by
        return value


class ReplacesWhatIsAbove(MemoryStore):
    def set(self, key, value):
        super().set(key, value)
        self.mapping.pop(key.partition("/")[0] if "/" in key else None, None)


class ListsFilesOfItsOwn(MemoryStore):
    def list_prefix(self, prefix=""):
        yield "index.db"
        yield from super().list_prefix(prefix)


class ClosesOnlyOnce(MemoryStore):
    def close(self):
        del self.mapping


class DeletesOnlyWhatIsThere(MemoryStore):
    def delete(self, key):
        self.check_writable()
        del self.mapping[key]


class ChopsLongValues(MemoryStore):
    def set(self, key, value):
        super().set(key, bytes(value)[:65536])


class TakesDeletedForPresent(MemoryStore):
    def get_tagged(self, key):
        return self.get(key) or b"0", None


class ListsEveryOtherKey(MemoryStore):
    def list_prefix(self, prefix=""):
        return itertools.islice(super().list_prefix(prefix), 0, None, 2)


class DeletesByTheBeginningOfNames(MemoryStore):
    def delete_prefix(self, prefix):
        self.check_writable()
        for key in [key for key in self.mapping if key.startswith(prefix)]:
            self.delete(key)


class StopsAtAnAbsentKey(MemoryStore):
    def delete_prefix(self, prefix):
        self.check_writable()
        for key in self.list_prefix(prefix):
            if key not in self.mapping:
                return
            self.delete(key)


BROKEN_STORES = {
    ForgetsDeletes: "a_deleted_value_is_gone_and_the_others_stay",
    AppendsToOldValues: "a_shorter_value_replaces_a_longer_one_whole",
    CutsRangesByLength: "a_range_is_cut_as_python_cuts_and_ends_where_the_value_does",
    RefusesRangesBeyondTheEnd: "several_ranges_of_a_value_are_the_single_ones",
    ReadsOnFromTheNextValue: "what_is_read_through_a_snapshot_is_of_one_value",
    TakesEmptyForAbsent: "an_empty_value_is_a_value",
    InventsZeros: "a_key_that_was_never_set_is_absent",
    KeepsTheBufferItself: "a_store_keeps_its_own_copy_of_a_value",
    ListsInTheOrderOfWriting: "a_listing_is_sorted_and_complete",
    MatchesPrefixesWithinNames: "a_prefix_ends_at_a_slash",
    ListsKeysInsteadOfNames: "a_prefix_ends_at_a_slash",
    KeepsOnlyPlainKeys: "any_key_that_zarr_can_name_works",
    LetsKeysOut: "a_key_that_would_leave_the_store_is_refused",
    WritesThoughReadOnly: "opened_for_reading_it_reads_and_refuses_every_change",
    WritesInPieces: "a_reader_sees_the_old_value_or_the_new_one_and_no_mixture",
    LosesWhatIsPickled: "a_pickled_store_is_the_same_store_or_refused_with_a_type_error",
    ReadsOneByteTooFew: "a_reader_fills_a_buffer_and_tells_how_many_bytes_there_were",
    ReplacesWhatIsAbove: "a_key_below_another_key_is_refused_or_kept_beside_it",
    ListsFilesOfItsOwn: "an_empty_store_lists_nothing",
    ClosesOnlyOnce: "closing_twice_is_no_error",
    DeletesOnlyWhatIsThere: "deleting_what_is_not_there_is_no_error",
    ChopsLongValues: "a_value_comes_back_as_it_was_set",
    TakesDeletedForPresent: "an_update_sees_the_present_value",
    ListsEveryOtherKey: "threads_that_set_different_keys_do_not_disturb_each_other",
    DeletesByTheBeginningOfNames: "deleting_a_prefix_deletes_all_below_it_and_nothing_else",
    StopsAtAnAbsentKey: "many_keys_are_deleted_though_another_writer_takes_one_of_them_first",
    LosesUpdates: "threads_that_update_one_value_lose_nothing",
}


class MemoryLaws(StoreLaws):
    def for_reading(self, store):
        return type(store)(store.mapping, read_only=True)


@pytest.mark.parametrize(("kind", "law"), BROKEN_STORES.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_store_fails_the_law_that_it_breaks(kind, law):
    assert law in broken_laws(MemoryLaws(), kind)


def test_a_store_that_is_whole_breaks_no_law():
    assert broken_laws(MemoryLaws(), MemoryStore) == set()


# --- codecs


class Xor(BytesBytesCodec):
    """A whole one, to break: each byte inverted, and one of their sum behind them."""

    def encode(self, data):
        data = bytes(memoryview(data))
        return bytes(255 - b for b in data) + bytes([sum(data) % 256])

    def decode(self, data, size=None):
        data = bytes(255 - b for b in bytes(data))
        if not data or 255 - data[-1] != sum(data[:-1]) % 256:
            raise self.fail("the sum of the bytes behind them", "another")
        return data[:-1]


class LosesTheLastByte(Xor):
    def decode(self, data, size=None):
        decoded = super().decode(data, size)
        return decoded[:-1] + b"\0"


class DeclaresAWrongSize(Xor):
    def encoded_size(self, size):
        return size


class ForgetsItsConfiguration(Xor):
    def to_json(self):
        return {"name": "xor"}


class CountsItsCalls(Xor):
    calls = itertools.count()

    def encode(self, data):
        return super().encode(data) + b"\0" * (next(self.calls) % 3)

    def decode(self, data, size=None):
        return super().decode(bytes(data).rstrip(b"\0"), size)


class SharesABuffer(Xor):
    buffer = bytearray()

    def encode(self, data):
        self.buffer[:] = super().encode(data)
        return memoryview(bytes(self.buffer)) if len(self.buffer) < 9 else self.buffer


class WritesIntoItsInput(Xor):
    def decode(self, data, size=None):
        decoded = super().decode(data, size)
        if isinstance(data, bytearray):
            data[:] = bytes(len(data))
        return decoded


class TakesWhatIsThere(Xor):
    def decode(self, data, size=None):
        return bytes(data)[: size or 0].ljust(size or 0, b"\0")


class WritesBehindTheBuffer(Xor):
    def decode_into(self, data, out):
        super().decode_into(data, out)
        out.base[-1] = 0


class FlipsAxes(ArrayArrayCodec):
    def encode(self, array, spec):
        return array.T

    def decode(self, array, spec):
        return array.T


class LooksAtTheMemory(ArrayArrayCodec):
    moves_only = True  # untrue: so it is given elements as they are stored

    def encode(self, array, spec):
        return array

    def decode(self, array, spec):
        return np.ascontiguousarray(array).view(spec.data_type.numpy)


class TakesItsShapeFromTheBytes(ArrayBytesCodec):
    def encode(self, array, spec):
        return array.tobytes()

    def decode(self, data, spec):
        found = np.frombuffer(data, spec.data_type.numpy)
        return found.reshape(spec.shape) if found.size == spec.nbytes // found.itemsize else found


class TakesWhatIsThereAndMore(TakesWhatIsThere):
    """Fills up from behind, so that more bytes make another chunk."""

    def decode(self, data, size=None):
        return bytes(data)[-(size or 1) :].rjust(size or 0, b"\0")


class TakesAnyNumberOfBytes(TakesWhatIsThere):
    """The beginning of a stream that is too long for the chunk."""


class SortsItsInput(Xor):
    def encode(self, data):
        return super().encode(np.sort(np.frombuffer(data, np.uint8)))


BROKEN_CODECS = {
    LosesTheLastByte: "decoding_what_was_encoded_gives_it_back",
    DeclaresAWrongSize: "the_sizes_and_types_that_it_declares_hold",
    ForgetsItsConfiguration: "its_json_builds_the_same_codec",
    CountsItsCalls: "the_same_chunk_gives_the_same_bytes_whatever_its_strides",
    SharesABuffer: "threads_may_share_a_codec",
    WritesIntoItsInput: "neither_encoding_nor_decoding_changes_its_input",
    TakesWhatIsThere: "truncated_bytes_are_a_codec_error",
    WritesBehindTheBuffer: "decoding_into_memory_fills_it_exactly",
    TakesItsShapeFromTheBytes: "junk_is_a_codec_error_or_a_chunk_of_the_right_shape",
    TakesWhatIsThereAndMore: "more_bytes_than_were_written_are_a_codec_error_or_change_nothing",
    TakesAnyNumberOfBytes: "a_few_bytes_never_become_more_than_the_chunk_holds",
    SortsItsInput: "decoding_any_chunk_gives_it_back",
    FlipsAxes: "the_sizes_and_types_that_it_declares_hold",
    LooksAtTheMemory: "it_may_stand_before_elements_in_the_other_byte_order",
}


def laws_broken_by(kind):
    codecs.register("broken", kind)
    case = CodecCase("broken", {"key": 1}, ["uint8", "float64"])
    return broken_laws(CodecLaws(), lambda: case)


@pytest.mark.parametrize(("kind", "law"), BROKEN_CODECS.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_codec_fails_the_law_that_it_breaks(kind, law):
    assert law in laws_broken_by(kind)


def test_a_codec_that_is_whole_breaks_no_law():
    assert laws_broken_by(Xor) == set()


# --- data types


class Whole(Integer):
    """A whole one, to break."""

    def __init__(self, name, configuration):
        if configuration:
            raise self.bad_configuration(name, configuration)
        super().__init__("whole", np.dtype("int16"))

    @staticmethod
    def bad_configuration(name, configuration):
        return dtypes.base.MetadataError(f"data_type {name!r}: expected no configuration, found {configuration!r}")


class RoundsFillValues(Whole):
    def fill_to_json(self, fill):
        return int(fill) // 2 * 2


class TakesAnyFillValue(Whole):
    def fill_from_json(self, value):
        return np.array(value if isinstance(value, int) else 0, self.numpy)


class ForgetsItsName(Whole):
    def to_json(self):
        return "int16"


class TakesAnyConfiguration(Whole):
    def __init__(self, name, configuration):
        super().__init__(name, None)


class WritesV2Unsigned(Whole):
    def fill_to_v2(self, fill):
        return int(fill) & 0xFFFF


class CarriesHalfOfItself(Whole):
    carrier = np.dtype("int8")
    needs_endian = True


class LosesBitsOfElements(Whole):
    def scalar(self, value):
        return super().scalar(np.int16(int(value) & 0xFF))


class CannotBePickled(Whole):
    def __reduce__(self):
        return Whole, ("whole", None)

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = Whole.__hash__


BROKEN_TYPES = {
    RoundsFillValues: "a_fill_value_survives_json_to_the_bit",
    TakesAnyFillValue: "a_fill_value_of_a_wrong_form_is_a_metadata_error",
    ForgetsItsName: "its_json_names_the_same_type",
    TakesAnyConfiguration: "a_configuration_with_an_unknown_key_is_refused",
    WritesV2Unsigned: "its_typestr_names_the_same_elements_in_both_byte_orders",
    CarriesHalfOfItself: "an_array_of_it_reads_back_what_was_written",
    LosesBitsOfElements: "a_fill_value_that_is_given_as_an_element_keeps_its_bits",
    CannotBePickled: "a_pickled_type_is_the_same_type",
}


def types_broken_by(kind):
    dtypes.register("whole", kind)
    return broken_laws(DataTypeLaws(), lambda: "whole")


@pytest.mark.parametrize(("kind", "law"), BROKEN_TYPES.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_broken_data_type_fails_the_law_that_it_breaks(kind, law):
    assert law in types_broken_by(kind)


def test_a_data_type_that_is_whole_breaks_no_law():
    assert types_broken_by(Whole) == set()


@pytest.mark.parametrize(
    ("kit", "broken"), [(StoreLaws, BROKEN_STORES), (CodecLaws, BROKEN_CODECS), (DataTypeLaws, BROKEN_TYPES)]
)
def test_every_law_is_broken_by_one_of_these(kit, broken):
    assert {name.removeprefix("test_") for name in dir(kit) if name.startswith("test_")} == set(broken.values())
