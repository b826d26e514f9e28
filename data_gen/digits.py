"""Handwritten digits, class by class as a folder lists them: real pictures, copied with noise until there are enough.

Real: 1,797 digits of 43 people, 8 x 8 pixels of 17 shades, from "Optical Recognition of Handwritten Digits" (Alpaydin
and Kaynak, 1998). The last 360 in the file are kept for testing, as they are. The others are the training set: each as
often as `size` says, and of each copy but the first every pixel with ink is one shade lighter, the same, or darker.
Units: 1, from 0 for paper to 1 for ink. Rows are sorted by their label; `original` is the row of the file.

Not real: copies with noise are no new handwriting. A model learns from ten of them about as much as from one, so these
are for counting what a loader reads, and for what the order of rows does to learning.

Its realism test holds them to the file they come from: about as many of each digit, half of the paper white, and
pictures that tell what they are, since the nearest neighbour of a test row has its label in 94 to 99 % of cases
(Alpaydin and Kaynak found 98 %, with more than twice as many rows to look among).

>>> result = make("tiny")
>>> result.arrays["pixels"].shape, result.arrays["label"][[0, -1]].tolist()
((1437, 64), [0, 9])
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor

COPIES = {"tiny": 1, "small": 10, "large": 40}
TEST = 360  # rows at the end of the file


def make(size: str = "small", seed: int = 0) -> GenResult:
    """A training set of 1,437 rows and a test set of 360: "small" has ten copies of the first, "large" forty."""
    if size not in COPIES:
        raise ValueError(f"digits.make: size must be one of {', '.join(COPIES)}, got {size!r}; try size='small'")
    file = vendor.load("digits.npz")
    shades, label = file["pixels"], file["label"]
    order = np.argsort(label, kind="stable").astype(np.int64)  # by itself of 32 bits in a browser
    train, test = order[order < len(label) - TEST], order[order >= len(label) - TEST]
    original = np.repeat(train, COPIES[size])
    first = np.tile(np.arange(COPIES[size]) == 0, len(train))
    bits = np.random.PCG64(seed).random_raw(len(original) * 64).reshape(-1, 64)
    noise = np.where(first[:, None], 0, (bits % 3).astype(np.int8) - 1)
    noisy = np.clip(shades[original] + np.where(shades[original] > 0, noise, 0), 0, 16)
    return GenResult(
        arrays={
            "pixels": (noisy / 16).astype(np.float32),  # sixteenths are exact
            "label": label[original],
            "original": original,
            "test_pixels": (shades[test] / 16).astype(np.float32),
            "test_label": label[test],
            "test_original": test,
        },
        dims={
            "pixels": ("row", "pixel"),
            "label": ("row",),
            "original": ("row",),
            "test_pixels": ("test_row", "pixel"),
            "test_label": ("test_row",),
            "test_original": ("test_row",),
        },
        units=dict.fromkeys(("pixels", "label", "original", "test_pixels", "test_label", "test_original"), "1"),
        truth={"copies": COPIES[size]},
        provenance={
            "source": "Optical Recognition of Handwritten Digits, through scikit-learn 1.9.1; noise from PCG64, "
            f"seed {seed}",
            "licence": "CC BY 4.0, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    pixels, label = result.arrays["pixels"], result.arrays["label"]
    shares = np.bincount(label, minlength=10) / len(label)
    _, some = np.unique(result.arrays["original"], return_index=True)
    near = pixels[some].astype(np.float64)
    asked = result.arrays["test_pixels"].astype(np.float64)
    distance = (near**2).sum(1) - 2 * asked @ near.T  # what the rows have in common decides nothing
    found = label[some][distance.argmin(1)]
    leaked = np.intersect1d(result.arrays["original"], result.arrays["test_original"])
    return {
        "share of the rarest digit": (float(shares.min()), 0.09, 0.10),
        "share of the most frequent digit": (float(shares.max()), 0.10, 0.11),
        "share of white pixels": (float((pixels == 0).mean()), 0.45, 0.53),
        "test rows whose nearest neighbour has their label": (
            float((found == result.arrays["test_label"]).mean()),
            0.94,
            0.99,
        ),
        "test rows in the training set": (float(len(leaked)), 0, 0),
    }
