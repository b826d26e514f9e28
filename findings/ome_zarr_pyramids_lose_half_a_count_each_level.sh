#!/usr/bin/env bash
# ome-zarr's write_image with its defaults on images of integers: the mean of each level of the pyramid.
#
# Versions   ome-zarr 0.21.0, zarr 3.4.2, dask 2026.8.0, scikit-image 0.26.0, scipy 1.18.1, numpy 2.5.5 (PyPI);
#            Python 3.12
# Input      256 x 256 counts drawn from a Poisson distribution of mean 3, as uint16 and, the same numbers, as float32;
#            a chequered uint8 image of 0 and 1
# Seen       float32   3.00 3.00 3.00 3.00 3.00
#            uint16    3.00 2.50 2.00 1.52 1.00   half a count less at every level, a third is left in the fourth
#            board     0.50 0.00 0.00 0.00 0.00   nothing is left
#            Averages are cut to integers, not rounded, and each level is made of the one before, so the losses add up.
#            method="local_mean" loses in the same way (3.00 2.62 2.24 1.95 1.80). No warning.
# Why it matters: photon counts, transcripts in a pixel and dim fluorescence are of this size; a viewer or a script
#            that takes a coarse level to be quick sees, and measures, a darker sample, and levels cannot be compared.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check ome-zarr==0.21.0 zarr==3.4.2 dask==2026.8.0 \
    scikit-image==0.26.0 scipy==1.18.1 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import numpy as np, zarr
from ome_zarr.scale import Methods
from ome_zarr.writer import write_image

counts = np.random.default_rng(0).poisson(3, (256, 256))
board = np.indices((64, 64)).sum(0) % 2
for name, image, options in (
    ("float32", counts.astype("f4"), {}),
    ("uint16", counts.astype("u2"), {}),
    ("uint16, local_mean", counts.astype("u2"), {"method": Methods.LOCAL_MEAN}),
    ("board", board.astype("u1"), {}),
):
    group = zarr.open_group(f"{name}.zarr", mode="w")
    write_image(image, group, axes="yx", **options)
    print(name, *[f"{group[f's{level}'][...].mean(dtype='f8'):.2f}" for level in range(5)])
PY
cat seen.txt
[ "$(cat seen.txt)" = "float32 3.00 3.00 3.00 3.00 3.00
uint16 3.00 2.50 2.00 1.52 1.00
uint16, local_mean 3.00 2.62 2.24 1.95 1.80
board 0.50 0.00 0.00 0.00 0.00" ] || { echo "CHANGED"; exit 1; }
echo "as described"
