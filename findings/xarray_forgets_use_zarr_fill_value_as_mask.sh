#!/usr/bin/env bash
# xarray: use_zarr_fill_value_as_mask of open_zarr, which its documentation offers for zeros that are data and not holes.
#
# Versions   xarray 2026.9.0, zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      four bytes, 1 and 2 written and two never written, fill value 0; once in Zarr format 2, once in format 3; each
#            opened with the argument as None, True and False
# Seen       The argument changes nothing. Format 2 is masked in all three cases (float32, the zeros are NaN), though False
#            promises not to mask; format 3 is masked in none (uint8), though True promises to.
# Why        open_zarr and open_dataset take the argument, and the store behind them is opened with None.
# Why it matters: whoever has real zeros in format 2, and follows the documentation, still loses them; whoever has holes
#            in format 3 still reads them as measurements. Without an error in either case.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check xarray==2026.9.0 zarr==3.4.2 numpy==2.5.5
v/bin/python - <<'PY' >seen.txt
import xarray as xr
import zarr

for zarr_format in (2, 3):
    path = f"v{zarr_format}.zarr"
    named = {"attributes": {"_ARRAY_DIMENSIONS": ["x"]}} if zarr_format == 2 else {"dimension_names": ["x"]}
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    array = group.create_array("m", shape=(4,), dtype="u1", chunks=(2,), fill_value=0, **named)
    array[:2] = [1, 2]
    for wanted in (None, True, False):
        by_zarr = xr.open_zarr(path, consolidated=False, use_zarr_fill_value_as_mask=wanted)["m"]
        by_engine = xr.open_dataset(path, engine="zarr", consolidated=False, use_zarr_fill_value_as_mask=wanted)["m"]
        print(zarr_format, wanted, by_zarr.dtype, by_engine.dtype, int(by_zarr.isnull().sum()))
PY
cat seen.txt
[ "$(cat seen.txt)" = "2 None float32 float32 2
2 True float32 float32 2
2 False float32 float32 2
3 None uint8 uint8 0
3 True uint8 uint8 0
3 False uint8 uint8 0" ] || { echo "CHANGED"; exit 1; }
echo "as described"
