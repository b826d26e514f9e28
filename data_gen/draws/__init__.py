"""Chance for the generators, from the raw bits that NumPy promises to keep; no data set by itself."""

from __future__ import annotations

import numpy as np


class Normals:
    """Standard normal numbers by Box and Muller's method from the raw bits that NumPy promises to keep."""

    def __init__(self, seed: int) -> None:
        self.bits = np.random.PCG64(seed)

    def even(self, count: int) -> np.ndarray:
        """Numbers from 0 to 1, evenly."""
        return (self.bits.random_raw(count) >> np.uint64(11)) * 2.0**-53

    def __call__(self, *shape: int) -> np.ndarray:
        count = int(np.prod(shape))
        one, two = self.even(count), self.bits.random_raw(count) * 2.0**-64
        return (np.sqrt(-2 * np.log1p(-one)) * np.cos(2 * np.pi * two)).reshape(shape)


def fat(normal: Normals, n: int, shares: int) -> np.ndarray:
    """Student's t with five degrees of freedom, scaled to a variance of one."""
    squares = sum(normal(n, shares) ** 2 for _ in range(5)) / 5
    return normal(n, shares) / np.sqrt(squares) / np.sqrt(5 / 3)


def remembering(chance: np.ndarray, tau: float) -> np.ndarray:
    """A stationary series that forgets over `tau` steps: x[t] = a x[t-1] + sqrt(1 - a^2) chance[t]."""
    a = np.exp(-1 / tau)
    steps = np.sqrt(1 - a * a) * chance
    steps[0] = chance[0]
    # Doubling: after k rounds every value holds the last 2^k steps; the rest has faded below a float's last bit.
    reach, weight = 1, a
    while reach < len(steps) and weight > 1e-18:
        steps[reach:] += weight * steps[:-reach].copy()
        reach, weight = 2 * reach, weight * weight
    return steps
