"""An arm with six joints at work: what its encoders count, 500 times a second, in trajectories of unequal length.

Imitates: a Puma 560 with a camera at its wrist. From its home it goes to some stations, rests at each, and comes home.
Moves have the least jerk (Flash and Hogan 1985), all joints begin and end together, and at rest the servo trembles by
hundredths of a degree. An encoder counts 65,536 steps in a turn and keeps 16 bits, so half a turn is followed by minus
half a turn. The camera is upright when joint 6 stands at half a turn.

Not real: no collision is avoided, nothing vibrates after a move, no sample is lost, and encoders have no offset.

Its realism test holds it to what is published: the geometry of the arm puts two known poses where they belong (Corke
and Armstrong-Helouvry 1994), the top speed of a move is 15/8 of the mean (Flash and Hogan), joints stay within limits.

>>> made = make("tiny").arrays
>>> made["counts"].dtype, made["counts"].shape[1], len(made["offset"]) - 1
(dtype('int16'), 6, 8)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals

TRAJECTORIES = {"tiny": 8, "small": 40, "large": 200}
RATE, TURN = 500, 65_536  # samples in a second, counts in a turn
LIMITS = np.array([160, 110, 135, 266, 100, 266])  # degrees to each side
HOME = np.array([0.0, 90.0, -90.0, 0.0, 0.0, 180.0])  # degrees
LINKS = ((0, 0, 1), (0.4318, 0, 0), (0.0203, 0.15005, -1), (0, 0.4318, 1), (0, 0, -1), (0, 0, 0))  # a, d, quarter turns
POSES = {  # angles in degrees, and the published place of the wrist in metres
    "zero": ((0, 0, 0, 0, 0, 0), (0.4521, -0.1500, 0.4318)),
    "ready": ((0, 90, -90, 0, 0, 0), (0.0203, -0.1500, 0.8636)),
}
SPEED, TREMBLE = 150.0, 0.02  # the most that a joint turns, degrees a second; degrees


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Counts (sample, joint), where trajectories begin, moves, and true angles: "tiny" 8 trajectories, 40 or 200."""
    if size not in TRAJECTORIES:
        raise ValueError(f"robot.make: size must be one of {', '.join(TRAJECTORIES)}, got {size!r}; try size='small'")
    normal = Normals(seed)
    pieces, moves, offset, n = [], [], [0], 0
    for _ in range(TRAJECTORIES[size]):
        here = HOME
        for stop in [*_stations(normal), HOME]:
            rest = np.repeat(here[None], int(RATE * (0.5 + 2 * _uniform(normal, 1)[0])), axis=0)
            seconds = max(0.5, 15 / 8 * np.abs(stop - here).max() / SPEED)
            move = here + least_jerk(np.linspace(0, 1, int(RATE * seconds) + 1))[:, None] * (stop - here)
            moves.append((n + len(rest), n + len(rest) + len(move)))
            pieces += [rest, move]
            n += len(rest) + len(move)
            here = stop
        pieces.append(np.repeat(HOME[None], RATE, axis=0))
        n += RATE
        offset.append(n)
    true = np.round(np.concatenate(pieces), 4)
    seen = np.rint((true + TREMBLE * normal(n, 6)) * TURN / 360).astype("i8")
    return GenResult(
        arrays={
            "counts": seen.astype("i2"),  # 16 bits are kept
            "offset": np.array(offset, "i8"),
            "moves": np.array(moves, "i8"),
            "true": true,
        },
        dims={
            "counts": ("sample", "joint"),
            "offset": ("trajectory",),
            "moves": ("move", "edge"),
            "true": ("sample", "joint"),
        },
        units={"counts": "1/65536 turn", "offset": "samples", "moves": "samples", "true": "degrees"},
        truth={"upright": 180.0},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def _uniform(normal: Normals, n: int) -> np.ndarray:
    return normal.bits.random_raw(n) * 2.0**-64


def _stations(normal: Normals) -> list[np.ndarray]:
    """Two to five places to go to; at half of them the camera is upright."""
    found = []
    for _ in range(2 + int(4 * _uniform(normal, 1)[0])):
        angles = (2 * _uniform(normal, 6) - 1) * np.array([150, 60, 80, 120, 90, 0]) + HOME * [0, 1, 1, 0, 0, 0]
        angles[1:3] = np.clip(angles[1:3], -100, 100)
        upright, roll = _uniform(normal, 2)
        angles[5] = 180.0 if upright < 0.5 else -80 + 340 * roll
        found.append(angles)
    return found


def least_jerk(part: np.ndarray) -> np.ndarray:
    """How far a move is, 0 to 1, after a part of its time."""
    return part**3 * (10 - 15 * part + 6 * part**2)


def pose(degrees: np.ndarray) -> np.ndarray:
    """Where the wrist is and how it is turned: (..., 6) degrees to (..., 4, 4) homogeneous matrices, metres."""
    degrees = np.asarray(degrees, dtype="f8")
    found = np.broadcast_to(np.eye(4), (*degrees.shape[:-1], 4, 4))
    for joint, (a, d, quarter) in enumerate(LINKS):
        angle = np.deg2rad(degrees[..., joint])
        c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
        ca, sa = (1 - abs(quarter)), quarter
        rows = [
            [c, -s * ca, s * sa, a * c],
            [s, c * ca, -c * sa, a * s],
            [zero, sa * one, ca * one, d * one],
            [zero, zero, zero, one],
        ]
        found = found @ np.moveaxis(np.array(rows), (0, 1), (-2, -1))
    return found


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    counts, true = result.arrays["counts"], result.arrays["true"]
    step = np.diff(counts[:, 5])  # 16 bits: the short way round
    ratio, fastest, busy = [], 0.0, np.zeros(len(true), bool)
    for start, stop in result.arrays["moves"]:
        speed = np.abs(np.diff(true[start:stop], axis=0)) * RATE
        most = speed.mean(0).argmax()
        ratio.append(speed[:, most].max() / speed[:, most].mean())
        fastest = max(fastest, float(speed.max()))
        busy[start:stop] = True
    placed = [np.abs(pose(np.array(q, "f8"))[:3, 3] - where).max() for q, where in POSES.values()]
    resting = ~busy[1:] & ~busy[:-1]
    lengths = np.diff(result.arrays["offset"])
    return {
        "metres between the known poses and where they come out": (float(max(placed)), 0.0, 1e-4),
        "top speed of a move over its mean": (float(np.median(ratio)), 1.85, 1.9),
        "top speed of a joint, degrees a second": (fastest, 60.0, 300.0),
        "samples within the joints' limits": (float((np.abs(true) <= LIMITS).all(1).mean()), 1.0, 1.0),
        "share of time at rest": (float((~busy).mean()), 0.3, 0.7),
        "tremble at rest, degrees": (float(step[resting].std() / np.sqrt(2) * 360 / TURN), 0.005, 0.05),
        "longest trajectory over the shortest": (float(lengths.max() / lengths.min()), 1.5, 6.0),
    }
