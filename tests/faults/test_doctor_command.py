"""The command ``tutorial-zarr doctor``, called as a shell would call it."""

import json
import os

import pytest

import tutorial_zarr as zarr
from tutorial_zarr import cli


@pytest.fixture
def folder(tmp_path):
    """A store with two arrays, and consolidated metadata."""
    place = tmp_path / "a store"
    root = zarr.create_group(str(place))
    for name in ("x", "y"):
        root.create_array(name, shape=(4,), chunks=(2,), dtype="u1", compressors=None)[...] = 7
    zarr.consolidate_metadata(str(place))
    return place


@pytest.fixture
def run(capsys):
    """Run the command; returns its exit code, standard output and standard error."""

    def run(*arguments):
        code = cli.main(["doctor", *map(str, arguments)])
        return code, *capsys.readouterr()

    return run


def test_a_sound_store_gives_exit_code_0(run, folder):
    code, out, _ = run(folder)
    assert code == 0
    assert "no faults in" in out
    assert out.count("not protected: the codecs of 2 arrays (x, y) hold no checksum") == 1


def test_faults_of_a_kind_are_told_together_and_a_few_of_them_shown(run, tmp_path):
    place = tmp_path / "many"
    zarr.create_array(place, shape=(12,), chunks=(1,), dtype="u2", compressors=None)[...] = 7
    for number in range(9):
        (place / "c" / str(number)).write_bytes(b"7")
    (place / "zarr.bak").write_bytes(b"")
    code, out, _ = run(place)
    assert code == 1
    assert len(out.splitlines()) < 15
    assert "error wrong-size: 9 of them" in out
    assert "and 6 more, which --json lists" in out
    assert out.count("likely: a write or a copy that was interrupted") == 1
    assert out.index("error wrong-size") < out.index("warning orphan: zarr.bak")
    assert out.splitlines()[-1].startswith("10 faults in 14 keys: 0 groups, 1 array, 12 chunks present")
    assert run(place, "--quiet")[:2] == (1, out.splitlines()[-1] + "\n")
    assert len(json.loads(run(place, "--json")[1])["faults"]) == 10


def test_a_fault_gives_exit_code_1_with_key_cause_and_repair(run, folder):
    (folder / "x" / "c" / "0").write_bytes(b"7")
    code, out, _ = run(folder)
    assert code == 1
    for words in ("error wrong-size: x/c/0", "expected 2 bytes, found 1", "likely: a write", "repair: restore"):
        assert words in out


def test_json_is_one_document_and_nothing_else(run, folder):
    (folder / "x" / "c" / "0").write_bytes(b"7")
    code, out, err = run(folder, "--json")
    report = json.loads(out)
    assert (code, report["ok"], report["counts"]) == (1, False, {"wrong-size": 1})
    assert report["faults"][0]["coords"] == [0]
    assert err.strip() == ""


def test_one_node_or_the_documents_alone_can_be_examined(run, folder):
    (folder / "x" / "c" / "0").write_bytes(b"7")
    assert run(folder, "--path", "y")[0] == 0
    assert run(folder, "--metadata-only")[0] == 0
    assert run(folder, "--path", "x", "--jobs", 2)[0] == 1


def test_a_manifest_is_written_and_verified(run, folder, tmp_path):
    code, out, _ = run(folder, "--write-manifest", tmp_path / "m", "--json")
    assert (code, json.loads(out)["keys"]) == (0, 7)
    assert run(folder, "--verify", tmp_path / "m")[0] == 0
    (folder / "x" / "c" / "0").write_bytes(b"78")
    code, out, _ = run(folder, "--verify", tmp_path / "m", "--json")
    assert (code, json.loads(out)["counts"]) == (1, {"changed": 1})


def test_repairs_are_made_only_when_asked_for(run, folder, tmp_path):
    leftover = folder / "x" / "c" / "0.0123.partial"
    leftover.write_bytes(b"")
    os.utime(leftover, (0, 0))
    (folder / "note.txt").write_text("mine")
    (folder / "new").mkdir()  # by another program, which does not consolidate
    (folder / "new" / "zarr.json").write_bytes((folder / "x" / "zarr.json").read_bytes())
    before = (folder / "zarr.json").read_bytes()
    assert run(folder)[0] == 1
    code, out, _ = run(folder, "--repair", "--dry-run", "--json")
    assert (code, [repair["done"] for repair in json.loads(out)["repairs"]]) == (1, [False, False])
    assert leftover.exists()
    assert (folder / "zarr.json").read_bytes() == before
    code, out, _ = run(folder, "--repair", "--json")
    assert (code, json.loads(out)["counts"]) == (1, {"orphan": 1})
    assert not leftover.exists()
    code, out, _ = run(folder, "--repair", "--move", "note.txt", "--into", tmp_path / "out")
    assert code == 0
    assert "note.txt: moved to" in out
    assert (tmp_path / "out" / "note.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dry-run"],
        ["--repair", "--move", "x"],
        ["--repair", "--into", "x"],
        ["--write-manifest", "m", "--verify", "m"],
        ["--verify", "m", "--repair"],
        ["--jobs", "0"],
    ],
)
def test_a_wrong_command_gives_exit_code_2(run, folder, arguments):
    code, out, err = run(folder, *arguments)
    assert (code, out) == (2, "")
    assert "Error" in err


def test_a_store_that_is_not_there_gives_exit_code_1(run, tmp_path):
    code, out, _ = run(tmp_path / "nothing")
    assert code == 1
    assert "no-node" in out


def test_a_conversion_that_nobody_finished_is_one_fault_with_both_ways_on(run, tmp_path):
    root = zarr.create_group(tmp_path / "a", zarr_format=2)
    for name in "xyz":
        root.create_array(name, data=[1, 2])
    zarr.tools.convert.to_v3(tmp_path / "a")
    code, out, _ = run(tmp_path / "a")
    assert code == 1
    assert "warning two-formats: 4 of them" in out
    assert out.count("tutorial-zarr convert --to 3 --finish leaves Zarr 3, and --undo Zarr 2") == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators only")
def test_links_that_lead_nowhere_are_named_wherever_they_are(run, folder):
    for name, target in (("x/c/1", "nowhere"), ("y/zarr.json", "gone"), ("note", "/not here/at all")):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(target)
    code, out, _ = run(folder, "--json")
    assert code == 1
    found = {fault["key"]: fault["problem"] for fault in json.loads(out)["faults"] if fault["rule"] == "dangling-link"}
    assert set(found) == {"x/c/1", "y/zarr.json", "note"}
    assert "a link to 'nowhere', where nothing is" in found["x/c/1"]
    assert "error dangling-link: 3 of them" in run(folder)[1]


@pytest.mark.parametrize(
    ("action", "state", "said"),
    [
        ("rechunk to /", "writing", "tutorial-zarr rechunk with the same options goes on where it was"),
        ("convert the root of X", "adding", "tutorial-zarr convert with the same --target goes on where it was"),
        ("copy 'a' to 'b'", "writing", "tutorial-zarr copy with the same options finishes it"),
        ("move 'a' to 'b'", "clearing", "doctor --repair completes it: all is written; or tutorial-zarr move with the"),
        ("import era.nc", "writing", "tutorial-zarr import with the same options finishes it"),
        ("write a dataset", "writing", "the same call begins anew"),
    ],
)
def test_unfinished_work_is_named_with_what_finishes_it(run, folder, action, state, said):
    mark = {"action": action, "what": "", "by": {}, "since": 0, "state": state}
    (folder / "new" / ".unfinished").mkdir(parents=True)
    (folder / "new" / ".unfinished" / "mark.json").write_text(json.dumps(mark))
    code, out, _ = run(folder)
    assert code == 1
    assert f"found an unfinished {action!r}" in out
    assert f"repair: {said}" in out
