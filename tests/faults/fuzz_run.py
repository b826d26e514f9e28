"""Fuzz by chance: ``python -m tests.faults.fuzz_run --inputs 1000000 --seed 1``.

Every target of `fuzz_targets` gets its share. Each runs in a process of its own, whose address space is bounded;
the input at hand stands in a file, so that one which kills or hangs the process is known. What is found is printed
once for each place in the code, and the input is kept with ``--keep FOLDER``.
"""

import argparse
import faulthandler
import hashlib
import multiprocessing
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_targets import all_targets, allowed, check, mutate

DEADLINE = 10  # seconds of the processor that a few inputs may take
PATIENCE = 300  # seconds by the clock
WEIGHTS = {"chunk": 1, "sqlite": 6, "web": 6, "references": 6, "marks": 6}  # many, or slow; each other target has 20
ROOM = 3 << 29  # bytes of address space that a target may add
GROWTH = 1 << 28  # bytes of memory in use that a target may add


def work(jobs, seed, place, results):
    """Run targets, each (number, inputs), in this process; reports on each as it ends."""
    warnings.simplefilter("ignore")
    targets = all_targets()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, used + ROOM))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.register(signal.SIGPROF, chain=True)
    with open(place, "wb", buffering=0) as current, allowed():
        for number, inputs in jobs:
            results.put((number, *fuzz(targets[number], inputs, seed, current)))


def fuzz(target, inputs, seed, current):
    """Run one target; returns its bugs, the longest that an input took the processor, and the memory that it added."""
    rng = random.Random(f"{seed} {target.name} {inputs}")
    before, found, slowest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, {}, 0.0
    for count in range(inputs):
        data = mutate(rng.choice(target.seeds), rng, target.seeds)
        if target.repair is not None and rng.random() < 0.5:
            data = target.repair(data)
        current.seek(0)
        current.write(count.to_bytes(8, "little") + len(data).to_bytes(8, "little") + data)
        if count % 8 == 0:  # either ends the process, wherever it hangs
            signal.setitimer(signal.ITIMER_PROF, DEADLINE)
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
        start = time.process_time()
        try:
            check(target, data)
        except Exception as error:
            frames = [f for f in traceback.extract_tb(error.__traceback__) if "tutorial_zarr" in f.filename]
            where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
            found.setdefault((type(error).__name__, where), (str(error)[:300], data))
        slowest = max(slowest, time.process_time() - start)
    signal.setitimer(signal.ITIMER_PROF, 0)
    faulthandler.cancel_dump_traceback_later()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
    if grown > GROWTH:
        found["Memory", ""] = (f"{grown >> 20} MiB more in use", b"")
    return found, slowest, grown


def run(jobs, seed, folder):
    """Run all jobs; yields (number, bugs, slowest, grown) of each. A process that dies is replaced."""
    context = multiprocessing.get_context("spawn")
    place, results, waiting = folder / "input", context.SimpleQueue(), list(jobs)
    while waiting:
        process = context.Process(target=work, args=(waiting, seed, str(place), results))
        process.start()
        while waiting and (process.is_alive() or not results.empty()):
            if results.empty():
                process.join(0.1)
                continue
            waiting.pop(0)
            yield results.get()
        process.join()
        if waiting:
            raw = place.read_bytes() if place.exists() else b""
            count, size = int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:16], "little")
            data, (number, inputs) = raw[16 : 16 + size], waiting.pop(0)
            if inputs > count + 1:
                waiting.insert(0, (number, inputs - count - 1))
            yield number, {("Died", f"exit code {process.exitcode}"): ("the process died or hung", data)}, 0.0, 0


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=100_000, help="inputs in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="targets whose name contains this")
    parser.add_argument("--keep", type=Path, help="write each input that shows a bug to this folder")
    options = parser.parse_args()
    targets = all_targets()
    chosen = [n for n, target in enumerate(targets) if options.only in target.name]
    weights = {n: WEIGHTS.get(targets[n].name.partition(" ")[0], 20) for n in chosen}
    jobs = [(n, max(1, options.inputs * weights[n] // sum(weights.values()))) for n in chosen]
    bugs, done, start = 0, sum(inputs for _, inputs in jobs), time.time()
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        for number, found, slowest, grown in run(jobs, options.seed, Path(folder)):
            print(f"{targets[number].name}: {dict(jobs)[number]} inputs, slowest {slowest * 1000:.0f} ms, "
                  f"{grown >> 20} MiB, {len(found)} bugs", flush=True)  # fmt: skip
            for (kind, where), (text, data) in found.items():
                bugs += 1
                print(f"    {kind} at {where}: {text}\n      {data[:200]!r}", flush=True)
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{done} inputs, {len(chosen)} targets, {bugs} bugs, {time.time() - start:.0f} s")
    return 1 if bugs else 0


if __name__ == "__main__":
    sys.exit(main())
