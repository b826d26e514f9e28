"""Stores written byte by byte, one per clause of the Zarr specifications, with the values they must give."""
