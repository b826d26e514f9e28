"""The shootout: every chain on one sample, as a table, as JSON, and as advice.

>>> import numpy as np
>>> found = shootout(np.arange(20_000, dtype="i4") % 251, levels=False, workers=1)
>>> found.picks[0].use, found.picks[0].result.exact
('recommended', True)
"""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tutorial_zarr import parallel
from tutorial_zarr.errors import MissingDependencyError, SelectionError, ZarrError
from tutorial_zarr.interop.columns import table
from tutorial_zarr.progress import Progress, meter

from . import advice, chains, lossy
from .advice import Effect, Pick
from .measure import FASTEST, Clock, Result, measure
from .sample import Sample, take

BANDWIDTH = 100.0  # MB/s: one connection to an object store, or a disk on a network


@dataclass(frozen=True)
class Shootout:
    """What was found on one sample."""

    sample: Sample
    results: tuple[Result, ...]  # the smallest first; lossless and lossy
    skipped: tuple[tuple[str, str], ...]  # what was not tried or failed, and why
    effects: tuple[Effect, ...]
    picks: tuple[Pick, ...]
    bandwidth: float
    workers: int

    @property
    def recommended(self) -> Pick:
        """The first piece of advice."""
        return self.picks[0]

    def __getitem__(self, label: str) -> Result:
        """The result of a chain, by its label."""
        for result in self.results:
            if result.label == label:
                return result
        known = ", ".join(result.label for result in self.results)
        raise SelectionError(f"shootout: expected the label of a chain, found {label!r}; there are {known}")

    def __str__(self) -> str:
        return "\n".join([str(self.sample), *self.sample.notes, "", *tables(self), "", *self.sentences()])

    def sentences(self) -> list[str]:
        """What is said below the table."""
        lines = [*legend(self), "", *map(str, self.effects)]
        now, best = next((r for r in self.results if r.chain.name), None), self.recommended.result
        if now is not None and best is not None:
            change = best.stored / now.stored - 1
            said = f"with what is recommended {abs(change):.0%} {'more' if change > 0 else 'fewer'} bytes"
            if abs(change) <= advice.NEAR:
                said = f"what is recommended is within {advice.NEAR:.0%} of it, so there is no reason to change"
            lines.append(f"{now.label}: x{now.ratio:.2f}; {said}")
        lines += [f"not tried: {name}: {reason}" for name, reason in self.skipped]
        for pick in self.picks:
            lines += [f"{pick.use}: {pick.label}: {pick.reason}", f"    {pick.code}"]
        return lines

    def to_json(self) -> dict[str, Any]:
        """All of it in types that JSON knows."""
        sample = self.sample
        return {
            "array": sample.name,
            "sample": {
                "chunks": len(sample.chunks),
                "of": sample.array.nchunks,
                "nbytes": sample.nbytes,
                "empty": sample.empty,
                "constant": sample.constant,
                "chunk_shape": list(sample.chunks[0].shape),
                "dtype": sample.data_type.to_json(),
                "zarr_format": sample.zarr_format,
                "notes": list(sample.notes),
                "speeds_count": not sample.too_small_to_time,
            },
            "machine": machine(self.workers),
            "bandwidth_mb_per_s": self.bandwidth,
            "results": [_result_json(result, sample) for result in self.results],
            "pareto": [result.label for result in advice.pareto(self.results)],
            "effects": [
                {
                    "step": effect.step,
                    "verdict": effect.verdict,
                    "before": effect.before,
                    "after": effect.after,
                    "words": str(effect),
                }
                for effect in self.effects
            ],
            "skipped": [{"codec": name, "reason": reason} for name, reason in self.skipped],
            "left_out": [{"codec": name, "reason": reason} for name, reason in sorted(chains.LEFT_OUT.items())],
            "picks": [
                {
                    "use": pick.use,
                    "chain": pick.label,
                    "reason": pick.reason,
                    "code": pick.code,
                }
                for pick in self.picks
            ],
        }


def shootout(
    array: Any,
    *,
    sample_bytes: int = 4 << 20,
    seed: int = 0,
    tolerance: float | None = None,
    bandwidth: float = BANDWIDTH,
    workers: int | None = None,
    levels: bool = True,
    progress: Progress = None,
    clock: Clock = time.perf_counter,
    name: str = "",
) -> Shootout:
    """Try every chain of codecs on a sample of `array`, and say what to use.

    Recommended is, of the lossless chains that every reader of the plain array has and that take at most 3 % more bytes
    than the smallest of them, the simplest that does not take more than twice as long to write and read as the
    quickest of these.

    Parameters
    ----------
    array
        A Zarr array or a numpy array.
    sample_bytes
        Bytes of values to try: pieces from all over the array.
    seed
        Which pieces are drawn.
    tolerance
        How far off a value may be, in the unit of the values. Without it lossy chains are tried over a range, and none
        is advised.
    bandwidth
        Of the store that it will be read from, in MB/s (10^6 bytes).
    workers
        Threads beside which one thread is timed; as many as processors without it.
    levels
        Whether codecs are tried at several levels.
    progress
        Is called with how many chains are done, and of how many.
    clock
        Seconds, for tests.
    name
        What the array is called in the report.

    Raises `SampleError` where the array has too little to judge by, `ValueError` for a tolerance or a bandwidth that is
    not above 0.
    """
    for what, value in (("tolerance", tolerance), ("bandwidth", bandwidth)):
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"shootout: expected a {what} greater than 0, found {value!r}; try 0.01")
    sample = take(array, sample_bytes, seed, name)
    workers = workers or parallel.get_workers()
    tried, skipped = chains.lossless(sample, levels)
    more, not_lossy = lossy.lossy(sample, tolerance)
    now = chains.today(sample)
    todo = list({chain.label: chain for chain in [*([now] if now else []), *tried, *more]}.values())
    results, failed = _run(todo, sample, workers, clock, progress)
    plain = next(result.speed for result in results if not result.chain.codecs)
    results = [replace(result, plain=plain) for result in results]
    results.sort(key=lambda result: (result.stored, result.label))
    return Shootout(
        sample,
        tuple(results),
        tuple(dict.fromkeys([*skipped, *not_lossy, *failed])),
        tuple(advice.effects(results, sample)),
        tuple(advice.advise(results, sample, bandwidth, tolerance)),
        bandwidth,
        workers,
    )


def _run(
    todo: list[chains.Chain], sample: Sample, workers: int, clock: Clock, progress: Progress
) -> tuple[list[Result], list[tuple[str, str]]]:
    """Every chain, one after the other; what cannot be applied is named with its reason, and the rest goes on."""
    results: list[Result] = []
    failed: list[tuple[str, str]] = []
    missing: set[str] = set()
    with meter(progress, len(todo), "chains") as advance:
        for chain in todo:
            names = {entry["name"] for entry in chain.codecs}
            if not names & missing:
                try:
                    results.append(measure(chain, sample, workers, clock))
                except MissingDependencyError as error:
                    absent = error.fields.get("codec", "")
                    missing |= {absent, f"numcodecs.{absent}"} & names
                    failed.append((absent or chain.label, error.message))
                except (ZarrError, ValueError, TypeError, ArithmeticError) as error:
                    failed.append((chain.label, str(error)))
            advance()
    return results, failed


def machine(workers: int) -> dict[str, Any]:
    """What the speeds depend on."""
    versions: dict[str, str | None] = {}
    for package in ("numpy", "numcodecs", "pcodec", "zfpy"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "processor": platform.machine(),
        "processors": parallel.cpu_count(),
        "threads": workers,
        "python": platform.python_version(),
        **versions,
    }


# --- rows

COLUMNS = ("codecs", "ratio", "bytes", "write", "read", "pays")
LOSSY_COLUMNS = ("loses something", "ratio", "read", "error", "promised")
WIDEST = 33  # characters of a chain, before it is wrapped: then a row fits into 80


def tables(found: Shootout, top: int | None = None) -> list[str]:
    """Lines of the tables: the lossless chains, the `top` of them, and of each lossy promise the smallest."""
    exact = [r for r in found.results if r.chain.promise is None]
    shown = exact[:top]
    picked = [pick.result for pick in found.picks]
    shown += [r for r in exact[len(shown) :] if r.chain.name or not r.chain.codecs or any(r is p for p in picked)]
    lines = table(COLUMNS, [row(r, found.sample) for r in shown if r.holds], WIDEST, left=0)
    lines += [
        f"{r.label}: not lossless here: {r.changed:.1%} of the values come back changed" for r in exact if not r.holds
    ]
    if len(exact) > len(shown):
        lines.append(f"and {len(exact) - len(shown)} larger ones")
    if lossy_ones := smallest_of_each(found):
        rows = [lossy_row(r) for r in lossy_ones]
        lines += ["", *table(LOSSY_COLUMNS, rows, WIDEST, left=0)]
    return lines


def legend(found: Shootout) -> list[str]:
    """What the columns are, a sentence each."""
    threads = any(r.speed.decode_threads for r in found.results)
    two = f", with one thread / with {found.workers}" if threads else ", with one thread"
    lines = [
        "ratio: plain bytes for each stored byte. bytes: of the sample, stored.",
        f"write, read: MB of values a second{two}, by this machine. A dash: nothing to do.",
    ]
    if not found.sample.too_small_to_time:
        lines.append(
            "pays: a link slower than this, in MB/s, brings the values sooner with these codecs than without any."
        )
    if any(r.chain.promise for r in found.results):
        lines.append("error: the largest that was measured; promised: what the codec says that it may be at most.")
    return lines


def smallest_of_each(found: Shootout) -> list[Result]:
    """Of the lossy chains with one promise the smallest, and each that did not keep it."""
    kept: dict[tuple[str, str], Result] = {}
    broken = []
    for result in found.results:  # the smallest first
        if result.chain.promise and not result.holds:
            broken.append(result)
        elif result.chain.promise:
            kept.setdefault((lossy.family(result.chain), result.chain.promise.words), result)
    return [*kept.values(), *broken]


def row(result: Result, sample: Sample) -> tuple[str, ...]:
    """A lossless result as a row; where there are two speeds, the second is that of all threads."""
    speed = result.speed
    says = result.chain.codecs and result.pays_below and not sample.too_small_to_time
    limit = "always" if result.pays_below == float("inf") else f"{result.pays_below:.0f}"
    return (
        result.label,
        f"{result.ratio:.2f}",
        f"{result.stored:,}",
        _two(speed.encode, speed.encode_threads),
        _two(speed.decode, speed.decode_threads),
        limit if says else "",
    )


def lossy_row(result: Result) -> tuple[str, ...]:
    """A lossy result as a row."""
    speed, promise = result.speed, result.chain.promise
    return (
        result.label,
        f"{result.ratio:.2f}",
        _two(speed.decode, speed.decode_threads),
        _error(result),
        promise.words if promise else "",
    )


def _two(one: float, many: float | None) -> str:
    """One speed, or two; a dash for what no machine can do."""
    return "/".join("-" if n > FASTEST else f"{n:.0f}" for n in (one, many) if n is not None and one <= FASTEST) or "-"


def _error(result: Result) -> str:
    if result.exact:
        return "none"
    size = "NaN or infinity" if result.error is None else f"{result.error:.3g}"
    if result.holds:
        return size
    return f"{size}: NOT KEPT" if result.chain.promise else f"{size}: NOT LOSSLESS"


def _result_json(result: Result, sample: Sample) -> dict[str, Any]:
    chain, speed = result.chain, result.speed
    return {
        "chain": result.label,
        "codecs": list(chain.codecs),
        "lossless": chain.promise is None,
        "exact": result.exact,
        "holds": result.holds,
        "stored": result.stored,
        "ratio": result.ratio,
        "stages": [stage._asdict() for stage in result.stages],
        "error": result.error,
        "promised": chain.promise.words if chain.promise else None,
        "values_beyond_the_promise": result.broken,
        "changed": result.changed,
        "mb_per_s": {key: value if value and value <= FASTEST else None for key, value in speed._asdict().items()},
        "pays_below_mb_per_s": _finite(result.pays_below),
        "caution": chain.caution or None,
        "lost_readers": advice.lost_readers(chain, sample),
    }


def _finite(limit: float) -> float | None:
    """A limit for JSON; None where there is none."""
    return limit if limit < float("inf") else None


def shootouts(arrays: Iterable[tuple[str, Any]], **options: Any) -> tuple[list[Shootout], list[str]]:
    """A shootout for each array, and a sentence for each that cannot be judged."""
    found, complaints = [], []
    for name, array in arrays:
        try:
            found.append(shootout(array, name=name, **options))
        except ZarrError as error:
            complaints.append(error.message)
    return found, complaints
