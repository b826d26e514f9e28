#!/usr/bin/env bash
# zarrita (JavaScript) and the checksum that a chunk or a shard's index carries.
#
# Versions   zarrita 0.7.5 and @zarrita/storage 0.2.0 (npm), zarr 3.4.2 and numpy 2.5.5 (PyPI); Node 20, Python 3.12
# Input      two valid Zarr 3 arrays of int32, one with the codec crc32c and one in shards, whose index has a crc32c;
#            then one bit is turned in the chunk of the first, and the first two entries of the other's index change
#            places, with the checksum left as it was
# Seen       zarrita cuts the four bytes of the checksum off and looks at none: it reads 65 for 1 in the first, and the
#            two chunks of the second in each other's place. zarr-python refuses both.
# Why it matters: the specification of crc32c says that decoding is to fail on a mismatch, and whoever pays four bytes
#            a chunk for it expects that; here damage becomes numbers, and nothing says so.
# Fails (exit 1) when that changes. Needs python3.12, node, npm and a registry of each; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v && v/bin/python -m pip install --quiet --disable-pip-version-check zarr==3.4.2 numpy==2.5.5
npm init -y >/dev/null && npm install --silent zarrita@0.7.5 @zarrita/storage@0.2.0 >/dev/null

v/bin/python - <<'PY' >python.txt
import pathlib
import numpy, zarr
from zarr.codecs import Crc32cCodec
data = numpy.arange(1, 5, dtype="int32")
root = zarr.open_group("s.zarr", mode="w")
root.create_array("chunk", data=data, chunks=(4,), compressors=[Crc32cCodec()])
root.create_array("index", data=data, chunks=(2,), shards=(4,), compressors=None)
chunk, shard = pathlib.Path("s.zarr/chunk/c/0"), pathlib.Path("s.zarr/index/c/0")
bytes_ = bytearray(chunk.read_bytes())
bytes_[0] ^= 64
chunk.write_bytes(bytes_)
bytes_ = shard.read_bytes()
assert len(bytes_) == 16 + 2 * 16 + 4  # two chunks, their offsets and lengths, the checksum
shard.write_bytes(bytes_[:16] + bytes_[32:48] + bytes_[16:32] + bytes_[48:])
for name in ("chunk", "index"):
    try:
        print(name, *root[name][:])
    except ValueError as refusal:
        print(name, "refused:", "checksum" in str(refusal).lower())
PY
cat >read.mjs <<'JS'
import * as zarr from "zarrita";
import Files from "@zarrita/storage/fs";
const root = zarr.root(new Files(process.argv[2]));
for (const name of ["chunk", "index"]) {
  const array = await zarr.open(root.resolve(name), { kind: "array" });
  console.log(name, ...(await zarr.get(array)).data);
}
JS
node read.mjs "$work/s.zarr" >javascript.txt

echo "zarr-python:"; cat python.txt; echo "zarrita:"; cat javascript.txt
[ "$(cat python.txt)" = "chunk refused: True
index refused: True" ] || { echo "CHANGED: zarr-python"; exit 1; }
[ "$(cat javascript.txt)" = "chunk 65 2 3 4
index 3 4 1 2" ] || { echo "CHANGED: zarrita"; exit 1; }
echo "as described"
