"""Running the matrix: every case written by every peer that writes, read by every peer that reads.

A *lane* is one reader and all the stores of one writer, or one writer and all cases; lanes run side by side, the
questions of a lane one after the other in one process. Each answer is a line of ``results.jsonl`` at once, so
that a run that is stopped goes on where it was: a line counts as long as the case and the versions of the peers
are the same.

    FOLDER/results.jsonl            one line for each answer
    FOLDER/run.json                 date, platform, and what each peer says of itself, or why it is absent
    FOLDER/data/ID.bin              canonical bytes of a case: what is to be written
    FOLDER/stores/WRITER/ID/        what a peer wrote
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import os
import platform
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from .cases import Case, fingerprint
from .environments import OURS, PeerAbsentError, PeerFile, choose, find_peers
from .outcomes import Outcome, judge_reading, judge_refusal
from .process import PeerDied, PeerProcess, PeerSilent
from .protocol import peer_protocol
from .protocol.peer_protocol import canonical

Progress = Callable[[str, int, int], None]


@dataclass
class PeerState:
    """A peer as it was found: what it says of itself, or why it is absent."""

    name: str
    title: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    reads: bool = False
    writes: bool = False
    elements: list[str] = field(default_factory=list)
    elements_written: list[str] = field(default_factory=list)
    absent: str = ""

    @property
    def version(self) -> str:
        """All versions in one string."""
        return " ".join(f"{name} {version}" for name, version in sorted(self.versions.items()))


def choose_peers(names: Iterable[str] = (), folder: Path | None = None) -> dict[str, PeerFile]:
    """The peers of these names, or all of them; this library is always one."""
    found = find_peers(folder) if folder else find_peers()
    wanted = choose(found, names, "peers")
    return {name: file for name, file in found.items() if name in wanted or name == OURS}


class Run:
    """One run in a folder of its own, or the continuation of one."""

    def __init__(
        self,
        folder: Path,
        cases: Mapping[str, Case],
        peers: Mapping[str, PeerFile],
        *,
        here: bool = False,
        jobs: int = 2,
        progress: Progress | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.cases, self.files = Path(folder).absolute(), cases, peers
        self.here, self.jobs, self.progress, self.limits = here, jobs, progress, dict(limits or {})
        self.states: dict[str, PeerState] = {}
        self.results: dict[tuple[str, str, str], Outcome] = {}  # (writer, reader or "", case)
        self._marks: dict[tuple[str, str, str], str] = {}
        self._fingerprints = {id: fingerprint(case) for id, case in cases.items()}
        self._programs = {name: _digest(file.path, Path(peer_protocol.__file__)) for name, file in peers.items()}
        self._idle: dict[str, list[PeerProcess]] = {}
        self._lock = threading.Lock()

    # --- the whole

    def __call__(self, writers: Iterable[str] = (), readers: Iterable[str] = ()) -> Run:
        """Run what is not yet known. Without names, every peer writes and every peer reads."""
        try:
            self._run(list(writers), list(readers))
        finally:
            with ThreadPoolExecutor(max_workers=8) as pool:  # each takes its time to end
                list(pool.map(PeerProcess.close, itertools.chain.from_iterable(self._idle.values())))
            self._idle.clear()
        return self

    def _run(self, writers: list[str], readers: list[str]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._load()
        self._put_down_data()
        self._lanes([partial(self._meet, name) for name in self.files], "peers")
        (self.folder / "run.json").write_text(json.dumps(self.summary(), indent=1), encoding="utf-8")
        here = [state.name for state in self.states.values() if not state.absent]
        writing = [name for name in here if name in (writers or here) and self.states[name].writes]
        reading = [name for name in here if name in (readers or here) and self.states[name].reads]
        self._lanes([partial(self._write_lane, name) for name in writing], "write")
        pairs = [(writer, reader) for writer in writing for reader in reading]
        self._lanes([partial(self._read_lane, *pair) for pair in pairs], "read")

    def _lanes(self, lanes: list[Callable[[], None]], what: str) -> None:
        with ThreadPoolExecutor(max_workers=max(1, self.jobs)) as pool:
            futures = [pool.submit(lane) for lane in lanes]
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                if self.progress:
                    self.progress(what, done, len(lanes))

    # --- what is known

    def _load(self) -> None:
        for entry in read_results(self.folder):
            key = entry["writer"], entry["reader"], entry["case"]
            self._marks[key] = entry["of"]
            self.results[key] = Outcome(entry["outcome"], entry["detail"], entry.get("found", {}))

    def _known(self, key: tuple[str, str, str]) -> bool:
        known = self._marks.get(key) == self._mark(key)
        if not known:
            self.results.pop(key, None)
        return known

    def _mark(self, key: tuple[str, str, str]) -> str:
        peers = [f"{self.states[name].version} {self._programs[name]}" for name in key[:2] if name]
        return " | ".join([self._fingerprints[key[2]], *peers])

    def _record(self, key: tuple[str, str, str], outcome: Outcome) -> None:
        entry: dict[str, Any] = {
            "writer": key[0],
            "reader": key[1],
            "case": key[2],
            "outcome": outcome.name,
            "detail": outcome.detail,
            "of": self._mark(key),
        }
        if outcome.found:
            entry["found"] = outcome.found
        with self._lock:
            self.results[key], self._marks[key] = outcome, entry["of"]
            with (self.folder / "results.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def _put_down_data(self) -> None:
        (self.folder / "data").mkdir(exist_ok=True)
        for id, case in self.cases.items():
            file = self.data_file(id)
            if not file.exists():
                file.write_bytes(canonical(case.data))

    def data_file(self, id: str) -> Path:
        """The canonical bytes of the data of a case."""
        return self.folder / "data" / f"{self._fingerprints[id]}.bin"

    def store(self, writer: str, id: str) -> Path:
        """Where a writer puts a case."""
        return store_folder(self.folder, writer, id)

    # --- lanes

    @contextmanager
    def _process(self, name: str) -> Iterator[PeerProcess]:
        """A process of this peer that nobody else asks: one that is idle, or a new one."""
        with self._lock:
            idle = self._idle.setdefault(name, [])
            process = idle.pop() if idle else None
        if process is None:
            process = self.files[name].process(here=self.here, **self.limits)
        try:
            yield process
        except BaseException:
            process.close(force=True)
            raise
        with self._lock:
            idle.append(process)

    def _meet(self, name: str) -> None:
        try:
            with self._process(name) as process:
                reply = process.ask({"op": "capabilities"})
            if not reply.get("ok") or not {"versions", "reads", "writes", "elements"} <= set(reply):
                raise PeerAbsentError(f"expected its capabilities, found {json.dumps(reply)[:300]}")
            state = PeerState(
                name,
                reply.get("name", name),
                reply["versions"],
                reply["reads"],
                reply["writes"],
                reply["elements"],
                reply.get("elements_written", reply["elements"]),
            )
        except (PeerAbsentError, PeerDied, PeerSilent, OSError) as error:
            state = PeerState(name, name, absent=str(error))
        with self._lock:
            self.states[name] = state

    def _write_lane(self, writer: str) -> None:
        with self._process(writer) as process:
            for id, case in self.cases.items():
                key = writer, "", id
                if self._known(key) and (self.results[key].name != "equal" or self.store(writer, id).exists()):
                    continue
                store = self.store(writer, id)
                shutil.rmtree(store, ignore_errors=True)
                store.mkdir(parents=True)
                request = case.request(str(self.data_file(id)))
                outcome = _ask(process, {"op": "write", "path": str(store), "case": request})
                if isinstance(outcome, dict):
                    said = self.states[writer].elements_written
                    outcome = Outcome("equal") if outcome.get("ok") else judge_refusal(outcome, case, said)
                self._record(key, outcome)
                if outcome.name != "equal":
                    shutil.rmtree(store, ignore_errors=True)

    def _read_lane(self, writer: str, reader: str) -> None:
        handle, name = tempfile.mkstemp(suffix=".bin")
        os.close(handle)
        put_down = Path(name)
        try:
            with self._process(reader) as process:
                for id, case in self.cases.items():
                    key = writer, reader, id
                    if self._known(key):
                        continue
                    written = self.results[writer, "", id]
                    if written.name != "equal":
                        self._record(key, Outcome("unwritten", f"writing: {written.name}"))
                        continue
                    self._record(key, self._read(process, writer, reader, case, put_down))
        finally:
            put_down.unlink(missing_ok=True)

    def _read(self, process: PeerProcess, writer: str, reader: str, case: Case, put_down: Path) -> Outcome:
        put_down.write_bytes(b"")
        reply = _ask(
            process,
            {
                "op": "read",
                "path": str(self.store(writer, case.id)),
                "node": case.node if case.kind == "array" else "",
                "kind": case.kind,
                "consolidated": case.consolidated,
                "bytes_to": str(put_down),
            },
        )
        if isinstance(reply, Outcome):
            return reply
        return judge_reading(reply, case, self.states[reader].elements, put_down.read_bytes())

    # --- what came of it

    def summary(self) -> dict[str, Any]:
        """Where, when and with what the run was made."""
        return {
            "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
            "platform": f"{platform.system()} {platform.machine()}",
            "peers": {name: asdict(state) for name, state in sorted(self.states.items())},
        }

    def counts(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many cells of each outcome, for each writer and reader; the reader is empty for writing itself."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for (writer, reader, id), outcome in self.results.items():
            if id in self.cases:
                cell = found.setdefault((writer, reader), {})
                cell[outcome.name] = cell.get(outcome.name, 0) + 1
        return found


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of results, the last of which may be cut short; where a cell was asked twice, both."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:  # of a run that was killed
            continue
        if isinstance(entry, dict) and "of" in entry:
            yield entry


def read_results(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of ``results.jsonl`` of a run."""
    for entry in read_lines(folder / "results.jsonl"):
        if {"writer", "reader", "case", "outcome", "detail"} <= set(entry):
            yield entry


def store_folder(folder: Path, writer: str, id: str) -> Path:
    """Where a writer puts a case. The folder's name has a space and is not ASCII, as users' are."""
    return folder / "stores" / f"{writer} für alle" / id


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _ask(process: PeerProcess, question: dict[str, Any]) -> dict[str, Any] | Outcome:
    try:
        return process.ask(question)
    except PeerDied as error:
        return Outcome("crash", str(error))
    except PeerSilent as error:
        return Outcome("timeout", str(error))
