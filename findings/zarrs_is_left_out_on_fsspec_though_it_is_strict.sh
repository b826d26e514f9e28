#!/usr/bin/env bash
# zarr-python with the zarrs pipeline in strict mode, on a store of fsspec that zarrs does not know.
#
# Versions   zarr 3.4.2, zarrs 0.2.3, fsspec 2026.9.0, numpy 2.5.5 (PyPI); Python 3.12
# Input      codec_pipeline.path is zarrs.ZarrsCodecPipeline and codec_pipeline.strict is True; an array in a folder, and
#            one in fsspec's memory://
# Seen       in the folder the array has the ZarrsCodecPipeline; in memory:// it has the BatchedCodecPipeline of
#            zarr-python, and reads and writes by that. There is no error and no warning.
# Why it matters: strict asks for an error where zarrs cannot do it. Who measures zarrs on such a store measures
#            zarr-python.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check zarr==3.4.2 zarrs==0.2.3 fsspec==2026.9.0 numpy==2.5.5
v/bin/python -W error::UserWarning - <<'PY' >seen.txt
import numpy as np, zarr, zarrs
zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline", "codec_pipeline.strict": True})
for store in ("folder.zarr", zarr.storage.FsspecStore.from_url("memory://a.zarr")):
    array = zarr.create_array(store, data=np.arange(4), chunks=2)
    print(type(array._async_array.codec_pipeline).__name__, array[:].tolist())
PY
cat seen.txt
[ "$(cat seen.txt)" = "ZarrsCodecPipeline [0, 1, 2, 3]
BatchedCodecPipeline [0, 1, 2, 3]" ] || { echo "CHANGED"; exit 1; }
echo "as described"
