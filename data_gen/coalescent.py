"""Genotypes of a population that nothing but chance has shaped: people, sites, and calls that are missing.

Imitates: a table of variants in many separate stretches of a genome. The ancestry of each stretch is Kingman's
coalescent (Kingman 1982, "The coalescent"): two random lineages meet, until one is left. Changes fall on lineages at a
constant rate, and never twice on one site. Going back in time with k lineages, the next event is a change with
probability theta / (k - 1 + theta), and otherwise two lineages meet: no times are needed. Some calls are missing, by
lot.

Not real: no recombination within a stretch, and no link at all between two; a population that never grew, moved or was
selected; two alleles at each site; no wrong calls; and calls go missing whatever they would have been, which real
sequencers do not promise.

Its realism test holds it to what is known of this model: Watterson 1975 ("On the number of segregating sites") for the
number of sites and its variance, Tajima 1983 ("Evolutionary relationship of DNA sequences in finite populations") for
differences of pairs, and the frequencies of alleles, of which i copies are theta / i to be expected.

>>> result = make("tiny")
>>> result.arrays["genotype"].shape[1:], result.arrays["genotype"].dtype.name
((10, 2), 'int8')
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from data_gen import GenResult

SIZES = {"tiny": (10, 60), "small": (40, 300), "large": (100, 1000)}  # people, stretches
THETA, MISSING = 5.0, 0.02
LENGTH, APART = 10_000, 100_000  # of a stretch, and from the start of one to that of the next, in bases


def _even(seed: int) -> Iterator[float]:
    """Even numbers from 0 to 1, one after the other, from raw bits."""
    bits = np.random.PCG64(seed)
    while True:
        yield from (bits.random_raw(4096) * 2.0**-64).tolist()


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Calls (variant, sample, 2), -1 where missing: "tiny" 10 people, "small" 40, "large" 100."""
    if size not in SIZES:
        raise ValueError(f"coalescent.make: size must be one of {', '.join(SIZES)}, got {size!r}; try size='small'")
    people, stretches = SIZES[size]
    even, bits = _even(seed), np.random.PCG64(seed).jumped()
    rows, positions = [], []
    for stretch in range(stretches):
        found = _stretch(2 * people, even)
        places: set[int] = set()
        while len(places) < len(found):
            places.add(int(next(even) * LENGTH))
        rows.append(found)
        positions.append(np.array(sorted(places), int) + 1 + stretch * APART)
    complete = np.concatenate(rows).reshape(-1, people, 2)
    lost = bits.random_raw(complete[..., 0].size).reshape(-1, people) * 2.0**-64 < MISSING
    letters = np.array(list("ACGT"))
    ref = (bits.random_raw(len(complete)) >> np.uint64(32)) % 4
    alt = (ref + 1 + (bits.random_raw(len(complete)) >> np.uint64(32)) % 3) % 4
    return GenResult(
        arrays={
            "genotype": np.where(lost[..., None], -1, complete).astype(np.int8),
            "complete": complete,
            "position": np.concatenate(positions).astype(np.int32),
            "allele": letters[np.stack([ref, alt], axis=1).astype(int)],
        },
        dims={
            "genotype": ("variant", "sample", "ploidy"),
            "complete": ("variant", "sample", "ploidy"),
            "position": ("variant",),
            "allele": ("variant", "allele"),
        },
        units={"genotype": "1", "complete": "1", "position": "base pairs", "allele": "1"},
        truth={"theta": THETA, "stretches": stretches, "missing": float(lost.mean())},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def _stretch(n: int, even: Iterator[float]) -> np.ndarray:
    """The changes of one stretch of n chromosomes, (site, chromosome), 1 where it has the new allele."""
    lineages = list(np.eye(n, dtype=np.int8))
    found = []
    while len(lineages) > 1:
        k = len(lineages)
        kind, one, other = next(even), next(even), next(even)
        first = lineages.pop(int(one * k))
        if kind < THETA / (k - 1 + THETA):
            found.append(first)
            lineages.append(first)
        else:
            second = lineages.pop(int(other * (k - 1)))
            lineages.append(first + second)
    return np.array(found, np.int8).reshape(-1, n)


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed): four standard errors where the model says how large."""
    calls, stretches = result.arrays["complete"], result.truth["stretches"]
    n = 2 * calls.shape[1]
    copies = calls.sum((1, 2), dtype=np.int64)
    k = np.arange(1, n)
    a1, a2 = (1 / k).sum(), (1 / k**2).sum()
    counts = np.bincount(result.arrays["position"] // APART, minlength=stretches)
    spread = THETA * a1 + THETA**2 * a2
    watterson = len(calls) / stretches / a1
    pairs = (2 * copies * (n - copies) / (n * (n - 1))).sum() / stretches
    of_pairs = (n + 1) / (3 * (n - 1)) * THETA + 2 * (n * n + n + 3) / (9 * n * (n - 1)) * THETA**2
    off_w, off_p = 4 * np.sqrt(spread / stretches) / a1, 4 * np.sqrt(of_pairs / stretches)
    frequency = copies / n
    mixed = (calls[..., 0] != calls[..., 1]).mean(axis=1)
    common = (frequency > 0.1) & (frequency < 0.9)
    both = (2 * frequency * (1 - frequency))[common].sum() * n / (n - 1)
    return {
        "theta by the number of sites": (float(watterson), THETA - off_w, THETA + off_w),
        "theta by the differences of pairs": (float(pairs), THETA - off_p, THETA + off_p),
        "variance of the sites of a stretch, against the model": (float(counts.var(ddof=1) / spread), 0.55, 1.6),
        "share of alleles that one chromosome has": (float((copies == 1).mean() * a1), 0.75, 1.25),
        "share of alleles that two to five have": (
            float(((copies >= 2) & (copies <= 5)).mean() * a1 / (1 / k[1:5]).sum()),
            0.75,
            1.25,
        ),
        "people with two different alleles, against chance": (float(mixed[common].sum() / both), 0.92, 1.08),
        "share of calls that are missing": (float((result.arrays["genotype"][..., 0] < 0).mean()), 0.015, 0.025),
    }
