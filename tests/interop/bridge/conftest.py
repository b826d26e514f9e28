"""What the bridges share: zarr-python, xarray and Dask may warn as they like."""

import warnings

import pytest


@pytest.fixture
def its_own_warnings_are_not_ours():
    with warnings.catch_warnings(action="ignore"):
        yield
