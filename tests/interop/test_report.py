"""The report, the lint, the kit and the check of one's own store: each made of a run, and each seen to tell."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.cli import main
from tutorial_zarr.cli.interop import in_words
from tutorial_zarr.errors import SelectionError, StoreError
from tutorial_zarr.interop import environments, report
from tutorial_zarr.interop.cases import all_cases, select
from tutorial_zarr.interop.changes import change_of, words
from tutorial_zarr.interop.environments import OURS, find_peers
from tutorial_zarr.interop.kit import write_kit
from tutorial_zarr.interop.lint import READERS, Matrix, default_readers, lint, lint_elements, stored_matrix
from tutorial_zarr.interop.matrix import Run
from tutorial_zarr.interop.outcomes import MARKS
from tutorial_zarr.interop.verify import Verdict, verify

pytestmark = pytest.mark.interop

# A reader that turns one element over, where the elements are wider than a byte.
LIAR = """
import numpy as np
import tutorial_zarr as zarr
from peer_protocol import Opened, Peer, serve

class Liar(Peer):
    name = "liar"
    def versions(self): return {"liar": "1"}
    def capabilities(self): return ["*"]
    def open(self, path, node, consolidated):
        array = zarr.open_array(path, mode="r", path=node)
        def read(region):
            found = np.array(array[region])
            if found.dtype == "int16" and region[0].stop > 3: found[3 - region[0].start, -1] += 1
            if found.dtype == "float32": raise ValueError("no floats")
            return found
        return Opened(array.shape, read, dict(array.attrs))

serve(Liar())
"""


@pytest.fixture
def peers(tmp_path):
    folder = tmp_path / "peers"
    folder.mkdir()
    (folder / "liar.py").write_text(LIAR)
    return find_peers(folder) | {OURS: find_peers()[OURS]}


def test_the_report_counts_explains_and_attaches_a_store(peers, tmp_path):
    cases = select(["v3/int16/edge/gzip", "v3/int16/edge/zstd", "v3/uint8/edge/gzip"])
    Run(tmp_path / "run", cases, peers, here=True, jobs=1)(writers=[OURS], readers=["liar", OURS])
    data = report.write(tmp_path / "run")
    counts = {(writer, reader): dict(found) for writer, reader, found in report.counts(data)}
    assert counts[OURS, "liar"] == {"wrong": 2, "equal": 1}
    assert counts[OURS, OURS] == {"equal": 3}
    folder = tmp_path / "run" / "report"
    assert json.loads((folder / "matrix.json").read_text(encoding="utf-8")) == json.loads(json.dumps(data))
    text = (folder / "matrix.md").read_text(encoding="utf-8")
    assert "| tutorial-zarr | liar | 1 |" in text
    assert r"not yet looked into: element \[3, 6\]: expected the bytes 0100, found 0200" in text
    places = sorted(folder.glob("defects/*"))
    assert len(places) == 2  # nobody looked into them, so each is shown
    cell = json.loads((places[0] / "cell.json").read_text(encoding="utf-8"))
    assert cell["outcome"] == "wrong"
    array = zarr.open_array(places[0] / "store.zarr", mode="r")
    assert array[...].astype("<i2").tobytes().hex() == cell["expected"]["bytes"]
    page = (folder / "matrix.html").read_text(encoding="utf-8")
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(embedded[1])["cells"] == data["cells"]
    assert re.findall(r'(?:src|href)="(?!#)', page) == []  # nothing is fetched
    assert str(tmp_path) not in page


def test_a_report_of_a_folder_without_a_run_is_refused(tmp_path, capsys):
    with pytest.raises(StoreError, match=r"expected the folder of a run, found no run\.json in it; try: interop run"):
        report.collect(tmp_path)
    assert main(["interop", "report", str(tmp_path)]) == 1
    assert "found no run.json" in capsys.readouterr().err


# --- the kit


def test_the_kit_is_the_same_bytes_each_time_and_reads_as_its_manifest_says(tmp_path):
    cases = select(["v?/int32/*/gzip", "v3/struct/edge/*", "v2/string/edge/*", "v?/groups/*"])
    contents = []
    for name in ("first", "second"):
        assert write_kit(tmp_path / name, cases) == len(cases)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        contents.append({p.relative_to(tmp_path / name).as_posix(): p.read_bytes() for p in files})
    assert contents[0] == contents[1]
    manifest = json.loads(contents[0]["manifest.json"])
    assert [entry["id"] for entry in manifest["cases"]] == list(cases)
    entry = next(e for e in manifest["cases"] if e["id"] == "v3/int32/edge/gzip")
    found = zarr.open_array(tmp_path / "first" / "stores" / entry["id"], mode="r")[...]
    assert found.astype("<i4").tobytes() == contents[0][f"expected/{entry['id']}.bin"]
    assert sorted(entry["files"])[-1] == "zarr.json"
    assert write_kit(tmp_path / "first", select(["v3/int8/edge/gzip"])) == 1  # over an older kit, nothing of it stays
    assert len(list((tmp_path / "first").rglob("zarr.json"))) == 1


def test_a_kit_does_not_go_over_files_of_others(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="expected an empty folder or a kit, found other files"):
        write_kit(tmp_path, select(["v3/int8/edge/gzip"]))
    assert (tmp_path / "thesis.txt").read_text() == "mine"


# --- the lint


def test_the_stored_matrix_is_of_cases_that_there_are_and_names_no_folder():
    data = stored_matrix().data
    assert len(data["cases"]) == len(all_cases())
    assert [sorted(case.elements) for case in all_cases().values()] == [
        sorted(data["elements"][n] for n in case) for case in data["cases"]
    ]
    assert {len(row) for row in data["marks"].values()} == {len(data["cases"])}
    assert set("".join(data["marks"].values())) <= set(MARKS.values())
    assert not re.search(r"/(root|home|tmp|work|Users)/", json.dumps(data))


def toy(**marks):
    """A matrix of four cases for readers with these marks."""
    elements = ["format:3", "codec:gzip", "codec:zstd", "type:int8", "type:float16", "type:float32", "layout:sharded"]
    cases = [[0, 1, 3], [0, 2, 3], [0, 1, 4], [0, 1, 5], [0, 2, 5], [0, 1, 3, 6], [0, 2, 3, 6]]
    said = {name: {"1": 0} for name in marks}
    data = {
        "date": "",
        "peers": {},
        "elements": elements,
        "cases": cases,
        "empty": [],
        "marks": marks,
        "sentences": ["no zstd"],
    }
    return Matrix({**data, "said": said})


@pytest.mark.parametrize(
    ("marks", "elements", "expected"),
    [
        ("=======", ["format:3", "codec:zstd", "type:int8"], []),
        ("=-=-===", ["format:3", "codec:gzip", "type:int8"], []),
        ("=-==--=", ["format:3", "codec:gzip", "type:int8"], []),
        (
            "=-==-=-",
            ["format:3", "codec:zstd", "type:int8"],
            [(("codec:zstd",), "unsupported", "the codec gzip instead of the codec zstd")],
        ),
        (
            "==X====",
            ["format:3", "codec:gzip", "type:float16"],
            [(("type:float16",), "wrong", "the type float32 instead of the type float16")],
        ),
        (
            "=====--",
            ["format:3", "codec:gzip", "type:int8", "layout:sharded"],
            [(("layout:sharded",), "unsupported", "chunks without shards")],
        ),
        (
            "======-",
            ["format:3", "codec:zstd", "type:int8", "layout:sharded"],
            [(("codec:zstd", "layout:sharded"), "unsupported", "the codec gzip instead of the codec zstd")],
        ),
        ("=======", ["format:3", "codec:lzo", "type:int8"], [(("codec:lzo",), "untested", "")]),
    ],
)
def test_the_lint_blames_an_element_or_a_pair_and_names_the_nearest_change(marks, elements, expected):
    found = lint_elements(elements, ["a"], matrix=toy(a=marks))
    assert [(f.elements, f.outcome, f.change) for f in found] == expected


def test_the_lint_of_a_store_names_array_reader_and_reason(tmp_path, capsys):
    root = zarr.create_group(tmp_path / "my store.zarr")
    root.create_array("plain", shape=(4, 6), chunks=(2, 3), dtype="int32", compressors={"name": "zstd"})
    root.create_array("sharded", shape=(4, 6), chunks=(2, 3), shards=(4, 6), dtype="int32")
    findings = list(lint(tmp_path / "my store.zarr", ["gdal", "tensorstore"]))
    assert {(f.array, f.reader) for f in findings if f.outcome != "untested"} == {("sharded", "gdal")}
    assert main(["lint", str(tmp_path / "my store.zarr"), "--for", "gdal,tensorstore"]) == 1
    out = capsys.readouterr().out
    assert "\nplain    ok ok\nsharded  no ok\n" in out
    assert "Shards: gdal does not read it. In sharded.\n    try: chunks without shards\n" in out
    assert main(["lint", str(tmp_path / "my store.zarr"), "--for", "zarr-python"]) == 0
    assert main(["lint", str(tmp_path / "my store.zarr"), "--for", "gdal", "--json"]) == 1
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["findings"][0]["elements"] == ["layout:sharded"]
    with pytest.raises(SelectionError, match=r"readers: expected some of .*, found excel"):
        list(lint(tmp_path / "my store.zarr", ["excel"]))


def test_what_plain_create_array_makes_passes_the_readers_that_people_use_for_its_format(tmp_path, capsys):
    for zarr_format, others in ((2, "icechunk"), (3, "netcdf-c")):
        root = zarr.create_group(tmp_path / f"v{zarr_format}.zarr", zarr_format=zarr_format)
        for dtype in ("i1", "u2", "i4", "i8", "f4", "f8"):
            root.create_array(dtype, shape=(40, 60), chunks=(20, 20), dtype=dtype, attributes={"units": "m"})
        path = str(tmp_path / f"v{zarr_format}.zarr")
        assert main(["lint", path]) == 0
        heads = [line.split()[-2] for line in capsys.readouterr().out.splitlines()[: len(default_readers(zarr_format))]]
        assert heads == default_readers(zarr_format)
        assert all(stored_matrix().reads(name, [f"format:{zarr_format}"]) for name in heads)
        assert main(["lint", path, "--for", others]) == 1  # who reads nothing of this format is told once
        out = capsys.readouterr().out
        assert out.count(f"Zarr {zarr_format}: {others} does not read it. In all 6 arrays.") == 1
        assert out.count("try:") == 1
    assert "which read no Zarr 3." in (main(["lint", path]), capsys.readouterr().out)[1]
    assert set(READERS) <= set(stored_matrix().marks)


def test_a_cause_that_many_arrays_share_is_told_once_and_no_line_is_too_long(tmp_path, capsys):
    root = zarr.create_group(tmp_path / "a.zarr", zarr_format=2)
    for n in range(30):
        root.create_array(f"layers/numbers/{n:02}", shape=(4,), dtype="f4")
    for n in range(4):
        root.create_array(f"obs/words{n}", shape=(4,), dtype=str)
    root.create_array(f"zoo/{'long' * 20}", shape=(4,), dtype=str)
    assert main(["lint", str(tmp_path / "a.zarr")]) == 1
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if line.startswith("The type string: ")]
    assert len(said) == 1
    assert "gdal, netcdf-c, tensorstore and zarrs do not read it. In obs/words0, obs/words1, " in said[0]
    assert not [line for line in lines if "vlen" in line or "filters" in line]  # they come with the type
    table = lines[: lines.index("")]
    assert max(map(len, table)) <= 91  # the long name, on a line of its own
    assert max(len(line) for line in table if "longlong" not in line) <= 80
    assert table[-1].split() == ["and", "30", "arrays", "more", *["ok"] * 8]
    assert main(["lint", str(tmp_path / "a.zarr"), "--json"]) == 1
    assert {f["array"] for f in json.loads(capsys.readouterr().out)["findings"]} == {
        *(f"obs/words{n}" for n in range(4)),
        f"zoo/{'long' * 20}",
    }


def test_nothing_raw_is_said_of_any_case_and_every_change_is_one():
    """No text of an exception, no folder, and always something that can be written instead."""
    matrix = stored_matrix()
    raw = re.compile(r"Error|Exception|errno|[%{}]r?\b|\\|/(root|home|tmp|store)|nothing|smaller change", re.IGNORECASE)
    for element in matrix.data["elements"]:
        assert not raw.search(f"{words(element)}; {change_of((element,))}".replace("# ? %", "")), element
    for n, case in enumerate(dict.fromkeys(matrix.cases)):
        if n % 5 == 0:
            for finding in lint_elements(case, [*matrix.marks][n % 12 :][:4], "a", matrix):
                assert not raw.search(str(finding).replace("# ? %", "")), finding
                assert bool(finding.change) == (finding.outcome != "untested")
    assert not raw.search(json.dumps(matrix.data["sentences"]).replace('\\"', "").translate({123: "", 125: ""}))


def test_the_lint_of_a_group_without_arrays_is_a_sentence(tmp_path, capsys):
    zarr.create_group(tmp_path / "empty.zarr")
    assert main(["lint", str(tmp_path / "empty.zarr")]) == 1
    assert "expected an array, found a group without any" in capsys.readouterr().err


def test_the_lint_agrees_with_the_matrix_on_every_case():
    """A case that a reader read equal has nothing to blame; one that it did not has."""
    matrix = stored_matrix()
    for reader in ("zarr-python", "gdal"):
        for n, case in enumerate(list(matrix.cases)[::7]):
            mark = matrix.marks[reader][n * 7]
            if mark in "=~":
                assert not [f for f in lint_elements(case, [reader], matrix=matrix) if f.outcome != "untested"]


# --- one's own store


def test_verify_names_the_first_element_that_a_peer_reads_otherwise(peers, tmp_path, monkeypatch):
    monkeypatch.setattr("tutorial_zarr.interop.verify.SLAB_BYTES", 64)  # so that there are several slabs
    root = zarr.create_group(tmp_path / "größe.zarr")
    root.create_array("a", shape=(6, 7), chunks=(2, 3), dtype="int16")[...] = np.arange(42, dtype="int16").reshape(6, 7)
    root.create_array("b/c", shape=(3,), dtype="uint8")[...] = 1
    root.create_array("d", shape=(3,), dtype="float32")
    found = {v.array: (v.outcome, v.detail) for v in verify(tmp_path / "größe.zarr", peers, here=True)}
    assert found == {
        "a": ("wrong", "element [3, 6]: expected the bytes 1b00, found 1c00"),
        "b/c": ("equal", ""),
        "d": ("refused", "ValueError: no floats"),
    }


def test_verify_of_something_that_is_no_store_is_one_sentence(tmp_path, capsys):
    assert main(["interop", "verify", str(tmp_path / "nowhere"), "--here"]) == 1
    assert "expected a folder that holds a Zarr store, found none" in capsys.readouterr().err
    (tmp_path / "notes").mkdir()
    assert main(["interop", "verify", str(tmp_path / "notes"), "--here"]) == 1
    assert "found nothing" in capsys.readouterr().err


@pytest.fixture
def no_index(tmp_path, monkeypatch):
    """A cache of its own, and no package index; returns what was run to find that out."""
    monkeypatch.setenv("TUTORIAL_ZARR_CACHE", str(tmp_path / "cache"))
    run = []

    def refuse(command, what, *seconds, **options):
        run.append((what, command, seconds))
        raise environments.PeerAbsentError(f"{what}: no network")

    monkeypatch.setattr(environments, "_run", refuse)
    environments._network.cache_clear()
    yield run
    environments._network.cache_clear()


@pytest.fixture
def three(tmp_path):
    root = zarr.create_group(tmp_path / "three.zarr")
    for name in ("a", "b/c", "d"):
        root.create_array(name, shape=(6,), chunks=(2,), dtype="int16")[...] = 1
    return str(tmp_path / "three.zarr")


def test_verify_uses_what_is_installed_and_installs_nothing_unless_told_to(three, no_index, capsys):
    pytest.importorskip("zarr", reason="is the reader here")
    assert main(["interop", "verify", three, "--peers", "zarr-python,gdal"]) == 0
    out = capsys.readouterr().out
    assert no_index == [], "nothing was run but the readers"
    assert next(line.split() for line in out.splitlines() if line.startswith("b/c "))[1] == "ok"
    assert main(["interop", "verify", three, "--peers", "zarr-python", "--here"]) == 0
    assert main(["interop", "verify", three, "--here", "--install"]) == 1
    assert "--install and --here: expected one of them" in capsys.readouterr().err


def test_before_it_installs_it_says_what_how_much_and_where_and_asks_for_a_network_once(
    three, no_index, tmp_path, capsys
):
    assert main(["interop", "verify", three, "--peers", "gdal,z5py,netcdf-c", "--install"]) == 0
    printed = capsys.readouterr()
    told = printed.err.splitlines()[0]
    assert f"--install makes 3 environments in {tmp_path / 'cache'}: gdal, netcdf-c and z5py; about 480 MB" in told
    assert "'interop clear' deletes them" in told
    [(_, command, seconds)] = no_index
    assert seconds == (environments.NETWORK_SECONDS,), "it is not waited for any longer"
    assert "--retries" in command or command[0] == "uv"
    out = " ".join(printed.out.split())
    assert "Not here: gdal, netcdf-c and z5py." in out
    assert out.count("expected a package index that answers within 12 seconds, found none") == 3


def test_clear_deletes_environments_and_nothing_else(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TUTORIAL_ZARR_CACHE", str(tmp_path / "cache"))
    assert main(["interop", "clear"]) == 0
    assert "0 environments deleted" in capsys.readouterr().out
    made = find_peers()["gdal"].folder
    (made / "bin").mkdir(parents=True)
    (made / "bin" / "python").write_bytes(b"x" * 5000)
    (tmp_path / "cache" / "thesis").mkdir()
    assert main(["interop", "clear", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["deleted"], found["bytes"]) == ([made.name], 5000)
    assert [place.name for place in (tmp_path / "cache").iterdir()] == ["thesis"]


def test_the_grid_of_verify_has_a_row_for_each_array_and_says_each_reason_once():
    arrays = [f"group/array{n}" for n in range(5)]
    verdicts = [Verdict(a, p, "equal") for a in arrays for p in find_peers() if p != "gdal"]
    verdicts += [Verdict(a, "gdal", "refused", "no such \x1b[2J type") for a in arrays]
    verdicts += [Verdict("", "someone", "absent", "expected a network, found none")]
    lines = list(in_words(verdicts, arrays))
    grid = lines[: lines.index("")]
    assert [line.split()[0] for line in grid[-5:]] == arrays
    assert max(map(len, grid)) <= 80
    assert all(line.split()[-1] == "no" for line in grid[-5:])
    said = [line for line in lines if line.startswith("gdal, no")]
    assert said == [
        r"gdal, no, group/array0, group/array1, group/array2, group/array3 and group/array4: no such \x1b[2J type"
    ]
    assert "Not here: someone." in lines


def test_the_command_runs_a_matrix_and_says_it_as_json(tmp_path, capsys):
    folder = tmp_path / "a run"
    arguments = ["interop", "run", str(folder), "--peers", OURS, "--cases", "v3/int8/edge/*", "--here", "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    n = len(select(["v3/int8/edge/*"]))
    assert found["counts"] == {f"{OURS} -> disk": {"equal": n}, f"{OURS} -> {OURS}": {"equal": n}}
    assert main(["interop", "run", str(folder), "--peers", "nobody"]) == 1
    assert "peers: expected some of" in capsys.readouterr().err
    assert main(["interop", "kit", str(tmp_path / "kit"), "--cases", "v3/int8/edge/gzip"]) == 0
    assert (tmp_path / "kit" / "stores" / "v3" / "int8" / "edge" / "gzip" / "zarr.json").exists()


def test_every_peer_says_in_its_head_what_it_needs():
    for name, peer in find_peers().items():
        wanted = peer.requirements
        assert wanted.get("npm") or wanted.get("dependencies"), name
        assert Path(peer.path).read_text(encoding="utf-8").startswith(("# /// script\n", "// npm: {"))
