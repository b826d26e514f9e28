"""What an array that exists demands of a variable that is written into it: nothing may be lost, nothing misread.

xarray encodes such a variable as the array's attributes say. Where that cannot be done it chooses other units, or
another type, and says so in a warning; the array's attributes would still be the old ones. That is refused here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from xarray import Variable
from xarray.coding.times import decode_cf_datetime

PACKING = ("scale_factor", "add_offset", "_FillValue", "missing_value")


def check_same_type(name: Any, variable: Variable, stored: Variable) -> None:
    """Refuse a variable whose values, decoded, are of another kind: fixed-length text would be cut off."""
    new, old = variable.dtype, stored.dtype
    flexible = new.kind in "biufcmMOT" or (new.kind in "SU" and old.kind in "OT")
    times = {new.kind, old.kind} & {"m", "M"}
    if new != old and (not flexible or (times and new.kind != old.kind)):
        raise ValueError(
            f"variable {name!r}: Mismatched dtypes for variable {name} between Zarr store on disk and dataset to "
            f"append. Store has dtype {old} but dataset to append has dtype {new}; try astype()"
        )


def check_same_packing(name: Any, encoded: Variable, stored: Variable, times: bool) -> None:
    """Refuse values packed in another way than the array's attributes say: they would be misread ever after."""
    for key in PACKING:
        new, old = encoded.attrs.get(key), stored.attrs.get(key)
        if new is None or old is None:
            same = new is old or (key in ("_FillValue", "missing_value") and (new is None or new != new))
        else:
            same = bool(np.array_equal(new, old)) or (new != new and old != old)
        if not same:
            raise _misread(name, key, old, new)
    new, old = encoded.attrs.get("units"), stored.attrs.get("units")
    if times and new != old and (None in (new, old) or _moments(encoded) != _moments(stored)):
        raise _misread(name, "units", old, new)


def _moments(variable: Variable) -> Any:
    """What 0 and 1 mean: two spellings of one unit are the same."""
    units, calendar = variable.attrs["units"], variable.attrs.get("calendar")
    return decode_cf_datetime(np.array([0, 1]), units, calendar).tolist() if " since " in units else units


def _misread(name: Any, key: str, old: Any, new: Any) -> ValueError:
    return ValueError(
        f"variable {name!r}: expected values that can be stored with {key} = {old!r}, as the array's attributes say; "
        f"the dataset's would need {key} = {new!r}, and what is stored would be misread. Try other values, or write "
        "to a new array"
    )


def check_same_dimensions(name: Any, encoded: Variable, stored: Variable) -> Variable:
    """The variable with its dimensions in the order of the array's."""
    if set(encoded.dims) != set(stored.dims):
        raise ValueError(
            f"variable {name!r} already exists with different dimension names {stored.dims} != {encoded.dims}, but "
            "changing variable dimensions is not supported by to_zarr()"
        )
    return encoded.transpose(*stored.dims)


def unrounded(encoding: dict[str, Any], variable: Variable, dtype: np.dtype) -> dict[str, Any]:
    """The encoding without the type where xarray would make integers of numbers, whether they fit or not."""
    if dtype.kind in "iu" and variable.dtype.kind in "iuf" and "_Unsigned" not in encoding:
        return {k: v for k, v in encoding.items() if k != "dtype"}
    return encoding


def fit(encoded: Variable, dtype: np.dtype, name: Any) -> Any:
    """The encoded values as the stored type. Packed ones are rounded, which is what packing means."""
    data = encoded.data
    if dtype.kind in "iu" and data.dtype.kind == "f" and {"scale_factor", "add_offset"} & set(encoded.attrs):
        data = data.round()
    return exact_cast(data, dtype, name)


def exact_cast(data: Any, dtype: np.dtype, name: Any = None) -> Any:
    """`data` as `dtype`, refused where integers would overflow, fractions or parts of a time's unit be cut off.
    Chunked data are checked block by block as they are written.

    >>> exact_cast(np.array([1.0, 2.0]), np.dtype("i2"))
    array([1, 2], dtype=int16)
    """
    times = dtype.kind in "mM" and data.dtype.kind == dtype.kind
    if data.dtype == dtype or not (times or (dtype.kind in "biu" and data.dtype.kind in "biuf")):
        return data
    if hasattr(data, "map_blocks"):
        return data.map_blocks(exact_cast, dtype, name, dtype=dtype)
    data = np.asarray(data)
    with np.errstate(invalid="ignore"):
        cast = data.astype(dtype)
    if not np.array_equal(cast, data, equal_nan=times):
        bad = data[(cast != data) & ~np.isnat(data)].flat[0] if times else data[cast != data].flat[0]
        raise ValueError(
            f"variable {name!r}: expected values that the stored type {dtype} holds exactly, found {bad}; "
            "try round() and astype(), or write to a new array"
        )
    return cast
