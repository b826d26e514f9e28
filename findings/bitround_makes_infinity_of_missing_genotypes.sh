#!/usr/bin/env bash
# numcodecs' BitRound on the two NaNs by which VCF Zarr marks "missing" and "no such entry".
#
# Versions   numcodecs 0.17.1, zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      float32 values with the bit patterns that VCF Zarr prescribes, 0x7F800001 (missing) and 0x7F800002 (fill),
#            an ordinary NaN (0x7FC00000), one of payload all ones (0x7FFFFFFF), and 0.1; keepbits from 3 to 23
# Seen       keepbits=10, through an array of zarr-python: missing and fill are read as +infinity, the NaN of all ones
#            as -0.0; the ordinary NaN stays, 0.1 becomes 0.099975586. With keepbits=23 all patterns stay.
#            Rounding adds to the bits as if they were a number: a small payload is rounded away, a large one carries
#            into the sign.
# Why it matters: qualities, depths and likelihoods are what one wants to shorten; the missing ones become infinite,
#            which `isnan` does not find and `mean` does not survive.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check numcodecs==0.17.1 zarr==3.4.2 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import numcodecs, numpy as np, zarr
bits = np.array([0x7F800001, 0x7F800002, 0x7FC00000, 0x7FFFFFFF, np.float32(0.1).view("u4")], "u4")
for keep in (10, 23):
    array = zarr.create_array({}, shape=(5,), chunks=(5,), dtype="float32", fill_value=1, zarr_format=2,
                              filters=[numcodecs.BitRound(keepbits=keep)], compressors=None)
    array[:] = bits.view("f4")
    print(keep, *[f"{value:.9g}" for value in array[:]], *[f"{word:08x}" for word in array[:].view("u4")])
PY
cat seen.txt
[ "$(cat seen.txt)" = "10 inf inf nan -0 0.0999755859 7f800000 7f800000 7fc00000 80000000 3dccc000
23 nan nan nan nan 0.100000001 7f800001 7f800002 7fc00000 7fffffff 3dcccccd" ] || { echo "CHANGED"; exit 1; }
echo "as described"
