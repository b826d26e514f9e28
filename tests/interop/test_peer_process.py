"""The harness tells right from wrong: peers that lie, crash, chatter, hang and devour cost one cell each."""

import sys
import textwrap

import pytest

from tutorial_zarr.errors import SelectionError
from tutorial_zarr.interop.cases import select
from tutorial_zarr.interop.environments import OURS, PeerAbsentError, find_peers
from tutorial_zarr.interop.matrix import Run, choose_peers
from tutorial_zarr.interop.process import PeerDied, PeerProcess, PeerSilent

pytestmark = pytest.mark.interop

TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64", "bool"]
CASES = select([f"v3/{name}/edge/gzip" for name in TYPES])
FEW = select(["v3/int16/edge/gzip", "v3/uint8/edge/gzip"])

# A peer that reads with this library, but for what happens at one type or the other.
PEER = """
    import os, signal, sys, threading, time
    import numpy as np
    import tutorial_zarr as zarr
    from peer_protocol import Opened, Peer, serve

    class Odd(Peer):
        name = "odd"
        def versions(self): return {"odd": "1"}
        def capabilities(self): return ["*", "!type:float64"]
        def open(self, path, node, consolidated):
            array = zarr.open_array(path, mode="r")
            faults.get(array.dtype.name, print)(array)
            return Opened(array.shape, lambda region: change(array, region), dict(array.attrs))

    faults, change = {}, lambda array, region: np.asarray(array[region])
    BEFORE
    serve(Odd())
"""
FAULTS = """
    def change(array, region):
        found = array[region]
        if array.dtype == "int8": found[3, 4] ^= 1
        if array.dtype == "uint8": return found.T[:-1]
        if array.dtype == "int32": return found.view("f4")
        if array.dtype == "int64": return np.ones(1 << 30)
        return found

    def die(array):
        print("about to die", file=sys.stderr, flush=True)
        os.abort()

    def refuse(array): raise ValueError("not today")
    def leave(array): os._exit(3)
    def sleep(array): time.sleep(600)

    faults = {"int16": die, "uint16": leave, "float32": refuse, "float64": refuse, "uint64": sleep}
"""
NOISE = """
    def chatter():
        while True:
            os.write(real, b'Hello\\n{"id": -1}\\n[1]\\n\\xff\\xfe\\n')
            time.sleep(0.005)

    real = os.dup(1)
    threading.Thread(target=chatter, daemon=True).start()
    faults = {"int16": lambda array: os.write(1, b'{"id": 2, "ok": true}\\n')}
"""


def outcomes(tmp_path, before="", cases=CASES, **limits):
    """Outcome and detail of each case, and the run."""
    folder = tmp_path / "peers"
    folder.mkdir()
    source = textwrap.dedent(PEER).replace("BEFORE", textwrap.dedent(before))
    (folder / "odd.py").write_text(source, encoding="utf-8")
    peers = find_peers(folder) | {OURS: find_peers()[OURS]}
    run = Run(tmp_path / "run", cases, peers, here=True, jobs=1, limits=limits)
    run(writers=[OURS], readers=["odd"])
    return {case: run.results[OURS, "odd", case] for case in cases if (OURS, "odd", case) in run.results}, run


def test_each_fault_of_a_peer_costs_one_cell_and_is_called_by_its_name(tmp_path):
    found, _ = outcomes(tmp_path, FAULTS, seconds=5.0, start_seconds=120.0, memory=2 << 30)
    expected = {
        "int8": ("wrong", "element [3, 4]: expected the bytes "),
        "uint8": ("wrong", "elements: expected 35 bytes, found 30; they differ from byte "),
        "int32": ("retyped", "type: expected int32, found float32"),
        "int16": ("crash", "ended by SIGABRT: about to die"),
        "uint16": ("crash", "ended with exit code 3"),
        "float32": ("refused", "ValueError: not today"),
        "float64": ("unsupported", "ValueError: not today"),  # by its own word
        "uint64": ("timeout", "no reply within 5 seconds"),
        "int64": ("crash", "ran into its limit of memory: "),
        "uint32": ("equal", ""),
        "bool": ("equal", ""),
    }
    if sys.platform != "linux":  # the limit of memory is Linux's; aborting has another name elsewhere
        del expected["int64"], expected["int16"]
    for name, (outcome, detail) in expected.items():
        cell = found[f"v3/{name}/edge/gzip"]
        assert (cell.name, cell.detail.startswith(detail)) == (outcome, True), (name, cell)
    assert len(bytes.fromhex(found["v3/int8/edge/gzip"].found["bytes"])) == 35


def test_noise_on_standard_output_is_passed_over_and_what_a_library_prints_is_no_reply(tmp_path):
    found, _ = outcomes(tmp_path, NOISE, FEW)
    assert {case: outcome.name for case, outcome in found.items()} == dict.fromkeys(FEW, "equal")


def test_a_peer_that_cannot_start_is_absent_and_the_rest_goes_on(tmp_path):
    found, run = outcomes(tmp_path, "import a_package_that_does_not_exist", FEW)
    assert found == {}
    assert "a_package_that_does_not_exist" in run.states["odd"].absent
    assert run.states[OURS].absent == ""
    assert {run.results[OURS, "", case].name for case in FEW} == {"equal"}


def test_a_peer_whose_packages_are_missing_here_is_absent_with_the_line_that_installs_them(tmp_path):
    head = '# /// script\n# dependencies = ["no-such-package-at-all>=1"]\n# ///\n'
    folder = tmp_path / "peers"
    folder.mkdir()
    (folder / "lonely.py").write_text(head)
    run = Run(tmp_path / "run", FEW, find_peers(folder), here=True)
    run()
    assert "pip install 'no-such-package-at-all>=1'" in run.states["lonely"].absent


def test_what_is_here_in_a_version_that_does_not_suit_is_not_called_missing(tmp_path):
    """zarr-python 2 where zarr-python 3 is installed: no line of pip brings both."""
    pytest.importorskip("packaging", reason="compares versions")
    head = '# /// script\n# dependencies = ["numpy<1.0", "no-such-package-at-all"]\n# ///\n'
    folder = tmp_path / "peers"
    folder.mkdir()
    (folder / "old.py").write_text(head)
    with pytest.raises(
        PeerAbsentError, match=r"expected numpy<1.0 .*, found numpy \d.*; try: --install, which gives"
    ) as e:
        find_peers(folder)["old"].process(here=True)
    assert "pip install" not in str(e.value)


def test_without_the_program_that_runs_it_a_peer_is_absent(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    run = Run(tmp_path / "run", FEW, {"zarrita": find_peers()["zarrita"]}, here=True)
    run()
    assert "expected the program node" in run.states["zarrita"].absent


def test_a_process_that_answers_nonsense_is_silent_and_one_that_is_gone_is_dead(tmp_path):
    script = "import sys, time\nfor line in sys.stdin: print('42'); sys.stdout.flush()"
    with PeerProcess([sys.executable, "-c", script], start_seconds=1.0, seconds=1.0) as process:
        with pytest.raises(PeerSilent, match="no reply within 1 seconds"):
            process.ask({"op": "capabilities"})
        assert process.noise == 1
    with (
        PeerProcess([sys.executable, "-c", "raise SystemExit('enough')"]) as process,
        pytest.raises(PeerDied, match="ended with exit code 1: enough"),
    ):
        process.ask({"op": "capabilities"})


def test_a_run_goes_on_where_it_was_stopped_and_asks_a_peer_of_another_version_again(tmp_path):
    _, run = outcomes(tmp_path, cases=FEW)
    names = {key: outcome.name for key, outcome in run.results.items()}
    file = tmp_path / "run" / "results.jsonl"
    lines = file.read_text().splitlines()
    assert len(lines) == 4
    file.write_text("\n".join(lines[:3]) + '\n{"writer": "tuto\n')  # killed in the middle of a line
    again = Run(run.folder, FEW, run.files, here=True, jobs=1)(writers=[OURS], readers=["odd"])
    assert {key: outcome.name for key, outcome in again.results.items()} == names
    assert len(file.read_text().splitlines()) == 5  # one cell more, and nothing that was known
    program = run.files["odd"].path
    program.write_text(program.read_text().replace('"odd": "1"', '"odd": "2"'))
    Run(run.folder, FEW, run.files, here=True, jobs=1)(writers=[OURS], readers=["odd"])
    assert len(file.read_text().splitlines()) == 7


def test_a_peer_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(SelectionError, match=r"peers: expected some of .*zarrita.*, found zar, zorr"):
        choose_peers(["zarrita", "zorr", "zar"])
