"""What real programs wrote, kept: this library reads it, and shows what was meant where the table says so."""

import json
import zipfile
from pathlib import Path

import pytest

from tutorial_zarr.errors import MetadataError
from tutorial_zarr.interop import ours, survey
from tutorial_zarr.interop.protocol.peer_protocol import meaning

FOLDER = Path(__file__).parent / "writers"
KEPT = {}
for archive in sorted(FOLDER.glob("*.zip")):
    with zipfile.ZipFile(archive) as opened:
        for name, arrays in json.loads(opened.read("meant.json"))["situations"].items():
            KEPT.update({(archive.stem, name, array["node"]): array for array in arrays})


@pytest.fixture
def store(request, tmp_path):
    writer, situation, _ = request.param
    with zipfile.ZipFile(FOLDER / f"{writer}.zip") as file:
        file.extractall(tmp_path)
    return request.param, tmp_path / situation


def outcome_in_table(key, view):
    found = {c.outcome for c in survey.cells_of(survey.stored_table())
             if (c.writer, c.situation, c.node, c.reader, c.view) == (*key, "tutorial-zarr", view)}  # fmt: skip
    return found.pop() if found else None


def test_ten_writers_are_kept():
    assert len({writer for writer, *_ in KEPT}) >= 10
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 250_000


@pytest.mark.parametrize("store", KEPT, indirect=True, ids="/".join)
def test_what_is_stored_is_read(store):
    key, path = store
    raw, expected = KEPT[key]["raw"], outcome_in_table(key, "raw")
    if expected == "refused":
        with pytest.raises(MetadataError, match="expected"):
            ours.open_array(path, key[2])
        return
    found = meaning(ours.open_array(path, key[2])[...])
    assert expected == (raw and survey.judge(raw, found)[0])


@pytest.mark.parametrize("store", KEPT, indirect=True, ids="/".join)
def test_the_engine_shows_what_was_meant_where_the_table_says_so(store):
    xr = pytest.importorskip("xarray", reason="xarray is not installed")
    key, path = store
    expected = outcome_in_table(key, "decoded")
    if expected not in ("equal", "silent"):
        pytest.skip("arrays without names of their axes are none for xarray")
    parent, _, name = key[2].rpartition("/")
    with xr.open_dataset(str(path / parent), engine="tutorial_zarr") as dataset:
        found = meaning(dataset[name].values)
    assert survey.judge(KEPT[key]["meant"], found)[0] == expected
