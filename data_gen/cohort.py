"""A week of hourly readings of patients in intensive care: three signs that a monitor takes, three values from a lab.

Imitates: a cohort as hospitals keep it. Every patient has a severity that changes slowly, over days, and moves all
measures: heart rate and lactate up, oxygen saturation down. A monitor reads nearly every hour and falls out for hours
at a time. A lab value is there only when somebody asked for it, which is done more often the sicker a patient is, so
that what is missing says something (informative missingness: Che and others 2018, "Recurrent Neural Networks for
Multivariate Time Series with Missing Values"; in their intensive care data about 80 % of all values are missing).
Records have random numbers of nine digits.

Not real: nobody is treated, discharged, or dies; six measures instead of dozens; hourly means, in order, in one unit
each. The patients are nobody's: no value comes from a person.

Its realism test holds it to ranges that living patients have, to that share of missing values, and to the two ways in
which what is missing informs.

>>> result = make("tiny")
>>> result.arrays["vitals"].shape, len(set(result.arrays["record"].tolist()))
((16, 6, 168), 16)
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult
from data_gen.draws import Normals, remembering

PATIENTS = {"tiny": 16, "small": 64, "large": 512}
HOURS = 168
MEASURES = ("heart rate", "oxygen saturation", "temperature", "lactate", "creatinine", "glucose")
UNITS = ("1/min", "%", "degrees Celsius", "mmol/L", "mg/dL", "mg/dL")


def make(size: str = "small", seed: int = 0) -> GenResult:
    """Readings (patient, measure, hour), NaN where there is none: "tiny" 16 patients, "small" 64, "large" 512."""
    if size not in PATIENTS:
        raise ValueError(f"cohort.make: size must be one of {', '.join(PATIENTS)}, got {size!r}; try size='small'")
    n, normal = PATIENTS[size], Normals(seed)
    person = normal(3, n)
    severity = 0.8 * person[0] + 0.6 * remembering(normal(HOURS, n), 30.0)
    wobble = [remembering(normal(HOURS, n), tau) for tau in (4.0, 3.0, 8.0, 12.0, 40.0, 5.0)]
    hour = np.arange(HOURS)[:, None] % 24
    day = np.cos(2 * np.pi * (hour - 16) / 24)
    values = [
        86 + 11 * severity + 5 * person[1] + 3 * day + 4 * wobble[0],
        100 - np.exp(1.1 + 0.35 * severity + 0.25 * wobble[1]),
        37.1 + 0.35 * severity + 0.25 * day + 0.25 * wobble[2],
        np.exp(0.45 + 0.45 * severity + 0.25 * wobble[3]),
        np.exp(0.05 + 0.3 * severity + 0.3 * person[2] + 0.1 * wobble[4]),
        np.exp(4.85 + 0.1 * severity + 0.15 * person[1] + 0.15 * wobble[5]),
    ]
    digits = (1, 1, 2, 1, 2, 0)
    complete = np.stack([np.round(v, d) for v, d in zip(values, digits, strict=True)], axis=1)
    fallen_out = remembering(normal(HOURS, n), 8.0) > 1.65
    asked = [_even(normal, HOURS, n) < chance * np.exp(0.7 * severity) for chance in (0.10, 0.07, 0.13)]
    there = np.stack([~fallen_out, ~fallen_out, ~fallen_out & (_even(normal, HOURS, n) < 0.9), *asked], axis=1)
    vitals = np.where(there, complete, np.nan)
    record = 100_000_000 + np.argsort(normal.bits.random_raw(n)) * 1_000_003 + normal.bits.random_raw(n) % 1_000_000
    return GenResult(
        arrays={
            "vitals": np.ascontiguousarray(vitals.transpose(2, 1, 0)).astype(np.float32),
            "record": record.astype(np.int64),
        },
        dims={"vitals": ("patient", "measure", "hour"), "record": ("patient",)},
        units={"vitals": ", ".join(UNITS), "record": "1"},
        truth={"mean of all hours": complete.mean((0, 2)).round(4).tolist()},
        provenance={"source": f"computed; chance from PCG64, seed {seed}", "licence": "none needed"},
    )


def _even(normal: Normals, *shape: int) -> np.ndarray:
    return normal.bits.random_raw(int(np.prod(shape))).reshape(shape) * 2.0**-64


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    vitals = result.arrays["vitals"].astype(np.float64)
    there = ~np.isnan(vitals)
    heart, oxygen, lactate = vitals[:, 0], vitals[:, 1], vitals[:, 3]
    counts = there[:, 3:].sum((1, 2))
    centred = heart - np.nanmean(heart)
    pairs = centred[:, 1:] * centred[:, :-1]
    inside = (heart > 30) & (heart < 200) & (oxygen > 50) & (oxygen <= 100) | ~there[:, 0]
    out = ~there[:, 0]
    return {
        "share of readings that living patients have": (float(inside.mean()), 1.0, 1.0),
        "mean heart rate": (float(np.nanmean(heart)), 80.0, 95.0),
        "mean oxygen saturation": (float(np.nanmean(oxygen)), 95.0, 98.0),
        "share of lab values that are missing": (float(1 - there[:, 3:].mean()), 0.78, 0.93),
        "share of heart rates that are missing": (float(out.mean()), 0.02, 0.1),
        "correlation of lab tests and heart rate, by patient": (
            float(np.corrcoef(counts, np.nanmean(heart, axis=1))[0, 1]),
            0.4,
            0.95,
        ),
        "measured lactate against that of all hours": (
            float(np.nanmean(lactate) / result.truth["mean of all hours"][3]),
            1.1,
            1.8,
        ),
        "a missing hour after a missing one": (float(out[:, 1:][out[:, :-1]].mean()), 0.35, 0.85),
        "correlation of heart rates an hour apart": (float(np.nanmean(pairs) / np.nanmean(centred**2)), 0.7, 0.99),
    }
