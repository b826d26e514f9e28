#!/usr/bin/env bash
# zarrita (JavaScript) and the letters of netCDF-C, whose type is >S1.
#
# Versions   netCDF4 1.7.5.1.post1 (netCDF-C 4.10.1) and numpy 2.5.5 (PyPI), zarrita 0.7.5 and @zarrita/storage 0.2.0
#            (npm); Python 3.12, Node 20
# Input      S1 variables of eight letters, a to h, and of six, a to f, written by netCDF-C as Zarr 2, in one chunk each
# Seen       zarrita turns every four letters round, d c b a h g f e, and of six the last two are empty: d c b a. netCDF-C
#            gives the type a byte order (`>S1`), which says nothing where an element is one byte; zarrita swaps bytes by
#            the four. With |S1 in .zarray, which means the same, it reads the letters as they were written.
# Why it matters: station names and other text of a dataset come out reversed or cut, and nothing says so.
# Fails (exit 1) when that changes. Needs python3.12, node, npm and a registry of each; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check netCDF4==1.7.5.1.post1 numpy==2.5.5
npm init -y >/dev/null && npm install --silent zarrita@0.7.5 @zarrita/storage@0.2.0 >/dev/null
v/bin/python - <<'PY'
import os
import netCDF4, numpy as np
with netCDF4.Dataset(f"file://{os.path.abspath('s.zarr')}#mode=zarr,file", "w") as root:
    for name, letters in (("eight", "abcdefgh"), ("six", "abcdef")):
        root.createDimension(name, len(letters))
        root.createVariable("letters_" + name, "S1", (name,))[:] = np.array(list(letters), "S1")
PY
cat >read.mjs <<'JS'
import * as zarr from "zarrita";
import Files from "@zarrita/storage/fs";
const root = zarr.root(new Files(process.argv[2]));
for (const [name, length] of [["eight", 8], ["six", 6]]) {
  const array = await zarr.open.v2(root.resolve(`letters_${name}`), { kind: "array" });
  const { data } = await zarr.get(array);
  console.log(Array.from({ length }, (_, i) => data.get(i) || ".").join(" "));
}
JS
{
    grep -o '"dtype": "[^"]*"' s.zarr/letters_six/.zarray
    node read.mjs "$work/s.zarr"
    sed -i 's/>S1/|S1/' s.zarr/letters_*/.zarray
    node read.mjs "$work/s.zarr"
} >seen.txt
cat seen.txt
[ "$(cat seen.txt)" = '"dtype": ">S1"
d c b a h g f e
d c b a . .
a b c d e f g h
a b c d e f' ] || { echo "CHANGED"; exit 1; }
echo "as described"
