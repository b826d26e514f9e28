"""From measurements to advice: which codec helped and which hurt, the Pareto front, and what to use, with its reason.

Advice rests on bytes, on what each reader is known to read, and on settings; a clock is asked two questions only:
whether a chain pays at all at the bandwidth that is given, where a factor of two hardly ever matters, and which chain
was quickest, which is said to be so here and now.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.display.words import size_text
from tutorial_zarr.interop.elements import elements_of
from tutorial_zarr.interop.lint import stored_matrix

from .chains import BITROUND, MIDDLE, SCALING, Chain, words, yardstick
from .measure import Result
from .sample import Sample

SAME = 0.02  # sizes that differ by less are called the same
WORTH = 0.05  # what a codec has to save
NEAR = 0.03  # among chains that are so near to the smallest, the simplest is advised
NOT_DONE = "not done: blosc leaves bits alone where a chunk's number of elements is no multiple of 8"
NOT_READERS = ("xarray", "tutorial-zarr")  # xarray reads through others


@dataclass(frozen=True)
class Effect:
    """What one step did to the bytes that are stored, all else being the same."""

    step: str
    behind: str  # the chain without it
    before: int
    after: int
    remark: str = ""

    @property
    def verdict(self) -> str:
        """helps, hurts, or makes no difference."""
        change = self.before / self.after - 1
        return "makes no difference" if abs(change) < SAME else "helps" if change > 0 else "hurts"

    def __str__(self) -> str:
        if self.remark:
            return f"{self.step}: {self.remark}"
        change = self.after / self.before - 1
        less = f"{-change:.0%} fewer bytes" if change < 0 else f"{change:.0%} more bytes"
        tail = "" if self.verdict == "makes no difference" else f", {less}"
        return f"{self.step} {self.verdict}: {self.before:,} to {self.after:,} bytes{tail} (with {self.behind})"


@dataclass(frozen=True)
class Pick:
    """One piece of advice."""

    use: str  # what it is for
    result: Result | None  # None: leave the values as they are
    reason: str
    code: str

    @property
    def label(self) -> str:
        """The chain's; "none" where no codec is advised."""
        return self.result.label if self.result else "none"


# --- what helped


def effects(results: Iterable[Result], sample: Sample) -> list[Effect]:
    """Each shuffle and each filter, judged by the same compressor behind it."""
    own = [result for result in results if result.holds and not result.chain.name and not result.chain.promise]
    found: list[Effect] = []
    if sample.data_type.item_size == 1:
        found.append(Effect("shuffle", "", 1, 1, "does nothing for elements of one byte"))
    tails = [words(entry) for entry in yardstick(sample)]
    plain = next((result for result in own if [result.label] == tails[:1]), None)
    if plain is None:
        return found
    for result in own:
        first, last = result.chain.codecs[:1], result.chain.codecs[-1:]
        if len(result.chain.codecs) == 1 and result.label in tails[1:]:
            step = result.label.rstrip(")").rpartition(" ")[2]
            remark = NOT_DONE if step == "bitshuffle" and any(chunk.size % 8 for chunk in sample.chunks) else ""
            found.append(Effect(step, plain.label, plain.stored, result.stored, remark))
        elif len(result.chain.codecs) == 2 and first[0]["name"].endswith("shuffle"):
            bare = next((other for other in own if list(other.chain.codecs) == list(last)), None)
            if bare and _is_standard(last[0]):
                found.append(Effect("shuffle", bare.label, bare.stored, result.stored))
    return [*found, *_filter_effects(own, tails)]


def _is_standard(entry: dict[str, Any]) -> bool:
    wanted = MIDDLE.get(entry["name"].removeprefix("numcodecs."), {})
    return bool(wanted) and all(entry["configuration"].get(key) == value for key, value in wanted.items())


def _filter_effects(own: list[Result], tails: list[str]) -> Iterator[Effect]:
    """Each group of filters with the best shuffle that it has, against none with the best that that has."""
    best: dict[tuple[str, ...], tuple[int, str]] = {}
    for result in own:
        names = [words(entry) for entry in result.chain.codecs]
        if names and names[-1] in tails and "shuffle" not in names:
            group, this = tuple(names[:-1]), (result.stored, names[-1])
            best[group] = min(best.get(group, this), this)
    for group, (after, _) in best.items():
        if group:
            without = group[:-1] if group[-1] == "delta" and group[:-1] in best else ()
            before, tail = best[without]
            yield Effect(", ".join(group[len(without) :]), ", ".join([*without, tail]), before, after)


# --- who reads it


@functools.cache
def _unable(elements: frozenset[str]) -> frozenset[str]:
    """Who is not known to read these elements, alone and in pairs; as the lint judges, without its advice."""
    matrix, pairs = stored_matrix(), list(itertools.combinations(sorted(elements), 2))
    return frozenset(
        reader
        for reader in set(matrix.marks) - set(NOT_READERS)
        if not all(matrix.reads(reader, [element]) for element in elements)
        or any(matrix.reads(reader, pair) is False for pair in pairs)
    )


def lost_readers(chain: Chain, sample: Sample) -> list[str]:
    """Who is not known to read these codecs, of those that read the array without any; see `tutorial-zarr lint`."""
    plain, coded = (_elements(each, sample) for each in (Chain(()), chain))
    return sorted(_unable(coded - plain) - _unable(plain))


def _elements(chain: Chain, sample: Sample) -> frozenset[str]:
    options = {"dtype": sample.data_type, "zarr_format": sample.zarr_format, **chain.options(sample.zarr_format)}
    shape = sample.chunks[0].shape
    return elements_of(zarr.create_array({}, shape=shape, chunks=shape, **options).metadata.to_json())


# --- the front


def pareto(results: Iterable[Result]) -> list[Result]:
    """The lossless results that no other beats both in bytes and in decoding speed, the smallest first."""
    front: list[Result] = []
    for result in sorted(results, key=lambda r: (r.stored, -r.speed.decode)):
        if result.exact and (not front or result.speed.decode > front[-1].speed.decode):
            front.append(result)
    return front


# --- what to use


def advise(results: list[Result], sample: Sample, bandwidth: float, tolerance: float | None) -> list[Pick]:
    """The advice: for everyday use, the smallest, the quickest here; and within a tolerance, if one is given."""
    own = [result for result in results if not result.chain.name]
    exact = [result for result in own if result.exact and result.chain.promise is None]
    plain = next(result for result in exact if not result.chain.codecs)
    picks = [_everyday(exact, plain, sample, bandwidth), _smallest(exact, plain, sample)]
    quickest = min(exact, key=lambda r: seconds(r, bandwidth))
    speed = quickest.nbytes / 1e6 / seconds(quickest, bandwidth)
    reason = f"a read over {bandwidth:g} MB/s gives {speed:,.0f} MB of values a second, as this machine was just now"
    picks.append(_pick("quickest to read", quickest, reason, sample))
    if tolerance is not None:
        picks.append(_within(own, sample, tolerance))
    return picks


def seconds(result: Result, bandwidth: float) -> float:
    """How long a read of the sample takes: to fetch what is stored, then to unpack it with one thread."""
    return result.stored / 1e6 / bandwidth + result.nbytes / 1e6 / result.speed.decode


def where(result: Result) -> str:
    """Up to which bandwidth a chain pays, in words."""
    return "at any bandwidth" if result.pays_below == float("inf") else f"below {result.pays_below:,.0f} MB/s"


def _everyday(exact: list[Result], plain: Result, sample: Sample, bandwidth: float) -> Pick:
    use = "recommended"
    able = [
        result
        for result in exact
        if result.stored < (1 - WORTH) * plain.stored
        and not result.chain.costly
        and not result.chain.caution
        and not lost_readers(result.chain, sample)
    ]
    if not able:
        best = min(exact, key=lambda r: r.stored)
        reason = (
            f"no codec that every reader of the plain array has saves {WORTH:.0%}; the smallest of all, "
            f"{best.label}, is x{best.ratio:.2f}"
        )
        return _pick(use, None, reason, sample)
    paying = [result for result in able if result.pays_below >= bandwidth]
    if not paying:
        best = max(able, key=lambda r: r.pays_below)
        last = f"the last that does is {best.label}, below {best.pays_below:,.0f} MB/s"
        reason = f"at {bandwidth:g} MB/s no codec pays: {last}"
        return _pick(use, None, reason, sample)
    least = min(result.stored for result in paying)
    near = [result for result in paying if result.stored <= (1 + NEAR) * least]
    standard = [words(each) for each in yardstick(sample)]
    order = {label: place for place, label in enumerate(standard)}  # of two that leave the same, the plainer
    best = min(
        near, key=lambda r: (r.label not in order, len(r.chain.codecs), r.stored, order.get(r.label, 0), r.label)
    )
    reason = (
        f"x{best.ratio:.2f}, within {NEAR:.0%} of the smallest that is quick to write and that loses no reader of the "
        f"plain array; pays {where(best)}"
    )
    return _pick(use, best, reason, sample)


def _smallest(exact: list[Result], plain: Result, sample: Sample) -> Pick:
    best = min(exact, key=lambda r: (r.stored, r.label))
    if best is plain:
        return _pick("smallest", None, "every codec makes these bytes larger", sample)
    reason = f"x{best.ratio:.2f}, {size_text(best.stored)} of {size_text(best.nbytes)}"
    if lost := lost_readers(best.chain, sample):
        reason += f"; not known to be read by {', '.join(lost)}"
    if best.chain.costly:
        reason += "; slow to write"
    if best.chain.caution:
        reason += f"; {best.chain.caution}"
    return _pick("smallest", best, reason, sample)


def _within(own: list[Result], sample: Sample, tolerance: float) -> Pick:
    use = f"within {tolerance:g}"
    able = [r for r in own if r.holds and r.error is not None and r.error <= tolerance]
    best = min(able, key=lambda r: (r.stored, r.label))
    promise = best.chain.promise
    if promise is None:
        return _pick(use, best, f"x{best.ratio:.2f}, and nothing is lost: no lossy chain is smaller", sample)
    reason = f"x{best.ratio:.2f}; no value is off by more than {best.error:.3g}, the codec promises {promise.words}"
    if best.chain.codecs[0]["name"] in SCALING and sample.zarr_format == 2:
        reason += "; values outside the sample's range may be stored as other numbers"
    if lost := lost_readers(best.chain, sample):
        reason += f"; not known to be read by {', '.join(lost)}"
    if best.chain.codecs[0]["name"] in BITROUND:
        reason += "; decoding changes nothing, so values that are rounded beforehand need no such codec"
    return _pick(use, best, reason, sample)


def _pick(use: str, result: Result | None, reason: str, sample: Sample) -> Pick:
    return Pick(use, result, reason, code(result.chain if result else Chain(()), sample))


def code(chain: Chain, sample: Sample) -> str:
    """The line that stores `values` in this way."""
    options: dict[str, Any] = {"chunks": sample.array.chunks}
    if sample.array.shards is not None:
        options["shards"] = sample.array.shards
    if sample.zarr_format == 2:
        options["zarr_format"] = 2
    options |= chain.options(sample.zarr_format)
    return f"zarr.create_array(store, data=values, {', '.join(f'{key}={value!r}' for key, value in options.items())})"
