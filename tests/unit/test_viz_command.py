"""`tutorial-zarr anatomy`, called as a shell would call it."""

import json

import numpy as np
import pytest

import tutorial_zarr as zarr

pytest.importorskip("click", reason="the command line needs click")
pytest.importorskip("rich", reason="the command line needs rich")


@pytest.fixture
def stores(tmp_path):
    """The same array in both formats."""
    for name, zarr_format in (("two", 2), ("three", 3)):
        a = zarr.create_array(
            tmp_path / name, shape=(4, 4), chunks=(2, 2), dtype="u1", zarr_format=zarr_format, compressors="gzip"
        )
        a[:2] = np.arange(8).reshape(2, 4)
    return tmp_path


def run(capsys, *arguments):
    from tutorial_zarr import cli

    code = cli.main(["anatomy", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_the_keys_of_two_arrays_are_listed(stores, capsys):
    code, out, err = run(capsys, stores / "two", stores / "three")
    assert (code, err) == (0, "")
    for expected in (".zarray", "zarr.json", "0.1", "c/0/1", "2 absent chunks, read as 0"):
        assert expected in out


def test_the_bytes_of_a_chunk_are_taken_apart(stores, capsys):
    code, out, _ = run(capsys, stores / "three", "--chunk", "0,1")
    assert code == 0
    assert "1f 8b" in out
    assert "element (1, 1): 7" in out


def test_json_has_every_key_and_every_part(stores, capsys):
    code, out, err = run(capsys, stores / "three", "--chunk", "0,0", "--json")
    assert (code, err) == (0, "")
    (array,) = json.loads(out)["arrays"]
    sizes = {key["key"]: key["bytes"] for key in array["keys"]}
    files = [file for file in (stores / "three").rglob("*") if file.is_file()]
    assert sizes == {file.relative_to(stores / "three").as_posix(): file.stat().st_size for file in files}
    stored, inside = array["chunk"]["layers"]
    assert stored["parts"][0] == {"start": 0, "stop": 2, "kind": "head", "name": "signature", "meaning": "gzip"}
    assert inside["bytes"] == 4


def test_a_page_is_written(stores, capsys):
    file = stores / "page.html"
    code, _, _ = run(capsys, stores / "two", "--html", file)
    assert code == 0
    html = file.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert ".zarray" in html


def test_a_group_and_wrong_coordinates_are_refused_with_a_sentence(stores, capsys):
    zarr.create_group(stores / "g").create_array("air", shape=(1,), dtype="u1")
    code, _, err = run(capsys, stores / "g")
    assert code == 1
    assert "expected an array, found a group that holds air" in err
    code, _, err = run(capsys, stores / "two", "--chunk", "0,x")
    assert code == 2
    assert "expected whole numbers with commas between them, found '0,x'" in err
    code, _, err = run(capsys, stores / "two", "--chunk", "9,9")
    assert code == 1
    assert "expected chunk coordinates below (2, 2), found (9, 9)" in err
