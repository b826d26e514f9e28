"""04_03 again, from outside: run the notebook, read the stores that it left, and work out every answer anew.

The answers come from zarr-python, TensorStore, NumPy and arithmetic; nothing here imports this project.
(to write: what is recomputed, and with what)
"""

import numpy as np
import pytest

SOURCE = "notebooks/04_ai_genai/04_03_training_data_loader.ipynb"
pytestmark = pytest.mark.gallery


def expected():
    row, column = np.ogrid[:40, :40]
    return (1000 * row + column).astype("int32")


def test_another_reader_sees_the_values(left):
    zarr = pytest.importorskip("zarr")
    out, facts, zarr_format = left
    array = zarr.open_array(str(out / "array.zarr"), mode="r")
    np.testing.assert_array_equal(array[...], expected())
    assert array.metadata.zarr_format == zarr_format
    assert facts["sum"] == int(expected().sum())


def test_the_requests_are_what_enumeration_gives(left):
    assert left[1]["requests"] == len({(i // 10, j // 10) for i in range(5, 15) for j in range(5, 15)})
