"""A fleet of sensors, a reading a minute, and the minute in which each reading arrived; some never do.

Imitates: weather stations with a weak radio and a modem. The radio loses readings in runs, by the two states of Gilbert
and Elliott: the bad state begins with a chance of 0.002 a minute and ends with 0.05, so 3.8 % are lost, about 20 in a
row. The modem is offline about 2 % of the time, for three hours on average; it keeps what was read meanwhile and sends
it later, one old reading a minute beside the new one, the oldest first. Metrics: temperature, humidity, pressure and
the voltage of the battery. Two devices drift, one is stuck, and one dies; `truth` names them.

Not real: clocks that agree, chances that are the same for all devices and hours, modems that never run out of memory,
and outages that do not hit neighbours together.

Its realism test holds it to Gilbert's (1960) and Elliott's (1963) rates, to lost readings in runs, as they are on
radio links (Willig, Kubisch, Hoene and Wolisz 2002 measured them), and to weather that has days: warm air is dry air,
neighbours in time are alike.

>>> made = make("tiny").arrays
>>> made["values"].shape, int((made["arrival"] < 0).sum()) == int(np.isnan(made["values"][..., 0]).sum())
((16, 2880, 4), True)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals, remembering

SIZES = {"tiny": (16, 2), "small": (64, 7), "large": (256, 7)}  # devices, days
METRICS = ("temperature", "humidity", "pressure", "battery")
LOSS = (0.002, 0.05)  # the radio: good to bad, bad to good, a minute
OFFLINE = (1 / 9000, 1 / 180)  # the modem: online to offline, offline to online
DRIFT = 0.6  # degrees a day
DAY = 1440


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Readings (device, minute, metric) and arrivals (device, minute): "small" is 64 devices for a week."""
    if size not in SIZES:
        raise ValueError(f"sensors.make: size must be one of {', '.join(SIZES)}, got {size!r}; try size='small'")
    devices, days = SIZES[size]
    n = days * DAY
    normal = Normals(seed)
    drifting = sorted({3 + seed % 5, devices - 5})
    stuck, dead = devices // 2 + 1, devices // 3 + 1
    lost = in_bad_state(normal.bits, devices, n, *LOSS)
    dies = n // 2 + 77
    lost[dead, dies:] = True
    offline = in_bad_state(normal.bits, devices, n, *OFFLINE)
    arrival = np.stack([arrivals(a, b) for a, b in zip(lost, offline, strict=True)])
    clock = np.arange(n) / DAY
    weather = 3 * np.round(np.sin(2 * np.pi * (clock - 0.4)), 6) + 1.5 * remembering(normal(n, 1), 900.0)[:, 0]
    own = np.stack([0.3 * remembering(normal(n, 1), 60.0)[:, 0] for _ in range(devices)])
    warm = 14 + weather + own + 0.5 * normal(devices)[:, None] + 0.05 * normal(devices * n).reshape(devices, n)
    wet = np.clip(70 - 4 * (warm - 14) + 2 * normal(devices)[:, None] + normal(devices * n).reshape(devices, n), 5, 100)
    warm[drifting] += DRIFT * clock
    wet[stuck, n // 3 :] = wet[stuck, n // 3]
    pressure = 1013 + 4 * remembering(normal(n, 1), 2000.0)[:, 0] + 0.1 * normal(devices * n).reshape(devices, n)
    battery = 4.1 - 0.02 * clock + 0.005 * normal(devices * n).reshape(devices, n)
    values = np.stack(
        [np.round(x, digits) for x, digits in ((warm, 2), (wet, 1), (pressure, 1), (battery, 2))], axis=-1
    )
    values[arrival < 0] = np.nan
    return GenResult(
        arrays={"values": values.astype("f4"), "arrival": arrival},
        dims={"values": ("device", "minute", "metric"), "arrival": ("device", "minute")},
        units={"values": "degrees Celsius, %, hPa, V", "arrival": "minute of arrival, -1 for never"},
        truth={"drifting": drifting, "stuck": stuck, "dead": dead, "dies": dies},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def in_bad_state(bits: np.random.PCG64, devices: int, n: int, worse: float, better: float) -> np.ndarray:
    """Booleans (device, minute) of a chain of two states, which begins in the good one."""
    chance = (bits.random_raw(devices * n) * 2.0**-64).reshape(n, devices)
    bad = np.zeros((n, devices), dtype=bool)
    for minute in range(1, n):
        before = bad[minute - 1]
        bad[minute] = np.where(before, chance[minute] >= better, chance[minute] < worse)
    return bad.T


def arrivals(lost: np.ndarray, offline: np.ndarray) -> np.ndarray:
    """When each reading of a device arrives: at once, never (-1), or after the outage, one old reading a minute."""
    n = len(lost)
    arrival = np.where(lost, -1, np.arange(n)).astype("i4")
    following, soonest = np.empty(n + 1, dtype=int), n  # the first minute online from each on
    for minute in range(n, -1, -1):
        soonest = minute if minute == n or not offline[minute] else soonest
        following[minute] = soonest
    sent = -1
    for minute in np.flatnonzero(offline & ~lost).tolist():
        sent = max(sent + 1, minute + 1)
        sent = int(following[sent]) if sent <= n else sent
        arrival[minute] = sent
    return arrival


def runs(mask: np.ndarray) -> np.ndarray:
    """The lengths of all runs of True along the last axis."""
    edges = np.diff(np.pad(mask, [(0, 0), (1, 1)]).astype("i1"), axis=-1)
    return np.nonzero(edges == -1)[1] - np.nonzero(edges == 1)[1]


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    values, arrival = result.arrays["values"].astype(float), result.arrays["arrival"]
    alive = (arrival[:, -180:] >= 0).any(axis=1)  # a dead device would count as one long run
    values, arrival = values[alive], arrival[alive]
    lost, minutes = arrival < 0, np.arange(arrival.shape[1])
    fleet = np.nanmean(values, axis=0)
    by_minute = fleet[:, 0].reshape(-1, DAY).mean(axis=0)
    late = arrival > minutes
    delay = (arrival - minutes)[late]
    return {
        "share of lost readings": (float(lost.mean()), 0.028, 0.050),
        "mean run of lost readings, minutes": (float(runs(lost).mean()), 15.0, 25.0),
        "share of late readings": (float(late.mean()), 0.008, 0.06),
        "mean delay of late readings, minutes": (float(delay.mean()) if delay.size else 0.0, 150.0, 700.0),
        "humidity against temperature": (float(np.corrcoef(fleet[:, 0], fleet[:, 1])[0, 1]), -1.0, -0.8),
        "warmest minute of the day against the coldest": (float(np.ptp(by_minute)), 3.0, 12.0),
        "correlation of neighbours in time": (float(np.corrcoef(fleet[1:, 0], fleet[:-1, 0])[0, 1]), 0.99, 1.0),
        "fall of the battery, volts a day": (float(-np.polyfit(minutes / DAY, fleet[:, 3], 1)[0]), 0.01, 0.04),
    }
