"""What common readers misread: the table against the readers themselves, the rules against both, and the cures."""

import base64
import itertools
import json
import runpy
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.cli import main
from tutorial_zarr.interop.lint import READERS
from tutorial_zarr.tools import doctor
from tutorial_zarr.tools.doctor import misread
from tutorial_zarr.tools.doctor.misread import FAULTS, RULES, misreadings

SMALL = runpy.run_path(str(Path(__file__).with_name("misread_stores.py")))
STORES, see, spread, a2, a3 = (SMALL[name] for name in ("STORES", "see", "spread", "a2", "a3"))
EACH = [(rule, n) for rule, stores in STORES.items() for n in range(len(stores))]
RAW = ("zarr-python", "zarrs", "tensorstore")  # they give what is stored: numbers before masks and scales
NO_ZARR_3 = ("netcdf-c",)
# Rule -> who lacks what it needs, whatever else is so: the type, the filter. (And arrays without axes, as `crs` is.)
LACKS = {
    "char-S1": ("gdal", "tensorstore"),
    "letters-joined": ("gdal", "tensorstore"),
    "shuffle-elementsize-0": ("tensorstore",),
    "missing-as-a-word": ("gdal", "netcdf-c", "tensorstore"),
}
# Another rule that fires as well, and rightly: GDAL does not know the attribute, however it is spelled.
ALSO = {("fillvalue-attribute-spelling", 0): "missing-shown-as-numbers"}


@pytest.fixture(scope="module")
def readers():
    found = SMALL["installed"]()
    if not found:
        pytest.skip("no other reader is installed")
    return found


def format_of(store):
    return 2 if any(key.endswith(".zarray") for key in store) else 3


def test_every_rule_has_evidence_a_smallest_store_and_a_reader_that_the_lint_asks():
    assert set(RULES) == set(STORES) == set(misread._RULES)
    assert set(FAULTS) <= set(RULES)
    assert set(misread.KNOWN) <= set(READERS)
    for rule, row in RULES.items():
        assert row["seen"], rule
        formats = {format_of(store) for store, _, _ in STORES[rule]}
        assert {n for seen in row["seen"] for n in seen["formats"]} == formats, rule
        for seen in row["seen"]:
            assert (seen["outcome"] == "silent") == bool(seen["examples"]), rule


@pytest.mark.parametrize(("rule", "n"), EACH)
def test_a_rule_fires_on_its_smallest_store_and_no_other_does(rule, n):
    store, name, _ = STORES[rule][n]
    found = list(misreadings(dict(store)))
    assert {one.rule for one in found} == {rule, ALSO.get((rule, n), rule)}
    one = next(one for one in found if one.rule == rule)
    assert one.array == name
    expected = {seen["reader"] for seen in RULES[rule]["seen"] if format_of(store) in seen["formats"]}
    assert {seen.reader for seen in one.seen} == expected
    assert one.cure in str(one)


@pytest.mark.parametrize(("rule", "n"), EACH)
def test_the_table_says_of_each_reader_what_it_does(rule, n, tmp_path, readers):
    """In the versions that are installed: a release that reads otherwise is a change of the table."""
    store, name, written = STORES[rule][n]
    spread(store, tmp_path)
    for reader in readers:
        if (reader in RAW and RULES[rule]["decoded"]) or (reader in NO_ZARR_3 and format_of(store) == 3):
            continue
        if (rule in LACKS and reader in LACKS[rule]) or (name == "crs" and reader in ("gdal", "netcdf-c")):
            continue  # which the matrix tells
        rows = [
            seen for seen in RULES[rule]["seen"] if seen["reader"] == reader and format_of(store) in seen["formats"]
        ]
        outcome, values = see(reader, tmp_path, name, written)
        told = [seen for seen in rows if seen["outcome"] == "refused" or str(n) in seen["examples"]]
        assert outcome == (told[0]["outcome"] if told else "equal"), (reader, values)
        if outcome == "silent":
            assert values == told[0]["examples"][str(n)]


@pytest.mark.parametrize(("rule", "n"), [(r, n) for r, n in EACH if r not in ("letters-joined", "valid-range")])
def test_what_the_fix_leaves_is_read_right(rule, n, tmp_path, readers):
    store, name, written = STORES[rule][n]
    spread(store, tmp_path)
    for one in (found := list(misreadings(tmp_path))):
        before = {key: (tmp_path / key).read_bytes() for key in store}
        misread.fix(tmp_path, one, measured=True, dry_run=True)
        assert before == {key: (tmp_path / key).read_bytes() for key in store}
        misread.fix(tmp_path, one, measured=True)
    fixable = all(one.fix for one in found)
    left = {one.rule for one in misreadings(tmp_path)} - {"letters-joined"}  # what >S1 was beside its byte order
    assert left == (set() if fixable else {one.rule for one in found if not one.fix})
    for reader in readers if fixable else ():
        if reader in {seen.reader for one in found for seen in one.seen} and rule != "char-S1":
            assert see(reader, tmp_path, name, written)[0] == "equal", reader
    if rule == "char-S1":
        assert zarr.open_group(tmp_path, mode="r")["v"][:].tolist() == written
        for reader in {"zarr-python", "xarray"} & set(readers):
            assert see(reader, tmp_path, name, written)[0] != "refused"


NUMBERS = {
    "|u1": [1, 0, 3],
    "<i2": [-1, 0, 3],
    "<i8": [7, 2, 3],
    "<f4": [0.5, 0, 2],
    "<f8": [0.5, 1, 2],
    "|b1": [1, 0, 1],
}
NAMES = {"|u1": "uint8", "<i2": "int16", "<i8": "int64", "<f4": "float32", "<f8": "float64", "|b1": "bool"}


def corpus():
    """Arrays with each fill value and each attribute that people give them, of which many are read right by all."""
    for (dtype, values), fill, given in itertools.product(NUMBERS.items(), (0, 3, None, "NaN"), (None, 3, -9999)):
        if fill == "NaN" and dtype[1] != "f":
            continue
        if dtype == "|b1" and (fill == 3 or given is not None):
            continue
        if given == -9999 and dtype == "|u1":
            continue
        fill = bool(fill) if dtype == "|b1" and fill is not None else fill
        meant = [None if given is not None and value == given else value for value in values]
        meant = [bool(value) for value in values] if dtype == "|b1" else meant
        yield a2(dtype, values, fill=fill, attrs={} if given is None else {"_FillValue": given}), meant
        if fill is not None:
            is_float = given is not None and dtype[1] == "f"
            spelled = base64.b64encode(np.array(given, "<f8").tobytes()).decode() if is_float else given
            attrs = {} if given is None else {"_FillValue": spelled}
            yield a3(NAMES[dtype], dtype, values, fill=fill, attrs=attrs), meant


def test_the_lint_agrees_with_every_reader_on_every_store_of_a_corpus(tmp_path, readers):
    """A silent difference is named with this reader, and where there is none nothing is said of it."""
    counts = {"right": 0, "silent": 0}
    for n, (store, meant) in enumerate(corpus()):
        spread(store, tmp_path / str(n))
        found = {seen.reader for one in misreadings(dict(store)) for seen in one.seen}
        for reader in readers:
            if reader in RAW or (reader in NO_ZARR_3 and format_of(store) == 3):
                continue
            outcome, values = see(reader, tmp_path / str(n), "v", meant)
            if outcome == "refused":
                continue
            chosen = json.loads(store.get("v/zarr.json") or store["v/.zarray"])["fill_value"] == 3
            if chosen and None not in meant:
                continue  # a fill value other than zero somebody chose: only he knows whether for what is missing
            assert (reader in found) == (outcome == "silent"), (reader, sorted(store), meant, values)
            counts["silent" if outcome == "silent" else "right"] += 1
    assert counts["right"] > 20
    assert counts["silent"] > 5


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_zarr_python_and_xarray_write_by_default_is_read_right_but_for_the_first_time_step(zarr_format, tmp_path):
    for package in ("zarr", "xarray", "pandas"):
        pytest.importorskip(package)
    import pandas
    import xarray
    import zarr as other

    root = other.open_group(tmp_path / "a", mode="w", zarr_format=zarr_format)
    for dtype in ("uint8", "int16", "int32", "int64", "float32", "float64"):
        root.create_array(dtype, data=np.arange(1, 13, dtype=dtype).reshape(3, 4), chunks=(2, 2))
    times = pandas.date_range("2020-01-02", periods=4, freq="D")
    data = xarray.Dataset(
        {
            "t2m": (("time", "x"), np.array([[1.5, np.nan]] * 4, "float32")),
            "count": (("time", "x"), np.arange(1, 9).reshape(4, 2)),
            "name": ("x", np.array(["a", "bcd"])),
        },
        coords={"time": times, "x": [10, 20]},
    )
    with warnings.catch_warnings(action="ignore"):
        data.to_zarr(tmp_path / "b", zarr_format=zarr_format)
    found = [(one.rule, one.array) for place in "ab" for one in misreadings(tmp_path / place)]
    # xarray counts days from the first one, so that the first is a 0, which GDAL takes for nodata in Zarr 3.
    assert found == ([("fill-value-becomes-missing", "time")] if zarr_format == 3 else [])


def test_elements_are_judged_as_far_as_they_were_looked_at(tmp_path, monkeypatch):
    a = zarr.create_array(tmp_path, shape=(1000,), chunks=(2,), dtype="i4", compressors=None)
    a[:] = np.arange(1, 1001)
    assert list(misreadings(tmp_path)) == []
    a[4] = 0
    monkeypatch.setattr(misread, "LOOKED_AT", 500)
    assert [one.rule for one in misreadings(tmp_path)] == ["fill-value-becomes-missing"]
    monkeypatch.setattr(misread, "LOOKED_AT", 5)  # chunks 0, 100, 200 ...: the zero is in none of them
    assert list(misreadings(tmp_path)) == []
    monkeypatch.undo()
    monkeypatch.setattr(misread, "MOST_BYTES", 4)
    assert list(misreadings(tmp_path)) == []


def test_an_absent_inner_chunk_is_no_element_and_a_stored_one_is(tmp_path):
    a = zarr.create_array(tmp_path, shape=(8,), chunks=(2,), shards=(8,), dtype="u1", compressors=None)
    a[0:2] = 1
    assert list(misreadings(tmp_path)) == []
    a[2] = 1
    assert [one.rule for one in misreadings(tmp_path)] == ["fill-value-becomes-missing"]  # a[3] is stored now


def test_a_fix_that_would_change_absent_chunks_or_what_is_meant_is_left(tmp_path):
    options = {"zarr_format": 2, "attributes": {"_ARRAY_DIMENSIONS": ["x"], "_FillValue": -1}}
    a = zarr.create_array(tmp_path, shape=(6,), chunks=(2,), dtype="i2", compressors=None, **options)
    a[0:2] = -1, 5
    before = (tmp_path / ".zarray").read_bytes()
    (one,) = misreadings(tmp_path)
    assert misread.fix(tmp_path, one) == ".zarray: left: 2 chunks are absent, and would read as another value"
    a[:] = [-1, 5, 0, 4, 3, 2]
    zero, other = sorted(misreadings(tmp_path), key=lambda one: one.rule)
    assert "left: only who wrote these elements knows" in misread.fix(tmp_path, zero)
    assert (tmp_path / ".zarray").read_bytes() == before
    assert misread.fix(tmp_path, other) == ".zarray: fill_value: -1"
    assert list(misreadings(tmp_path)) == []
    assert zarr.open_array(tmp_path, mode="r")[:].tolist() == [-1, 5, 0, 4, 3, 2]


def test_a_fix_reaches_the_consolidated_metadata(tmp_path):
    spread(STORES["char-S1"][0][0], tmp_path)
    zarr.consolidate_metadata(tmp_path)
    (one,) = misreadings(tmp_path)
    misread.fix(tmp_path, one)
    told = json.loads((tmp_path / ".zmetadata").read_bytes())["metadata"]["v/.zarray"]["dtype"]
    assert told == "|S1"


@pytest.mark.parametrize("rule", FAULTS)
def test_the_doctor_names_what_documents_alone_tell(rule):
    store, name, _ = STORES[rule][0]
    report = doctor.examine(dict(store))
    (fault,) = [fault for fault in report.faults if fault.rule == "misread"]
    seen = RULES[rule]["seen"][0]
    assert fault.node == name
    assert f"{seen['reader']} {seen['version']} {seen['sees']}" in fault.problem
    assert RULES[rule]["cure"] in fault.repair


def test_the_doctor_says_nothing_of_what_only_elements_tell():
    for rule in set(RULES) - set(FAULTS):
        for store, _, _ in STORES[rule]:
            assert "misread" not in doctor.examine(dict(store)).counts


def test_the_command_shows_fixes_and_tells(tmp_path, capsys):
    spread(STORES["missing-shown-as-numbers"][0][0], tmp_path)
    assert main(["lint", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "v  !! ok ok !! ok ok ok ok\n" in out
    assert "v: calls -1 missing in its attributes, and not in its fill value.\n" in out
    assert "    xarray 2026.9.0 takes the fill value for missing, and these elements for numbers\n" in out
    assert "--fix does it" in out
    assert main(["lint", str(tmp_path), "--for", "tensorstore"]) == 0  # it gives what is stored
    assert "calls -1" not in capsys.readouterr().out
    assert main(["lint", str(tmp_path), "--fix", "--dry-run"]) == 1
    assert capsys.readouterr().out.startswith("would fix: v/.zarray: fill_value: -1\n")
    assert main(["lint", str(tmp_path), "--fix", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["misread"] == []
    assert document["fixed"] == [{"array": "v", "what": "v/.zarray: fill_value: -1"}]
    assert main(["lint", str(tmp_path)]) == 0
    assert main(["lint", str(tmp_path), "--measured"]) == 2
    assert "--dry-run and --measured need --fix" in capsys.readouterr().err


def test_the_command_has_a_row_for_an_array_that_nobody_opens(tmp_path, capsys):
    spread(STORES["codecs-empty"][0][0], tmp_path)
    assert main(["lint", str(tmp_path)]) == 1
    assert "\nv  no no no no\n" in capsys.readouterr().out
    assert main(["lint", str(tmp_path), "--fix"]) == 0
    assert main(["lint", str(tmp_path)]) == 0
    assert zarr.open_array(tmp_path, path="v", mode="r")[:].tolist() == STORES["codecs-empty"][0][2]


# --- the survey of real writers: its silent cells, and what is said of the stores that it keeps

# Silent cells for which there is no rule, and why.
NO_RULE = {
    "letters-in-reverse": "the matrix has it: the type, with zarrita",
    "fortran-order-read-as-c": "the matrix has it: F order, with netCDF-C",
    "appended-in-other-units": "nothing in the store tells",
    "appended-numbers-wrap": "nothing in the store tells",
    "gap-becomes-a-number": "nothing in the store tells",
    "chunk-left-out-without-fill-value": "zeros that were left out look like chunks that nobody wrote",
    "consolidated-out-of-date": "the doctor has it: its rule about consolidated metadata",
    "missing-by-convention": "nothing in the store tells",
}
# Situations whose silent cells are not seen in the store as it lies there.
NOT_IN_THE_STORE = {
    ("xarray", "text-with-gap"): "an empty text instead of a missing one",
    ("zarr-python-2", "text-with-gap"): "an empty text instead of a missing one",
    ("hdf5", "kerchunk"): "references in Zarr 2, of which the store kept here is a copy",
}
INTEROP = Path(misread.__file__).parents[2] / "interop"


@pytest.fixture(scope="module")
def silent_cells():
    if not (INTEROP / "writers.json").exists():
        pytest.skip("this version comes without a survey of writers")
    return json.loads((INTEROP / "writers.json").read_text(encoding="utf-8"))["cells"]


def test_every_silent_cause_of_the_survey_has_a_rule_or_a_reason_and_no_rule_names_another(silent_cells):
    causes = {cell[7] for cell in silent_cells if cell[5] == "silent"}
    named = {cause for row in RULES.values() for cause in row["causes"]}
    assert causes == named | set(NO_RULE)
    assert not named & set(NO_RULE)


def test_of_what_real_writers_wrote_each_silent_reader_is_named_and_no_other(silent_cells, tmp_path):
    counts = {"named": 0, "read right": 0}
    for packed in sorted((Path(__file__).parent / "writers").glob("*.zip")):
        shutil.unpack_archive(packed, tmp_path / packed.stem)
        for place in sorted(p for p in (tmp_path / packed.stem).iterdir() if p.is_dir()):
            found = {(seen.reader, one.array) for one in misreadings(place) for seen in one.seen}
            for writer, situation, node, reader, view, outcome, said, cause in silent_cells:
                if (writer, situation) != (packed.stem, place.name) or reader not in misread.KNOWN:
                    continue
                if (reader not in RAW and view == "raw") or cause in NO_RULE or (writer, situation) in NOT_IN_THE_STORE:
                    continue
                if outcome in ("silent", "equal"):
                    assert ((reader, node) in found) == (outcome == "silent"), (writer, situation, node, reader, said)
                    counts["named" if outcome == "silent" else "read right"] += 1
    assert counts["named"] >= 10
    assert counts["read right"] >= 50
