#!/usr/bin/env bash
# zarr-python: a LoggingStore whose array is opened for reading alone. Who counts?
#
# Versions   zarr 3.4.2, numpy 2.5.5 (PyPI); Python 3.12
# Input      an array of eight chunks in memory, opened through a LoggingStore with mode "r+" and with mode "r"; the
#            counter is emptied, two chunks are read
# Seen       "r+": the store that was given has counted 2 gets. "r": it has counted nothing, an empty counter. A
#            wrapper without write access is made around the same memory, with a counter of its own, which has
#            the 2 gets and those of opening; it hangs on the array (array.store.counter).
# Why it matters: the store is how one shows what a read costs, and a read is opened with "r". A count of 0 looks like
#            a cache that works.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check zarr==3.4.2 numpy==2.5.5
v/bin/python - <<'PY' >seen.txt
import numpy as np
import zarr
from zarr.storage import LoggingStore, MemoryStore

for mode in ("r+", "r"):
    memory = MemoryStore()
    zarr.create_array(memory, shape=(64,), chunks=(8,), dtype="i4")[:] = np.arange(64)
    given = LoggingStore(memory, log_level="ERROR")
    array = zarr.open_array(given, mode=mode)
    given.counter.clear()
    assert array[8:16].sum() == 92
    assert array[24:32].sum() == 220
    print(mode, dict(given.counter), array.store is given, array.store.counter["get"] >= 2)
PY
cat seen.txt
[ "$(cat seen.txt)" = "r+ {'get': 2} True True
r {} False True" ] || { echo "CHANGED"; exit 1; }
echo "as described"
