"""A model of a store: how long a request waits, how fast bytes come, what both cost.

The times are assumptions to be replaced by measurements of one's own. The prices are in ``prices.json`` beside this
file, each list with its date, its source, and whether it was found there; a file of the same form can be named
instead.

    time = latency x rounds of requests  +  requests x work of the reader  +  bytes / bandwidth
           +  bytes decoded / decode rate  +  chunks x overhead

What a store is comfortable with is part of the model: objects of at least a MiB in a bucket, as zarr-python's guide
has it (https://zarr.readthedocs.io/en/stable/user-guide/performance/), and in large arrays as many more as keep their
number down to a million, up to 4 MB; inside shards, chunks of at least 512 KiB. Who publishes data for many goes
further: 10 to 100 MB (https://github.com/pydata/xarray/issues/2624). A model of one's own has neither a reader's work
nor such limits, unless they are given.

>>> bucket = StoreModel("bucket", latency=0.03, concurrency=8)
>>> round(bucket.seconds(requests=80, rounds=1, nbytes=0, decoded=0, chunks=0), 3)   # ten rounds of eight
0.3
>>> store("gcs").prices.verified
True
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tutorial_zarr.labs import LabError

GB = 1e9
LARGE_ENOUGH = 4_000_000  # bytes of an object: beyond them more objects are no reason for larger ones
PRICES = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Prices:
    """What a provider charges, in dollars."""

    title: str
    looked_up: str
    source: str
    verified: bool
    get_per_1000: float
    put_per_1000: float
    gb_month: float
    gb_to_internet: float
    remark: str = ""

    @property
    def provenance(self) -> str:
        """Where the prices are from, in a sentence."""
        state = "found there" if self.verified else "not verified there"
        return f"{self.title}: prices as of {self.looked_up}, {self.source}, {state}" + (
            f" ({self.remark})." if self.remark else "."
        )


@dataclass(frozen=True)
class StoreModel:
    """Times of a store, and its prices if it has any."""

    name: str
    latency: float = 0.03  # seconds until a request's first byte
    bandwidth: float = 1e8  # bytes a second, all requests together
    concurrency: int = 64  # requests at once; the library's default for buckets
    decode_rate: float = 1e9  # decoded bytes a second, all threads together
    chunk_overhead: float = 1e-5  # seconds to decode a chunk beside its bytes
    request_seconds: float = 0.0  # of the reader's own work for a request, one after the other
    least_object: int = 1 << 12  # bytes in memory: smaller objects are not recommended
    least_chunk: int = 1 << 12  # bytes in memory: nor, inside shards, smaller chunks
    most_objects: int = 0  # larger ones where there would be more of them, up to `LARGE_ENOUGH`; 0: any number
    request_cost: int = 1 << 19  # bytes between two ranges that a reader rather fetches than make another request
    internet: bool = False  # whether readers sit outside the provider's region, and transfer is charged
    prices: Prices | None = None

    def __post_init__(self) -> None:
        for field in ("bandwidth", "concurrency", "decode_rate"):
            if not getattr(self, field) > 0:
                raise LabError(f"store {self.name!r}: expected {field} above 0, found {getattr(self, field)!r}")
        for field in (
            "latency",
            "chunk_overhead",
            "request_cost",
            "request_seconds",
            "least_object",
            "least_chunk",
            "most_objects",
        ):
            if not getattr(self, field) >= 0:
                raise LabError(f"store {self.name!r}: expected {field} of at least 0, found {getattr(self, field)!r}")

    def least(self, nbytes: int) -> int:
        """Bytes of the smallest object that is recommended for an array of `nbytes`."""
        many = nbytes // self.most_objects if self.most_objects else 0
        return max(self.least_object, min(many, LARGE_ENOUGH))

    def seconds(self, requests: float, rounds: float, nbytes: float, decoded: float, chunks: float) -> float:
        """The time for a read. `rounds` are requests that must wait for each other, whatever the concurrency."""
        waiting = max(rounds, requests / self.concurrency) * self.latency
        work = requests * self.request_seconds + chunks * self.chunk_overhead
        return waiting + work + nbytes / self.bandwidth + decoded / self.decode_rate

    def dollars(self, requests: float, nbytes: float) -> float | None:
        """The price of a read; None without a price list."""
        if self.prices is None:
            return None
        transfer = nbytes / GB * self.prices.gb_to_internet if self.internet else 0.0
        return requests / 1000 * self.prices.get_per_1000 + transfer

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


MILLION = 10**6
# Assumed: an HTTP client in Python works a millisecond for a request; a file is opened and read in a fiftieth of it.
BUCKET = {"request_seconds": 1e-3, "least_object": 1 << 20, "least_chunk": 1 << 19, "most_objects": MILLION}
DISK = {"request_seconds": 2e-5, "least_object": 1 << 16, "least_chunk": 1 << 14, "most_objects": MILLION}
TIMES: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("s3", "gcs", "azure", "r2"), BUCKET),
    "local": {"latency": 1e-4, "bandwidth": 1e9, "concurrency": 8, "request_cost": 1 << 13, **DISK},
}


@cache
def price_lists(file: Path = PRICES) -> dict[str, Prices]:
    """The lists in a file, by the name of their store."""
    try:
        lists = json.loads(file.read_text(encoding="utf-8"))["stores"]
        return {name: Prices(**entry) for name, entry in lists.items()}
    except FileNotFoundError as cause:
        raise LabError(f"{file}: expected a file with price lists, found none") from cause
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as cause:
        raise LabError(
            f"{file.name}: expected price lists in the form of the one that comes with the library, "
            f"{{'stores': {{name: {{'title', 'get_per_1000', ...}}}}}}, found something else ({cause})"
        ) from cause


def store(name: str, prices: str | Path | None = None, **changes: Any) -> StoreModel:
    """The model of a kind of store: s3, gcs, azure, r2 or local; `changes` are fields of `StoreModel`.

    `prices` names a file with price lists of one's own; a name that stands in it alone has the times of a bucket.
    """
    lists = price_lists(Path(prices) if prices else PRICES)
    if name not in TIMES and name not in lists:
        known = ", ".join(dict.fromkeys([*TIMES, *lists]))
        raise LabError(f"store: expected one of {known}, found {name!r}; a price list of your own may name others")
    return StoreModel(name, **{**TIMES.get(name, BUCKET), "prices": lists.get(name), **changes})
