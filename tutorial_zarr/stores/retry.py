"""A store that asks again, with exponential backoff and full jitter, where that may help.

What may help is told by the error: a server that is busy (429, 5xx), a connection that broke, an answer that did not
come. A key that is absent, a permission that is missing, bytes that are wrong stay as they are however often one asks.

`ObjectStore` and `HTTPStore` retry by themselves; this is for other stores, and for longer patience.

>>> from tutorial_zarr.stores import FaultStore, MemoryStore
>>> store = RetryStore(FaultStore(MemoryStore({"a": b"1"}), unavailable=0.5), attempts=30, first_wait=0.001)
>>> {store.get("a") for _ in range(20)}
{b'1'}
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tutorial_zarr.errors import MissingDependencyError

from .base import Store
from .wrappers import AroundStore, Request


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later."""
    return bool(getattr(error, "transient", isinstance(error, (ConnectionError, TimeoutError))))


class RetryStore(AroundStore):
    """Makes a request up to `attempts` times within `deadline` seconds.

    Before attempt n + 1 it waits a random time below ``min(max_wait, first_wait * 2 ** n)`` seconds. `retries` counts
    the requests that were made again.
    """

    def __init__(
        self,
        store: Store,
        attempts: int = 8,
        first_wait: float = 0.1,
        max_wait: float = 10.0,
        deadline: float = 120.0,
        retry_if: Callable[[BaseException], bool] = is_transient,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(store)
        try:
            import tenacity
        except ImportError as cause:
            raise MissingDependencyError(
                "RetryStore needs tenacity; try: pip install 'tutorial_zarr[cloud]'"
            ) from cause
        self.retries = 0
        self._options: dict[str, Any] = {
            "stop": tenacity.stop_after_attempt(attempts) | tenacity.stop_after_delay(deadline),
            "wait": tenacity.wait_random_exponential(multiplier=first_wait, max=max_wait),
            "retry": tenacity.retry_if_exception(retry_if),
            "sleep": sleep,
            "reraise": True,
        }
        self._retrying = tenacity.Retrying

    def around(self, request: Request, call: Callable[[], Any], value: Any = None) -> Any:
        try:
            return call()
        except Exception as error:
            if not self._options["retry"].predicate(error):
                raise
            first: list[Exception] = [error]

        def again() -> Any:
            if first:  # the attempt that failed above counts
                raise first.pop()
            self.retries += 1
            return call()

        return self._retrying(**self._options)(again)

    def delete_prefix(self, prefix: str) -> None:
        self.around(Request("DELETE", prefix), lambda: self.store.delete_prefix(prefix))
