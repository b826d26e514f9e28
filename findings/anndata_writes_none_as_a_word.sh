#!/usr/bin/env bash
# anndata: what is missing (None) in a column or a list of mixed values, written to Zarr and to HDF5.
#
# Versions   anndata 0.13.4, zarr 3.4.2, h5py 3.16.0, pandas 3.1.1, numpy 2.5.5 (PyPI); Python 3.12
# Input      three cells; a column of `obs` with [True, None, False] or [1, None, 3]; in `uns` a list ["a", None]
# Seen       write_zarr, and read_zarr after it: ['True', 'None', 'False'], ['1', 'None', '3'], ['a', 'None'], with no
#            warning: the numbers are text, and the gap is a word of four letters, which isnull does not find.
#            write_h5ad of the very same objects raises TypeError, "Can't implicitly convert non-string objects to
#            strings", for all three. A column of text with None keeps its gap in both.
# Why it matters: tables are converted from .h5ad to .zarr for the cloud, and a pipeline that was stopped by an error
#            in one format goes on in the other, with a group of cells called None.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check anndata==0.13.4 zarr==3.4.2 h5py==3.16.0 \
    pandas==3.1.1 numpy==2.5.5
v/bin/python -W error::UserWarning - <<'PY' >seen.txt
import anndata, numpy as np, pandas as pd

def table(values=None, listed=None):
    obs = pd.DataFrame(index=["a", "b", "c"])
    if values is not None:
        obs["s"] = np.array(values, object)
    return anndata.AnnData(np.zeros((3, 1), "f4"), obs=obs, uns={} if listed is None else {"s": listed})

for given, part in ((table([True, None, False]), "obs"), (table([1, None, 3]), "obs"), (table(listed=["a", None]), "uns")):
    found = []
    for kind in ("zarr", "h5ad"):
        try:
            getattr(given, f"write_{kind}")(f"x.{kind}")
            found.append(str([str(v) for v in getattr(getattr(anndata, f"read_{kind}")(f"x.{kind}"), part)["s"]]))
        except TypeError:
            found.append("refused")
    print(*found, sep="; ")
PY
cat seen.txt
[ "$(cat seen.txt)" = "['True', 'None', 'False']; refused
['1', 'None', '3']; refused
['a', 'None']; refused" ] || { echo "CHANGED"; exit 1; }
echo "as described"
