#!/usr/bin/env bash
# zarrita (JavaScript) and fill values of 64 bits that a double cannot hold.
#
# Versions   zarrita 0.7.5 and @zarrita/storage 0.2.0 (npm), zarr 3.4.2 and numpy 2.5.5 (PyPI); Node 20, Python 3.12
# Input      valid Zarr 3 arrays of int64 and uint64 without chunks: every element is the fill value
# Seen       int64, fill value 9007199254740993 (2^53 + 1): every element is 9007199254740992, one less
#            uint64, fill value 18446744073709551615 (2^64 - 1): every element is 0, not merely rounded
#            zarr-python reads both as written. The document is read with JSON.parse, whose numbers are doubles.
# Why it matters: 2^64 - 1 is the usual "no label" and "missing" of label images and indexes; here it becomes label 0,
#            the background, and nothing says so.
# Fails (exit 1) when that changes. Needs python3.12, node, npm and a registry of each; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v && v/bin/python -m pip install --quiet --disable-pip-version-check zarr==3.4.2 numpy==2.5.5
npm init -y >/dev/null && npm install --silent zarrita@0.7.5 @zarrita/storage@0.2.0 >/dev/null

v/bin/python - <<'PY' >python.txt
import zarr
root = zarr.open_group("s.zarr", mode="w")
root.create_array("i", shape=(2,), chunks=(2,), dtype="int64", fill_value=2**53 + 1)
root.create_array("u", shape=(2,), chunks=(2,), dtype="uint64", fill_value=2**64 - 1)
for name in "iu":
    print(name, *root[name][:])
PY
cat >read.mjs <<'JS'
import * as zarr from "zarrita";
import Files from "@zarrita/storage/fs";
const root = zarr.root(new Files(process.argv[2]));
for (const name of ["i", "u"]) {
  const array = await zarr.open(root.resolve(name), { kind: "array" });
  console.log(name, ...Array.from((await zarr.get(array)).data, String));
}
JS
node read.mjs "$work/s.zarr" >javascript.txt

echo "zarr-python:"; cat python.txt; echo "zarrita:"; cat javascript.txt
[ "$(cat python.txt)" = "i 9007199254740993 9007199254740993
u 18446744073709551615 18446744073709551615" ] || { echo "CHANGED: zarr-python"; exit 1; }
[ "$(cat javascript.txt)" = "i 9007199254740992 9007199254740992
u 0 0" ] || { echo "CHANGED: zarrita"; exit 1; }
echo "as described"
