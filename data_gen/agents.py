"""Traces of coding agents: how many tokens each step of a run took in and gave out, and how long it took.

Imitates: the sessions of coding agents that SyFI TraceLab collected (University of Washington 2026, 4,265 sessions and
357,161 steps, https://tracelab.cs.washington.edu). A run is a list of steps, a step is one call of a model and the tool
that it asked for. The runs lie one after the other in `steps`; run `r` is `steps[offsets[r] : offsets[r + 1]]`.

What is held to the published figures, within 25 %: steps of a session at the 25th, 50th, 90th and 99th percentile, 4,
15, 135 and 1,107, and their mean, 73.6 (counted there for steps that a tool triggered, nine in ten of all); tokens
appended in a step, 384, 857 and 5,342, and tokens given out, 132, 252 and 1,671, at the 25th, 50th and 90th.

Not real: a run has at most 1,200 steps, a step's tokens do not depend on the step before, seconds follow from tokens at
an assumed speed, and a context is cut to a tenth when it passes 200,000 tokens. Nothing here comes from a person.

>>> result = make("tiny")
>>> len(result.arrays["offsets"]) - 1, result.arrays["steps"].shape[1]
(64, 8)
"""

from __future__ import annotations

import itertools

import numpy as np

from data_gen import GenResult

RUNS = {"tiny": 64, "small": 512, "large": 4_096}
FEATURES = ("appended", "output", "context", "cached", "model_seconds", "tool_seconds", "tool", "failed")
LONGEST, WINDOW = 1_200, 200_000
# Percentiles, as (share of all, value): those in the middle are published, the ends are not.
STEPS = ((0, 1), (0.25, 4), (0.5, 15), (0.9, 135), (0.99, 1_107), (1, LONGEST))
APPENDED = ((0, 40), (0.25, 384), (0.5, 857), (0.9, 5_342), (1, 60_000))
OUTPUT = ((0, 8), (0.25, 132), (0.5, 252), (0.9, 1_671), (1, 16_000))


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Steps of all runs, float32 (step, feature), and where each run begins: "tiny" 64, "small" 512, "large" 4,096."""
    if size not in RUNS:
        raise ValueError(f"agents.make: size must be one of {', '.join(RUNS)}, got {size!r}; try size='small'")
    runs, bits = RUNS[size], np.random.PCG64(seed)
    spread = (np.argsort(bits.random_raw(runs), kind="stable") + 0.5) / runs  # each share of the percentiles once
    lengths = np.rint(at(spread, STEPS)).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    draws = (bits.random_raw(6 * offsets[-1]) >> np.uint64(11)).reshape(6, -1) * 2.0**-53
    steps = np.empty((offsets[-1], len(FEATURES)), np.float32)
    appended, output = np.rint(at(draws[0], APPENDED)), np.rint(at(draws[1], OUTPUT))
    for start, stop in itertools.pairwise(offsets):
        steps[start:stop, 2], steps[start:stop, 3] = contexts(appended[start:stop] + output[start:stop])
    steps[:, 0], steps[:, 1] = appended, output
    steps[:, 4] = np.round(0.5 + output / 60 * (0.5 + draws[2]), 2)  # thirty to ninety tokens a second
    steps[:, 5] = np.round(0.05 * 2000 ** (draws[3] ** 2), 2)
    steps[:, 6], steps[:, 7] = np.floor(draws[4] * 8), draws[5] < 0.05
    return GenResult(
        arrays={"steps": steps, "offsets": offsets},
        dims={"steps": ("step", "feature"), "offsets": ("run + 1",)},
        units={"steps": "tokens, tokens, tokens, tokens, s, s, 1, 1", "offsets": "1"},
        truth={"longest": int(lengths.max()), "steps": int(offsets[-1])},
        provenance={"source": f"computed, held to SyFI TraceLab's percentiles, seed {seed}", "licence": "none needed"},
    )


def at(shares: np.ndarray, percentiles: tuple[tuple[float, float], ...]) -> np.ndarray:
    """The value at each share of a distribution that is given by percentiles, straight lines of logarithms between."""
    known, values = np.array(percentiles).T
    return np.exp(np.interp(shares, known, np.log(values)))


def contexts(grown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """After each step of one run, the tokens in the context, and before it, those that the model had seen already."""
    total, context, seen = 0.0, np.empty(len(grown)), np.empty(len(grown))
    for k, more in enumerate(grown):
        seen[k] = total = total if total + more <= WINDOW else WINDOW / 10  # too full: what happened is summed up
        total = context[k] = total + more
    return context, seen


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    steps, lengths = result.arrays["steps"], np.diff(result.arrays["offsets"])
    published = {
        "steps of a run": (lengths, {25: 4, 50: 15, 90: 135, 99: 1_107}),
        "tokens appended": (steps[:, 0], {25: 384, 50: 857, 90: 5_342}),
        "tokens given out": (steps[:, 1], {25: 132, 50: 252, 90: 1_671}),
    }
    found = {
        f"{name}, {share}th percentile": (float(np.percentile(values, share)), 0.75 * value, 1.25 * value)
        for name, (values, known) in published.items()
        for share, value in known.items()
    }
    return found | {
        "steps of a run, mean": (float(lengths.mean()), 0.75 * 73.6, 1.25 * 73.6),
        "largest context in windows": (float(steps[:, 2].max() / WINDOW), 0.5, 1.0),
    }
