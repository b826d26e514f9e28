"""01_05 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The elements come from NumPy, what is stored is read by zarr-python and TensorStore, and what the record says is counted
in its file, by other means than the notebook's. Nothing here imports this project's library.
"""

import hashlib
import itertools
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from .readers import tensorstore, zarr_python

ROOT = Path(__file__).parents[2]
SOURCE = "notebooks/01_core_zarr/01_05_interop_zarr_python.ipynb"
pytestmark = pytest.mark.gallery

WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = ["float16", "float32", "float64", "complex64", "complex128"]
WAYS = list(itertools.product("<>", "CF", ["gzip", None]))


def elements(name):
    """The 77 elements of a type, from its definition."""
    if name == "bool":
        return np.array([i % 3 == 0 for i in range(77)]).reshape(7, 11)
    if name in WHOLE:
        bits, signed = int(name.strip("uint")), name[0] == "i"
        ends = [-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - signed) - 1, 0, 1, 100]
        return np.array([ends[i % 5] for i in range(77)], name).reshape(7, 11)
    info = np.finfo(name)
    ends = np.array([0.0, -0.0, 1.5, info.max, info.tiny, np.inf, -np.inf, np.nan], name)
    found = ends[np.arange(77) % 8].reshape(7, 11)
    if name.startswith("float"):
        bits = found.view(f"u{found.itemsize}")
        for place in itertools.product(range(3, 7), range(11)):
            if found[place] != found[place]:
                bits[place] += 1
    return found


def sha(values):
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    return hashlib.sha256(little.tobytes()).hexdigest()[:12]


@pytest.mark.parametrize("read", [zarr_python, tensorstore])
def test_every_way_of_writing_is_read_as_the_same_elements_by_others(left, read):
    out, facts, _ = left
    for name in ["bool", *WHOLE, *FLOATS]:
        expected = sha(elements(name))
        assert facts["digests"][name] == expected, name
        for n, way in enumerate(WAYS):
            assert sha(np.asarray(read(out / "ways" / f"{name}-{n}"))) == expected, (name, way)


def test_the_ways_differ_on_the_disk_where_a_byte_order_makes_a_difference(left):
    out, facts, _ = left
    documents = {".zarray", ".zattrs", "zarr.json"}
    for name in ["bool", *WHOLE, *FLOATS]:
        stored = set()
        for n in range(len(WAYS)):
            files = sorted(f for f in (out / "ways" / f"{name}-{n}").rglob("*") if f.is_file())
            stored.add(b"|".join(f.read_bytes() for f in files if f.name not in documents))
        assert facts["by_way"][name] == len(stored) == (8 if np.dtype(name).itemsize > 1 else 4), name
    assert facts["written"] == len(facts["by_way"]) * facts["ways"] == 14 * 8


def test_the_sentences_about_mistakes_are_about_the_elements_that_are_stored(left):
    pytest.importorskip("zarr")
    out, facts, _ = left
    assert len(facts["mistakes"]) == 4
    for key, sentence in facts["mistakes"].items():
        reader, case = key.split(" ")
        values = zarr_python(out / "mistakes" / case, "t")
        index, expected, found = re.fullmatch(
            r"element \[([\d, ]+)\]: expected the bytes (\w+), found (\w+)", sentence
        ).groups()
        place = tuple(map(int, index.split(", ")))
        here = values[place].astype(values.dtype.newbyteorder("<"))
        assert here.tobytes().hex() == expected, key
        wrong = np.frombuffer(bytes.fromhex(found), values.dtype.newbyteorder("<"))[0]
        if reader == "z5py":
            assert wrong == here.byteswap() == facts["smallest_swapped"]
            assert here == facts["smallest"]
        elif reader == "zarrita":
            assert [int(here), int(wrong)] == facts["fill"] == [2**53 + 1, round(float(2**53 + 1))]
        else:  # an element of the same chunk, from another place
            chunk = values[(slice(0, 2), slice(0, 3), slice(0, 4))[: values.ndim]]
            assert wrong in chunk
            assert wrong != here


def record():
    data = json.loads((ROOT / "tutorial_zarr/interop/matrix.json").read_text(encoding="utf-8"))
    cases = [{data["elements"][n] for n in case} for case in data["cases"]]
    return data, cases


def test_the_counts_are_those_of_the_record(left):
    facts = left[1]
    data, cases = record()
    others = Counter("".join(row for reader, row in data["marks"].items() if reader != "tutorial-zarr"))
    expected = {"equal": others["="] + others["~"], "refused": others["-"] + others["r"], "wrong": others["X"]}
    assert facts["outcomes"] == expected
    assert facts["asked"] == sum(expected.values()) == (len(data["marks"]) - 1) * len(cases)
    assert facts["record"] | {"shown": 0} == {
        "readers": len(data["marks"]),
        "arrays": len(cases),
        "others": len(data["marks"]) - 1,
        "shown": 0,
    }


def test_the_types_that_all_read_are_those_of_the_record(left):
    facts, zarr_format = left[1], left[2]
    data, cases = record()
    codec, category = ("codec:zstd", "codec:") if zarr_format == 3 else ("codec2:zstd", "codec2:")

    def marks(reader, *wanted):
        return [mark for mark, case in zip(data["marks"][reader], cases, strict=True) if set(wanted) <= case]

    able = [reader for reader in data["marks"] if set(marks(reader, f"format:{zarr_format}")) & set("=~")]
    assert facts["able"] == len(able)
    for name in ["bool", *WHOLE, *FLOATS]:
        wanted = (f"format:{zarr_format}", f"type:{name}", codec, "names:dimensions")
        read = all(set(marks(reader, *wanted)) & set("=~") for reader in able)
        assert (name in facts["portable"]) == (name in facts["read_by_all_names"]) == read, (name, category)
        assert (name in facts["refused"]) != read
    assert facts["portable"] == [*WHOLE, "float32", "float64"]
    assert facts["read_by_all"] == len(facts["portable"])
    assert "try: the type uint8 instead of the type bool" in facts["refused"]["bool"]


def test_asking_the_record_costs_no_chunk(left):
    facts = left[1]
    assert facts["read_requests"] == 9 + facts["lint_requests"]  # 3 by 3 chunks


def test_the_facts_of_this_run_are_the_ones_beside_the_notebook(left, committed):
    if left[2] == 3:
        assert left[1] == committed
    else:
        same = ("outcomes", "asked", "by_way", "digests", "mistakes", "portable", "written")
        assert {key: left[1][key] for key in same} == {key: committed[key] for key in same}
