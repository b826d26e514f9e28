"""Build ``mni152_t1_1mm.npz`` from the package nilearn 0.14.1, which ships the ICBM 152 template (see LICENSES.md).

    python -m pip install numpy nilearn==0.14.1
    python data_gen/vendor/build_brain.py

The source is ``mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz``: the T1-weighted average of 152 brains without their
skulls, 197 x 233 x 189 voxels of 1 mm, uint8. It is the same left and right, voxel for voxel, so one half of it is
kept with the middle. Of that half the differences along the three axes are stored, which makes the file smaller by a
quarter; sums bring the voxels back exactly. nilearn is not imported, and the header of the file is read here.
"""

import gzip
import struct
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from data_gen.vendor import write_checksum

NAME = "nilearn/datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
HEADER = 352  # bytes, of a NIfTI-1 file without extensions


def main() -> None:
    """Write the file and its line in SHA256SUMS."""
    content = gzip.decompress(Path(distribution("nilearn").locate_file(NAME)).read_bytes())
    extent, kind = struct.unpack_from("<3h", content, 42), struct.unpack_from("<h", content, 70)[0]
    rows = np.array(struct.unpack_from("<12f", content, 280)).reshape(3, 4)  # from voxels to mm: x, y, z
    if extent != (197, 233, 189) or kind != 2 or not np.array_equal(rows[:, :3], np.eye(3)):
        raise ValueError(f"{NAME}: expected 197 x 233 x 189 voxels of 1 mm, uint8, found {extent}, type {kind}, {rows}")
    brain = np.frombuffer(content, np.uint8, offset=HEADER).reshape(extent[::-1])  # z, y, x
    if not np.array_equal(brain, brain[:, :, ::-1]):
        raise ValueError(f"{NAME}: expected the same left and right")
    differences = brain[:, :, :99]
    for axis in range(3):
        differences = np.diff(differences, axis=axis, prepend=np.uint8(0))  # modulo 256
    target = Path(__file__).with_name("mni152_t1_1mm.npz")
    np.savez_compressed(target, differences=differences, origin=rows[::-1, 3])
    print(f"{target.name}: {target.stat().st_size} bytes, sha256 {write_checksum(target)}")


if __name__ == "__main__":
    main()
