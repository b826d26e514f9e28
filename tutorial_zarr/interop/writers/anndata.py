# /// script
# requires-python = ">=3.12"
# dependencies = ["anndata==0.13.4", "zarr==3.4.2", "pandas==3.1.1"]
# ///
"""anndata, which stores a table of cells and genes as a group."""

import warnings

import anndata
import numpy as np
import pandas as pd
from writer_protocol import Meant, serve, situation

warnings.simplefilter("ignore")
COUNTS = np.array([[0, 1, 2], [0, 7, 0]], "float32")


def table(**obs):
    index = ["one", "two"]
    return anndata.AnnData(COUNTS, obs=pd.DataFrame(obs, index=index), var=pd.DataFrame(index=["a", "b", "c"]))


@situation("writes counts, with the names of cells")
def counts(path):
    table().write_zarr(path)
    return [Meant("X", COUNTS), Meant("obs/_index", np.array(["one", "two"]))]


@situation("writes labels of cells, one of them missing")
def labels(path):
    table(kind=pd.Categorical(["T", None])).write_zarr(path)
    return [Meant("obs/kind/codes", np.array([0, -1]), raw=np.array([0, -1]))]


@situation("writes whether a cell is whole")
def booleans(path):
    table(whole=[True, False]).write_zarr(path)
    return [Meant("obs/whole", np.array([True, False]))]


if __name__ == "__main__":
    serve("anndata", "anndata", "zarr", "pandas", "numpy")
