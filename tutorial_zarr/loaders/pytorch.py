"""A loader as a dataset of PyTorch: ``DataLoader(loader.dataset(), batch_size=None, num_workers=2)``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tutorial_zarr.errors import MissingDependencyError

try:
    from torch.utils.data import IterableDataset, get_worker_info
except ImportError as cause:
    raise MissingDependencyError(
        "tutorial_zarr.loaders.pytorch: expected PyTorch, found none; try pip install torch, or iterate over the "
        "loader itself"
    ) from cause


class LoaderDataset(IterableDataset):
    """The batches of a `Loader`. In the worker processes of a ``DataLoader`` each gives the batches of its part."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        part = self.loader if info is None else self.loader.worker(info.id, info.num_workers)
        yield from part
        if info is not None:  # for the next epoch, where the process stays
            self.loader.set_epoch(part.epoch)
