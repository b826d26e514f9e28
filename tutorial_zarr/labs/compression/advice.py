"""From measurements to advice: which codec helped and which hurt, the Pareto front, and what to use, with its reason.

Recommended is, of the lossless chains that every reader of the plain array has and that take at most `NEAR` more
bytes than the smallest of them, the simplest that does not take more than twice as long to write and read as the
quickest of these; and none where with each a read over the given bandwidth takes more than twice as long as of plain
values.

So bytes and readers decide, and a clock is asked only about what is twice as slow. Where chunks are too small to be
timed, it is not asked at all.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tutorial_zarr as zarr
from tutorial_zarr.interop.elements import elements_of
from tutorial_zarr.interop.lint import stored_matrix
from tutorial_zarr.words import count, size_text

from .chains import BITROUND, MIDDLE, SCALING, Chain, words, yardstick
from .measure import Result
from .sample import Sample

SAME = 0.02  # sizes that differ by less are called the same
WORTH = 0.05  # what a codec has to save
NEAR = 0.03  # among chains that are so near to the smallest, speed and simplicity decide
SLOWER = 2  # what takes more than this many times as long is too slow to be recommended
AS_QUICK = 1.5  # times that differ by less may be the other way round a minute later
RULE = (
    f"Recommended is, of the lossless codecs that every reader of the plain array has and that take at most {NEAR:.0%} "
    f"more bytes than the smallest of them, the simplest that does not take more than {SLOWER} times as long to write "
    "and read as the quickest of these."
)
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
            step = result.label.removeprefix(plain.label.rstrip(")")).strip(" )")
            remark = (
                NOT_DONE if step.startswith("bitshuffle") and any(chunk.size % 8 for chunk in sample.chunks) else ""
            )
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
    if not sample.too_small_to_time:
        picks.append(_quickest(exact, sample, bandwidth))
    if tolerance is not None:
        picks.append(_within(own, sample, tolerance))
    return picks


def seconds(result: Result, bandwidth: float) -> float:
    """How long one thread takes to fetch and unpack the sample."""
    return result.stored / 1e6 / bandwidth + result.speed.seconds(result.nbytes)


def slowdown(result: Result, bandwidth: float) -> float:
    """How many times as long as without a codec a read takes."""
    return seconds(result, bandwidth) / (result.nbytes / 1e6 / bandwidth + result.plain_seconds)


def where(result: Result) -> str:
    """Up to which bandwidth a chain pays, in words."""
    return "at any bandwidth" if result.pays_below == float("inf") else f"below {result.pays_below:,.0f} MB/s"


def _pays(result: Result, sample: Sample, bandwidth: float) -> str:
    """Whether it pays at a bandwidth, in words."""
    if sample.too_small_to_time:
        return "by bytes alone"
    if result.pays_below < bandwidth:
        return f"at {bandwidth:g} MB/s slower to read than plain values, as it pays {where(result)}"
    return f"pays {where(result)}"


def recommend(able: list[Result], sample: Sample, bandwidth: float) -> Result | None:
    """What is recommended of results that are fit for it, by the rule of this module."""
    timed = not sample.too_small_to_time
    if timed:
        able = [result for result in able if slowdown(result, bandwidth) <= SLOWER]
    least = min((result.stored for result in able), default=0)
    near = [result for result in able if result.stored <= (1 + NEAR) * least]
    if timed:
        limit = SLOWER * min((result.work for result in near), default=0.0)
        near = [result for result in near if result.work <= limit]
    order = {words(each): place for place, each in enumerate(yardstick(sample))}
    return min(
        near,
        key=lambda r: (r.label not in order, len(r.chain.codecs), r.stored, order.get(r.label, 0), r.label),
        default=None,
    )


def _everyday(exact: list[Result], plain: Result, sample: Sample, bandwidth: float) -> Pick:
    able = [
        result
        for result in exact
        if result.stored < (1 - WORTH) * plain.stored
        and not result.chain.costly
        and not result.chain.caution
        and not lost_readers(result.chain, sample)
    ]
    best = recommend(able, sample, bandwidth)
    if best:
        reason = (
            f"x{best.ratio:.2f}, within {NEAR:.0%} of the fewest bytes among what every reader of the plain array has"
            f"{'' if sample.too_small_to_time else ', and quick among these'}; {_pays(best, sample, bandwidth)}"
        )
    elif able:
        nearest = min(able, key=lambda r: slowdown(r, bandwidth))
        reason = (
            f"at {bandwidth:g} MB/s a read takes more than {SLOWER} times as long with any codec that every reader of "
            f"the plain array has; with {nearest.label}, which pays {where(nearest)}, "
            f"{slowdown(nearest, bandwidth):.1f} times"
        )
    else:
        smallest = min(exact, key=lambda r: r.stored)
        reason = (
            f"no codec that every reader of the plain array has saves {WORTH:.0%}; the smallest of all, "
            f"{smallest.label}, is x{smallest.ratio:.2f}"
        )
    return _pick("recommended", best, reason, sample)


def _quickest(exact: list[Result], sample: Sample, bandwidth: float) -> Pick:
    limit = AS_QUICK * min(seconds(result, bandwidth) for result in exact)
    tied = [result for result in exact if seconds(result, bandwidth) <= limit]
    best = min(tied, key=lambda r: (r.stored, len(r.chain.codecs), r.label))
    speed = best.nbytes / 1e6 / seconds(best, bandwidth)
    reason = f"a read over {bandwidth:g} MB/s gives {speed:,.0f} MB of values a second, as this machine was just now"
    if len(tied) > 1:
        reason += f"; {count(len(tied) - 1, 'others')} may be as quick, and it is the smallest of them"
    return _pick("quickest to read", best, reason, sample)


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
