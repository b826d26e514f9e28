#!/usr/bin/env bash
# numcodecs' decode(data, out=...) where `out` has more room than the decoded data.
#
# Versions   numcodecs 0.17.1, numpy 2.5.5 (PyPI); Python 3.12
# Input      eight bytes, encoded by ten codecs with their defaults, decoded into a buffer of twelve bytes of 255
# Seen       zstd, lz4, blosc, gzip, shuffle and fletcher32 return all twelve bytes and say nothing: the last four are
#            what was in the buffer before. zlib, bz2, lzma and crc32 raise. One codec does both: a zstd frame that does
#            not state its size is refused, one that does is taken.
# Why it matters: `out` is how a reader of chunks spares a copy; what comes back has the right shape, so a chunk that
#            is too short passes for whole, with the elements of the chunk that was decoded there before.
# Fails (exit 1) when that changes. Needs python3.12 and PyPI; writes to a temporary folder.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; cd "$work"
"${PYTHON:-python3.12}" -m venv v
v/bin/python -m pip install --quiet --disable-pip-version-check numcodecs==0.17.1 numpy==2.5.5
v/bin/python -W ignore - <<'PY' >seen.txt
import numcodecs, numpy as np

def into_twelve(codec, encoded):
    try:
        found = codec.decode(encoded, out=np.full(12, 255, "u1"))
    except (ValueError, RuntimeError):
        return "refused"
    return " ".join(map(str, np.asarray(found)))

data = bytes(range(8))
for codec in (numcodecs.Zstd(), numcodecs.LZ4(), numcodecs.Blosc(), numcodecs.GZip(), numcodecs.Shuffle(4),
              numcodecs.Fletcher32(), numcodecs.Zlib(), numcodecs.BZ2(), numcodecs.LZMA(), numcodecs.CRC32()):
    print(codec.codec_id, into_twelve(codec, codec.encode(data)))
# RFC 8878: one raw block, the last one, of eight bytes; a window of 1 KiB and no content size in the header
frame = bytes.fromhex("28b52ffd 00 00 410000") + data
assert bytes(numcodecs.Zstd().decode(frame)) == data
print("zstd without its size", into_twelve(numcodecs.Zstd(), frame))
PY
cat seen.txt
[ "$(cat seen.txt)" = "zstd 0 1 2 3 4 5 6 7 255 255 255 255
lz4 0 1 2 3 4 5 6 7 255 255 255 255
blosc 0 1 2 3 4 5 6 7 255 255 255 255
gzip 0 1 2 3 4 5 6 7 255 255 255 255
shuffle 0 1 2 3 4 5 6 7 255 255 255 255
fletcher32 0 1 2 3 4 5 6 7 255 255 255 255
zlib refused
bz2 refused
lzma refused
crc32 refused
zstd without its size refused" ] || { echo "CHANGED"; exit 1; }
echo "as described"
