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
from tutorial_zarr.progress import Progress, meter

from . import advice, chains, lossy
from .advice import Effect, Pick
from .measure import Clock, Result, measure
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
        rows = [COLUMNS, *(row(result, self.sample) for result in self.results)]
        wide = [max(len(line[i]) for line in rows) for i in range(len(COLUMNS))]
        lines = [str(self.sample), *self.sample.notes]
        lines += ["  ".join(f"{cell:<{n}}" for cell, n in zip(line, wide, strict=True)).rstrip() for line in rows]
        return "\n".join([*lines, *self.sentences()])

    def sentences(self) -> list[str]:
        """What is said below the table."""
        lines = [str(effect) for effect in self.effects]
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
                    "within_noise": list(pick.within_noise),
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
    """Try every chain of codecs on a sample of `array`, a Zarr array or a numpy array.

    `tolerance` is how far off a value may be; without it lossy chains are tried over a range, and none is advised.
    `bandwidth`, in MB/s (10^6 bytes), is that of the store it will be read from. Without `levels` each codec is tried
    at one level. Raises SampleError where the array has too little to judge by.
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

COLUMNS = ("codecs", "ratio", "bytes", "write MB/s", "read MB/s", "pays below", "error", "promised")


def row(result: Result, sample: Sample) -> tuple[str, ...]:
    """A result as a row of the table; where there are two speeds, the second is that of all threads."""
    speed, promise = result.speed, result.chain.promise
    says = result.chain.codecs and result.pays_below and not sample.too_small_to_time
    return (
        result.label,
        f"{result.ratio:.2f}",
        f"{result.stored:,}",
        _two(speed.encode, speed.encode_threads),
        _two(speed.decode, speed.decode_threads),
        advice.where(result).removeprefix("below ") if says else "",
        _error(result),
        promise.words if promise else "",
    )


def _two(one: float, many: float | None) -> str:
    return f"{one:,.0f}" + ("" if many is None else f" / {many:,.0f}")


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
        "mb_per_s": {key: value for key, value in speed._asdict().items() if key != "spread"},
        "spread": speed.spread,
        "pays_below_mb_per_s": _finite(result.pays_below),
        "pays_between_mb_per_s": [_finite(limit) for limit in result.pays_between],
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
