#!/usr/bin/env bash
# A chunk that zarr-python has written twice into a zip file, taken out with unzip.
#
# Versions   zarr 3.4.2, numpy 2.5.5 (PyPI), Python 3.12; Info-ZIP UnZip 6.00 (Debian 12)
# Input      a ZipStore opened with mode "w"; one uncompressed chunk of two bytes, written as "AB", then as "CD"
# Seen       zarr reads "CD". The file holds two entries of one name (zipfile warns while writing).
#            `unzip -p file c/0` prints "ABCD": both generations, one after the other, exit code 0.
#            `unzip -o` leaves "CD" on the disk, since the later entry overwrites the earlier one.
# Why it matters: `unzip -p ... | sha256sum` and pipelines that stream a member see bytes that no reader of the store
#            ever sees, four where the chunk has two.
# Fails (exit 1) when that changes. Needs python3.12, unzip and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v && v/bin/python -m pip install --quiet --disable-pip-version-check zarr==3.4.2 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import zarr
store = zarr.storage.ZipStore("a.zip", mode="w")
array = zarr.create_array(store, shape=(2,), chunks=(2,), dtype="uint8", compressors=None)
array[:] = list(b"AB")
array[:] = list(b"CD")
store.close()
print("zarr", bytes(zarr.open_array(zarr.storage.ZipStore("a.zip", mode="r"))[:]).decode())
PY
echo "unzip -p $(unzip -p a.zip c/0)" >>seen.txt
unzip -q -o a.zip -d out && echo "unzip -o $(cat out/c/0)" >>seen.txt
cat seen.txt
[ "$(cat seen.txt)" = "zarr CD
unzip -p ABCD
unzip -o CD" ] || { echo "CHANGED"; exit 1; }
echo "as described"
