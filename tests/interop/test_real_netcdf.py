"""Real NetCDF files read through references: every variable equal to h5netcdf's, and only its own bytes are asked for.

The files are those of iris-sample-data (Met Office): a scenario of temperatures and a month of an ocean model.
"""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr.stores import ReferenceStore, TraceStore

pytestmark = pytest.mark.interop
iris_sample_data = pytest.importorskip("iris_sample_data", reason="pip install iris-sample-data==2.5.2")
h5netcdf = pytest.importorskip("h5netcdf")
h5py = pytest.importorskip("h5py")


def files():
    folder = Path(iris_sample_data.path)
    return [folder / "A1B_north_america.nc", *sorted(folder.glob("NEMO/*.nc"))[:1]]


def references(path):
    """The numbers of a file as a reference set of format 2: their chunks, or the one range of what has none."""
    refs = {".zgroup": '{"zarr_format": 2}'}
    with h5py.File(path) as file:
        for name, v in file.items():
            if not isinstance(v, h5py.Dataset) or v.dtype.kind not in "iuf" or v.shape is None:
                continue
            filters = [{"id": "shuffle", "elementsize": v.dtype.itemsize}] if v.shuffle else []
            filters += [{"id": "zlib", "level": v.compression_opts}] if v.compression == "gzip" else []
            document = {"zarr_format": 2, "shape": v.shape, "chunks": v.chunks or v.shape, "dtype": v.dtype.str}
            document |= {"fill_value": None, "order": "C", "filters": filters or None, "compressor": None}
            refs[f"{name}/.zarray"] = json.dumps(document)
            if v.chunks:
                chunks = [v.id.get_chunk_info(k) for k in range(v.id.get_num_chunks())]
                for chunk in chunks:
                    index = [at // n for at, n in zip(chunk.chunk_offset, v.chunks, strict=True)]
                    refs[f"{name}/{'.'.join(map(str, index))}"] = [path.name, chunk.byte_offset, chunk.size]
                continue
            where = v.id.get_offset()  # None where the numbers stand in the header, or were never written
            inline = "base64:" + base64.b64encode(np.asarray(v[()]).tobytes()).decode()
            whole = [path.name, where, v.id.get_storage_size()] if where is not None else inline
            refs[f"{name}/{'.'.join(['0'] * max(v.ndim, 1))}"] = whole
    return refs


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_every_variable_of_a_real_file_is_that_of_h5netcdf(path, tmp_path):
    (tmp_path / path.name).symlink_to(path)
    place = tmp_path / "set.json"
    place.write_text(json.dumps(references(path)))
    store = TraceStore(ReferenceStore(str(place), roots=[tmp_path, path.parent]))
    group = zarr.open_group(store, mode="r")
    with h5netcdf.File(path) as file:
        numbers = {name: v for name, v in file.variables.items() if v.dtype.kind in "iuf"}
        assert len(numbers) >= 4
        for name, theirs in numbers.items():
            store.clear()
            values = group[name][...]
            np.testing.assert_array_equal(values, theirs[...])
            assert values.dtype == theirs.dtype.newbyteorder("=")
            assert store.count("GET") <= group[name].nchunks + 2  # its document is asked for in two formats
