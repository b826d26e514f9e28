#!/usr/bin/env bash
# numcodecs' Categorize and a value that is not among its labels.
#
# Versions   numcodecs 0.17.1, zarr 3.4.2, numpy 2.5.5, pandas 3.1.1 (PyPI); Python 3.12
# Input      the text array ["A", "B", "C"] into a Zarr 2 array with the filter Categorize(labels=["A", "B"])
# Seen       no error, no warning; it reads back as ["A", "B", ""]. The stored byte is 0, for "none of them".
#            pandas.Categorical with the same categories makes NaN of it, which can be told from a text; "" cannot be
#            told from an empty text that was written: ["A", "B", ""] gives the same three bytes.
# Why it matters: a class, a station or a ticker that turns up after the array was laid out is gone.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check numcodecs==0.17.1 zarr==3.4.2 numpy==2.5.5 pandas==3.1.1
v/bin/python -W ignore - <<'PY' >seen.txt
import numcodecs, numpy as np, pandas as pd, zarr
for values in (["A", "B", "C"], ["A", "B", ""]):
    store = {}
    array = zarr.create_array(store, shape=(3,), chunks=(3,), dtype="<U4", zarr_format=2, compressors=None,
                              filters=[numcodecs.Categorize(labels=["A", "B"], dtype="<U4", astype="u1")])
    array[:] = np.array(values)
    print(values, array[:].tolist(), list(store["0"].to_bytes()))
print("pandas", pd.Categorical(["A", "B", "C"], categories=["A", "B"]).isna().tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "['A', 'B', 'C'] ['A', 'B', ''] [1, 2, 0]
['A', 'B', ''] ['A', 'B', ''] [1, 2, 0]
pandas [False, False, True]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
