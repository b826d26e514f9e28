"""The implementations that are timed, one per file, all with the methods of `base.Reader`."""

from __future__ import annotations

from importlib import import_module

from .base import Reader, Unsupported

__all__ = ["DEFAULTS", "READERS", "Reader", "Unsupported", "load"]

# Name on the command line, and where its class is. The order is that of the rounds and of the columns.
READERS = {
    "ours": "ours:Ours",
    "zarr": "zarr_default:ZarrDefault",
    "fused": "zarr_fused:ZarrFused",
    "zarrs": "zarr_rust:ZarrRust",
    "tensorstore": "tensorstore_cpp:Tensorstore",
    "mmap": "tensorstore_cpp:TensorstoreMmap",
}
DEFAULTS = ("ours", "zarr", "fused", "zarrs", "tensorstore")


def load(name: str) -> Reader:
    """The reader of that name. Raises ImportError where its library is not installed."""
    module, _, class_name = READERS[name].partition(":")
    reader = getattr(import_module(f"{__name__}.{module}"), class_name)()
    reader.version()
    return reader
