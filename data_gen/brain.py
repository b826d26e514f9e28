"""A brain: the average of 152 of them, as a scanner for magnetic resonance sees it, in voxels of one millimetre.

Real: the T1-weighted template ICBM 152 (2009a, nonlinear, symmetric) of the Montreal Neurological Institute, with the
skull taken off. Fat and the sheaths of nerves are bright in it (white matter), cells darker (grey matter), water
nearly black. Values: brightness from 0 to 255, without a unit. Axes: z from below to above, y from the back to the
front, x from one side to the other. The centre of the first voxel lies at ``truth["origin"]``, in mm; the point
(0, 0, 0) lies in the middle, near the anterior commissure.

Not real: nobody has this brain. It is a mean of many that were bent until they fitted each other; it was made equal
left and right, which no brain is; and it is larger than most. What is outside of it is exactly 0, where a scanner
would have noise.

Its realism test: what is brain measures 1.6 to 2.0 litres (with the water around it; the template is larger than most
brains), is 165 to 190 mm long and 130 to 150 wide; left equals right; there are two hills in the brightness, of grey
and of white matter; and low at the back, where the cerebellum is, there is more of it than low at the front.

>>> result = make()
>>> result.arrays["t1"].shape, result.truth
((189, 233, 197), {'origin': [-72.0, -134.0, -98.0], 'voxel': 1.0, 'brains': 152})
"""

from __future__ import annotations

import numpy as np

from data_gen import GenResult, vendor


def make(size: str = "small", seed: int = 0) -> GenResult:
    """The whole of it ("small", 8.7 MB), or every fourth voxel on each axis ("tiny"). It has no chance in it."""
    if size not in ("small", "tiny"):
        raise ValueError(f"brain.make: size must be one of small, tiny, got {size!r}; try size='small'")
    stored = vendor.load("mni152_t1_1mm.npz")
    half = stored["differences"]
    for axis in range(3):
        half = np.cumsum(half, axis=axis, dtype=np.uint8)  # modulo 256
    brain = np.concatenate([half, half[:, :, -2::-1]], axis=2)
    step = 4 if size == "tiny" else 1
    return GenResult(
        arrays={"t1": np.ascontiguousarray(brain[::step, ::step, ::step])},
        dims={"t1": ("z", "y", "x")},
        units={"t1": "1"},
        truth={"origin": stored["origin"].tolist(), "voxel": float(step), "brains": 152},
        provenance={
            "source": "ICBM 152, 2009a nonlinear symmetric, T1, through nilearn 0.14.1",
            "licence": "Copyright (C) 1993-2004 Louis Collins, McConnell Brain Imaging Centre, Montreal Neurological "
            "Institute, McGill University; any use, with this notice",
        },
    )


def realism(result: GenResult) -> dict[str, tuple[float, float, float]]:
    """name -> (value, lowest allowed, highest allowed)."""
    brain, voxel = result.arrays["t1"], result.truth["voxel"]
    inside = brain > 0
    used = [np.flatnonzero(inside.any(axis=rest)) for rest in ((1, 2), (0, 2), (0, 1))]
    ends = [(int(each[0]), int(each[-1]) + 1) for each in used]
    (bottom, top), (back, front), _ = ends
    _, long, wide = (high - low for low, high in ends)
    hills = np.bincount(brain.ravel(), minlength=256)[:256].reshape(64, 4).sum(axis=1)  # in steps of 4
    grey, white = 36 + int(np.argmax(hills[36:49])), 49 + int(np.argmax(hills[49:]))
    low, third = inside[bottom : bottom + (top - bottom) // 3], long // 3
    return {
        "what is brain, litres": (float(inside.sum() * voxel**3 / 1e6), 1.6, 2.0),
        "its length, mm": (float(long * voxel), 165.0, 190.0),
        "its width, mm": (float(wide * voxel), 130.0, 150.0),
        "voxels that are the same on the other side": (float((brain == brain[:, :, ::-1]).mean()), 1.0, 1.0),
        "valley between grey and white, of the lower hill": (
            float(hills[grey:white].min() / min(float(hills[grey]), float(hills[white]))),
            0.3,
            0.9,
        ),
        "low at the back against low at the front": (
            float(low[:, back : back + third].sum() / max(float(low[:, front - third : front].sum()), 1.0)),
            3.0,
            8.0,
        ),
    }
