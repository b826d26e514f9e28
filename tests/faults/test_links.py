"""Folders from somebody else: links that lead out of the store or in circles, names that mean more than they say."""

import os

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import doctor
from tutorial_zarr.errors import NodeNameError, StoreError
from tutorial_zarr.stores import LocalStore
from tutorial_zarr.stores.local import check_windows_key


@pytest.fixture
def place(tmp_path):
    """A folder with a store, and secrets beside it."""
    a = zarr.create_array(str(tmp_path / "store"), name="x", shape=(4,), chunks=(2,), dtype="u1", compressors=None)
    a[...] = 7
    (tmp_path / "secret").write_bytes(b"42")
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "0").write_bytes(b"42")
    return tmp_path


def link(path, target):
    """A symbolic link; skips where the system allows none."""
    try:
        os.symlink(target, path, target_is_directory=os.path.isdir(target))
    except (OSError, NotImplementedError) as error:
        pytest.skip(f"this system makes no links: {error}")


def chunks_led_out(place):
    """The folder of the chunks becomes a link to a private one."""
    chunks = place / "store" / "x" / "c"
    for file in chunks.iterdir():
        file.unlink()
    chunks.rmdir()
    link(chunks, place / "private")


def test_a_chunk_that_is_a_link_out_of_the_store_is_not_read(place):
    chunk = place / "store" / "x" / "c" / "0"
    chunk.unlink()
    link(chunk, place / "secret")
    a = zarr.open_array(str(place / "store"), mode="r", path="x")
    for read in (
        lambda: a[...],
        lambda: a[0],
        lambda: a.encoded_chunk((0,)),
        lambda: a.store.get_ranges("x/c/0", [(0, 1)]),
    ):
        with pytest.raises(
            StoreError, match=r"key 'x/c/0': expected a place within .*found a link that leads to .*secret"
        ):
            read()
    trusted = zarr.open_array(str(place / "store"), mode="r", path="x", storage_options={"follow_links": True})
    assert trusted[...].tolist() == [*b"42", 7, 7]


def test_a_link_to_nothing_is_an_absent_chunk_wherever_it_would_lead(place):
    chunk = place / "store" / "x" / "c" / "0"
    chunk.unlink()
    link(chunk, place / "pruned")
    a = zarr.open_array(str(place / "store"), mode="r", path="x")
    assert a[...].tolist() == [0, 0, 7, 7]
    assert a.encoded_chunk((0,)) is None


def test_a_folder_that_is_a_link_out_of_the_store_is_neither_read_nor_listed_nor_written(place):
    chunks_led_out(place)
    store = LocalStore(place / "store")
    for attempt in (
        lambda: store.get("x/c/0"),
        lambda: store.set("x/c/0", b"!!"),
        lambda: store.delete("x/c/0"),
        lambda: list(store.list_prefix("x")),
        lambda: list(store.list_dir("x/c")),
        lambda: zarr.open_array(store, path="x").__setitem__(0, 1),
    ):
        with pytest.raises(StoreError, match=r"found a link that leads to .*private"):
            attempt()
    assert (place / "private" / "0").read_bytes() == b"42"
    assert sorted(file.name for file in (place / "private").iterdir()) == ["0"]


def test_deleting_takes_the_link_and_leaves_what_it_leads_to(place):
    chunks_led_out(place)
    LocalStore(place / "store").delete_prefix("x/c")
    assert not (place / "store" / "x" / "c").exists()
    assert (place / "private" / "0").read_bytes() == b"42"


def test_the_doctor_names_a_link_that_leads_out(place):
    chunks_led_out(place)
    [fault] = doctor.examine(str(place / "store" / "x")).faults
    assert (fault.rule, fault.severity) == ("unreadable", "error")
    assert "private" in fault.problem


def test_a_link_within_the_store_is_followed(place):
    link(place / "store" / "same", place / "store" / "x")
    assert np.asarray(zarr.open_array(str(place / "store"), mode="r", path="same")).tolist() == [7] * 4
    assert len(list(LocalStore(place / "store").list_prefix("same"))) == 3


def test_the_folder_of_a_store_may_itself_be_a_link(place):
    link(place / "elsewhere", place / "store")
    assert zarr.open_array(str(place / "elsewhere"), mode="r", path="x")[...].tolist() == [7] * 4


def test_links_that_lead_in_circles_end(place):
    store = place / "store"
    for name in ("loop", "again"):
        link(store / name, store)
        link(store / "x" / name, store)
    link(store / "self", store / "self")
    with pytest.raises(StoreError, match=r"found links that lead in a circle"):
        list(LocalStore(store).list_prefix())
    with pytest.raises(StoreError, match=r"key 'self'"):
        LocalStore(store).get("self")
    assert not doctor.examine(str(store)).ok


def test_links_that_multiply_end(place):
    store = place / "store"
    for level in range(12):
        folder = store / f"level{level}"
        folder.mkdir()
        for name in "ab":
            link(folder / name, store / f"level{level + 1}")
    with pytest.raises(StoreError, match=r"or more than 8 of them on the way"):
        list(LocalStore(store).list_prefix("level0"))


@pytest.mark.parametrize(
    "key", ["nul", "a/CON", "a/con.txt/b", "Lpt1", "com9.json", "c:", "a/c:d", "a./b", "a ", "aux .x"]
)
def test_a_name_that_windows_takes_for_more_is_refused_there(key):
    with pytest.raises(NodeNameError, match=r"which Windows takes for a drive, a device or another name"):
        check_windows_key(key)


@pytest.mark.parametrize("key", ["c/0/1", "zarr.json", ".zarray", "console/null.txt", "a b/c.d", "com/10"])
def test_a_plain_name_is_allowed_on_windows_too(key):
    check_windows_key(key)
