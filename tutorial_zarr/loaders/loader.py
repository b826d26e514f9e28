"""`Loader`: arrays read row by row in the order of `order`, ahead of who takes the batches.

Up to `prefetch` units are read ahead, each on a thread of its own that ends with its read. So who drops the iterator in
the midst leaves no thread behind, whatever holds on to it, and a loader that is pickled or forked takes none along.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import threading
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np

from tutorial_zarr import limits, nodes, parallel
from tutorial_zarr.array import Array
from tutorial_zarr.chunk_grids import Axis
from tutorial_zarr.errors import ValueMismatchError, nearest

from . import order as orders
from .order import Buffer, Order
from .plans import Bill, EpochPlan, remembering, row_bytes

Source = Array | np.ndarray
Read = Callable[[Any], list[np.ndarray]]
Stream = Generator[list[np.ndarray], None, None]


class Loader:
    """Batches of rows (of index along axis 0) of one array, or of several arrays of equal length.

    Iterating gives the batches of one epoch: a NumPy array where one array was given, a dictionary or a tuple of them
    where a mapping or a sequence was. When an epoch ends, `epoch` is one more, and the next iteration has another
    order. An iteration that was left in the midst begins again at its start; to go on where it was left, keep
    `state_dict()`.

    Parameters
    ----------
    arrays
        An `Array`, or a mapping or a sequence of them; all with the same number of rows. A NumPy array may stand for
        one: labels that fit into memory are best read once.
    batch_size
        Rows in a batch, at most as many as the arrays have. The last one may have fewer; see `drop_last`.
    shuffle
        ``"none"`` or False: rows in their order. ``"chunks"``: chunks in random order, and rows at random from a
        buffer of `buffer` chunks. ``"blocks"``: chunks in random order, `buffer` of them mixed at a time. ``"full"``
        or True: any row may come at any time, which reads a chunk for nearly every row. All others read each chunk
        once.
    buffer
        Chunks in the shuffle buffer, of ``"chunks"`` and ``"blocks"``.
    seed
        An integer from 0 to 2**128 - 1. The same seed gives the same batches on every machine.
    drop_last
        Whether to leave out a last batch that is not full. With `shard` it also gives all parts the same number of
        batches, which ranks that wait for each other need.
    prefetch
        Units that are read ahead, on as many threads; 0 reads when a batch is asked for. With ``"full"``, batches.
    rows_per_read
        Rows of a unit: what is read at once, and what `buffer` counts. By default a chunk's (a shard's, where there
        are shards) of the array with the largest rows. Chunks of other arrays that do not end where units end are
        read once for each unit that needs them; `plan` counts that.

    Raises
    ------
    ValueMismatchError
        Where the arrays differ in length, or `batch_size` is more than that.
    ValueError
        For a strategy, or a number, that makes no sense.
    LimitError
        When iterating, where the buffer does not fit into memory.

    >>> import tutorial_zarr as zarr
    >>> loader = Loader(zarr.array(np.arange(100), chunks=(10,)), batch_size=5, shuffle="chunks", buffer=3, seed=1)
    >>> print(loader.plan().explain())
    100 rows in 20 batches, 800 B in memory.
    10 reads: 10 requests.
    800 B are decoded, 1 times what the batches hold.
    At most 600 B of rows are held at the same time.
    >>> batches = iter(loader)
    >>> first, state = next(batches), loader.state_dict()
    >>> loader.load_state_dict(state)
    >>> bool((next(iter(loader)) == next(batches)).all())
    True
    """

    def __init__(
        self,
        arrays: Source | Mapping[str, Source] | Sequence[Source],
        batch_size: int,
        *,
        shuffle: bool | str = "chunks",
        buffer: int = 8,
        seed: int = 0,
        drop_last: bool = False,
        prefetch: int = 2,
        rows_per_read: int | None = None,
    ) -> None:
        self.arrays, self._pack = _named(arrays)
        rows = _rows(self.arrays)
        strategy = {False: "none", True: "full"}.get(shuffle, shuffle) if isinstance(shuffle, bool) else shuffle
        if strategy not in orders.SHUFFLES:
            known = ", ".join(map(repr, orders.SHUFFLES))
            raise ValueError(
                f"loader: shuffle: expected one of {known}, True or False, found {shuffle!r}; "
                f"{nearest(shuffle, orders.SHUFFLES)}".rstrip("; ")
            )
        size = _whole("batch_size", batch_size, 1)
        if size > rows:
            raise ValueMismatchError(
                f"loader: batch_size: expected at most {rows}, the rows of the arrays, found {size}", batch_size=size
            )
        self.order = Order(
            rows,
            _edges(self.arrays, rows_per_read),
            size,
            strategy,
            _whole("buffer", buffer, 1),
            _whole("seed", seed, 0, orders.MOST_SEED),
            bool(drop_last),
        )
        self.prefetch = _whole("prefetch", prefetch, 0)
        self._made = [array.metadata if isinstance(array, Array) else None for array in self.arrays.values()]
        self._start = self._at = (0, 0)  # epoch and batch: where the next iteration begins; what comes next
        self._workers = 1  # whose batches are counted, of worker processes that take turns

    # --- what it gives

    @property
    def epoch(self) -> int:
        """The epoch that the next iteration gives, from 0 on."""
        return self._start[0]

    def set_epoch(self, epoch: int) -> None:
        """Begin the next iteration with the first batch of `epoch`; where a state of it was loaded, with the one after.

        In worker processes that live for one epoch only, call it before each: what they count is lost with them. Those
        that stay (``persistent_workers=True``) do not hear of it, and count by themselves.
        """
        if _whole("epoch", epoch, 0, orders.MOST_EPOCH) != self.epoch:
            self._start = operator.index(epoch), 0
        self._at = self._start

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.order)

    def indices(self, epoch: int | None = None) -> Iterator[np.ndarray]:
        """The row numbers of each batch of an epoch (by default, of the next), without reading anything."""
        return self.order.batches(self.epoch if epoch is None else _whole("epoch", epoch, 0, orders.MOST_EPOCH))

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch; see `Loader`. Nothing is read before the first is asked for.

        Raises ValueMismatchError where an array has changed since the loader was made.
        """
        if self._start[1] and self._workers > 1:
            raise ValueMismatchError(
                f"loader: expected {self._workers} worker processes, whose batches the state counts, found none; "
                f"try DataLoader(loader.dataset(), batch_size=None, num_workers={self._workers})"
            )
        (epoch, begin), self._start = self._start, (self._start[0], 0)
        self._at = epoch, begin
        limits.check_memory("loader", self.memory_bytes, "an epoch")
        self._check_arrays(grown=False)
        with contextlib.closing(self._gathered(epoch, begin) if self.order.shuffle == "full" else
                                self._buffered(epoch, begin)) as batches:  # fmt: skip
            for number, batch in enumerate(batches, begin + 1):
                if number == len(self):  # all has been read
                    self._check_arrays(grown=True)
                self._at = epoch, number
                yield self._pack(batch)
        if self._start == (epoch, 0):
            self._start = self._at = epoch + 1, 0

    def _buffered(self, epoch: int, begin: int) -> Stream:
        steps = Buffer(self.order, epoch)
        again = steps.skip(begin) if begin else []
        room = [np.empty((steps.capacity, *array.shape[1:]), array.dtype) for array in self.arrays.values()]
        with contextlib.closing(self._ahead(self._read, [*(load.rows for load in again), *steps.units])) as units:
            for step in steps:
                for load in [*again, *step.loads]:
                    for slots, rows in zip(room, next(units), strict=True):
                        slots[load.slots] = rows[load.picked]
                again = []
                yield [slots[step.slots] for slots in room]

    def _gathered(self, epoch: int, begin: int) -> Stream:
        batches = list(self.order.batches(epoch))[begin:]
        with contextlib.closing(self._ahead(self._gather, batches)) as read:
            yield from read

    def _ahead(self, read: Read, items: Iterable[Any]) -> Stream:
        """What `read` gives for each item, in order, up to `prefetch` of them ahead of who asks."""
        threads = _Threads() if self.prefetch and parallel.threads_start() else None
        pairs = parallel.stream(read, items, self.prefetch + 1, executor=threads)
        with contextlib.closing(pairs):
            for _, rows in pairs:
                yield rows

    def _read(self, rows: range) -> list[np.ndarray]:
        return [np.asarray(array[rows.start : rows.stop]) for array in self.arrays.values()]

    def _gather(self, rows: np.ndarray) -> list[np.ndarray]:
        order = np.argsort(rows, kind="stable")
        back = np.argsort(order, kind="stable")
        return [
            np.asarray(array.oindex[rows[order]])[back] if isinstance(array, Array) else array[rows]
            for array in self.arrays.values()
        ]

    def _check_arrays(self, grown: bool) -> None:
        """Raise where an array is no longer what it was; with `grown` it may have more rows than it had.

        What was cut off, or lies in other chunks now, would be read as fill values, or as something else.
        """
        for array, made in zip(self.arrays.values(), self._made, strict=True):
            if not isinstance(array, Array) or made is None:
                continue
            now = nodes.read_array(array.store, array.path, made)
            alike = now.shape == made.shape and now.chunk_grid == made.chunk_grid
            if not alike and not (grown and now.shape[0] > made.shape[0] and now.shape[1:] == made.shape[1:]):
                chunks = ", in other chunks" if now.shape == made.shape else ""
                raise ValueMismatchError(
                    f"loader: {array.label}: expected the shape {made.shape}, as when the loader was made, found "
                    f"{now.shape}{chunks}; open the array once more, and make a new Loader",
                    shape=now.shape,
                )

    # --- what it costs

    @property
    def memory_bytes(self) -> int:
        """Bytes of rows that an epoch holds at most: the buffer, what is read ahead, and one batch.

        What decoders work with comes on top: for each read under way, some chunks on each of its threads.
        """
        row = sum(map(row_bytes, self.arrays.values()))
        order, ahead = self.order, self.prefetch + 2  # the last one is let go when the next one is there
        if order.shuffle == "full":
            return row * order.batch_size * 2 * ahead  # in the order of the chunks, then in that of the batch
        return row * (orders.capacity(order) + ahead * order.longest + order.batch_size)

    def plan(self, epoch: int | None = None, *, look: bool = False) -> EpochPlan:
        """What an epoch (by default, the next) will read and hold. Nothing is read.

        With `look` the stores are asked for the size of each chunk, and for the indexes of shards, once.
        """
        epoch, bill = self.epoch if epoch is None else _whole("epoch", epoch, 0, orders.MOST_EPOCH), Bill(look)
        batches = list(self.order.batches(epoch))
        full = self.order.shuffle == "full"
        reads: Sequence[Any] = batches if full else self.order.units(epoch)
        for array in self.arrays.values():
            if isinstance(array, Array):
                array = remembering(array) if look else array
                for rows in reads:
                    one = (
                        array.oindex.plan(np.sort(rows), look)
                        if full
                        else array.plan(slice(rows[0], rows[-1] + 1), look)
                    )
                    bill.add(one)
        held = sum(map(len, batches))
        nbytes = held * sum(map(row_bytes, self.arrays.values()))
        return EpochPlan(
            held,
            len(batches),
            len(reads),
            bill.requests,
            bill.exact,
            nbytes,
            bill.decoded,
            bill.stored,
            self.memory_bytes,
        )

    # --- its parts, and where it is

    def shard(self, rank: int, world: int) -> Loader:
        """The loader of one of `world` processes that train together: its rows are in no other's batches.

        `rank` counts from 0. All begin with the first batch of the present epoch; a state belongs to one part, and is
        loaded into it. A chunk on which two parts meet is read by both. Parts have the same number of batches with
        `drop_last`; else some may have one more.
        """
        if self._start[1]:
            raise ValueMismatchError(
                "loader: expected a loader at the beginning of an epoch, found one that goes on in its midst; try the "
                "state of each part, loaded into it"
            )
        return self._part(rank, world)

    def worker(self, number: int, workers: int) -> Loader:
        """The loader of one of `workers` processes that give their batches in turns, as those of a ``DataLoader`` do.

        It is `shard`, but for a loader that is to go on in the midst of an epoch: then the processes change places
        such that the first one gives the batch that comes next.
        """
        epoch, taken = self._start
        if taken and self._workers != workers:
            raise ValueMismatchError(
                f"loader: expected the {self._workers} worker processes whose batches the state counts, found "
                f"{workers}; try num_workers={0 if self._workers == 1 else self._workers}"
            )
        parts = [self._part(part, workers) for part in range(workers)]
        given, turn = [0] * workers, 0
        while taken:
            if given[turn] < len(parts[turn]):
                given[turn], taken = given[turn] + 1, taken - 1
            turn = (turn + 1) % workers
        part = (turn + _whole("number", number, 0, workers - 1)) % workers
        parts[part]._start = parts[part]._at = epoch, given[part]
        return parts[part]

    def _part(self, number: int, parts: int) -> Loader:
        parts = _whole("world", parts, 1, self.order.rows // self.order.parts)
        order = self.order.part(_whole("rank", number, 0, parts - 1), parts)
        if not len(order):
            raise ValueMismatchError(
                f"loader: expected at least {order.batch_size} rows for each of {order.parts} parts, to fill a batch, "
                f"found {len(order.bounds)}; try a smaller batch_size, or drop_last=False"
            )
        other, start = Loader.__new__(Loader), (self.epoch, 0)
        other.__dict__ |= {**self.__dict__, "order": order, "_workers": 1, "_start": start, "_at": start}
        return other

    def dataset(self) -> Any:
        """An ``IterableDataset`` of PyTorch, for ``DataLoader(loader.dataset(), batch_size=None, num_workers=2)``.

        Each worker process gives the batches of its part (`worker`), so every row comes once an epoch. Call
        `set_epoch` before each epoch, as with a DistributedSampler, or with ``persistent_workers=True`` never. Raises
        MissingDependencyError without PyTorch.
        """
        from .pytorch import LoaderDataset

        return LoaderDataset(self)

    def state_dict(self, batch: int | None = None, workers: int = 1) -> dict[str, Any]:
        """Where the last iteration is, as a dictionary for JSON: `load_state_dict` goes on with the batch after it.

        Batches that the worker processes of a ``DataLoader`` gave are not seen here: then `batch` says how many of the
        present epoch were taken, and `workers` is ``num_workers``.
        """
        epoch, at = self._at
        if batch is not None:
            epoch, at = self.epoch, _whole("batch", batch, 0)
        return {"epoch": epoch, "batch": at, "workers": max(1, _whole("workers", workers, 0)), **self._identity()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Begin the next iteration where `state` was taken: with the batch after the last one that was given.

        Raises ValueMismatchError where the state is that of another loader (of other rows, chunks, seed, batch size,
        strategy or part): its batches would hold rows that were given already, and miss others.
        """
        own = self._identity()
        differ = [f"{name} {own[name]!r}, found {state.get(name)!r}" for name in own if state.get(name) != own[name]]
        if differ:
            raise ValueMismatchError(
                f"loader: expected a state with {'; with '.join(differ)}; make the loader as it was"
            )
        epoch = _whole("state: epoch", state.get("epoch"), 0, orders.MOST_EPOCH)
        workers = _whole("state: workers", state.get("workers", 1), 1)
        most = sum(len(self.order.part(part, workers)) for part in range(workers))
        self._start = self._at = epoch, _whole("state: batch", state.get("batch"), 0, most)
        self._workers = workers

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a state to mean the same batches."""
        order = self.order
        edges = zlib.crc32(np.asarray(order.edges, "<i8").tobytes())
        return {"rows": order.rows, "edges": edges, "batch_size": order.batch_size, "shuffle": order.shuffle,
                "buffer": order.buffer, "seed": order.seed, "drop_last": order.drop_last, "part": order.number,
                "parts": order.parts}  # fmt: skip

    def __repr__(self) -> str:
        order = self.order
        part = f" part {order.number + 1} of {order.parts}" if order.parts > 1 else ""
        return (
            f"<Loader of {order.rows} rows of {', '.join(map(str, self.arrays))}: {len(order)} batches of "
            f"{order.batch_size}, shuffle={order.shuffle!r} buffer={order.buffer} seed={order.seed}{part}>"
        )


def _named(arrays: Any) -> tuple[dict[Any, Source], Callable[[list[np.ndarray]], Any]]:
    """The arrays by name, and what makes a batch of a list of their rows."""
    if isinstance(arrays, (Array, np.ndarray)):
        return {"array": arrays}, operator.itemgetter(0)
    if isinstance(arrays, Mapping):
        return dict(arrays), functools.partial(_by_name, tuple(arrays))
    return dict(enumerate(arrays)), tuple


def _by_name(names: tuple[Any, ...], batch: list[np.ndarray]) -> dict[Any, np.ndarray]:
    return dict(zip(names, batch, strict=True))


def _rows(arrays: dict[Any, Source]) -> int:
    """The number of rows that all arrays have."""
    for name, array in arrays.items():
        if not isinstance(array, (Array, np.ndarray)) or not array.shape:
            found = "one without axes" if isinstance(array, (Array, np.ndarray)) else type(array).__name__
            raise ValueError(f"loader: {name}: expected an array of rows, found {found}")
    if not any(isinstance(array, Array) for array in arrays.values()):
        raise ValueError("loader: expected at least one array in a store, found none; NumPy's alone need no loader")
    lengths = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise ValueMismatchError(f"loader: expected arrays with the same number of rows, found {found}")
    return next(iter(lengths.values()))


def _edges(arrays: dict[Any, Source], rows_per_read: int | None) -> tuple[int, ...]:
    """Where the units begin that are read at once, and where the last one ends."""
    axis = max((array for array in arrays.values() if isinstance(array, Array)), key=row_bytes).grid.axes[0]
    if rows_per_read is not None:
        axis = Axis(axis.extent, _whole("rows_per_read", rows_per_read, 1))
    return (*map(axis.start, range(axis.count)), axis.extent)


def _whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """An integer within bounds."""
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if number < least or (most is not None and number > most):
        bounds = f"an integer of at least {least}" if most is None else f"an integer from {least} to {most}"
        raise ValueError(f"loader: {name}: expected {bounds}, found {value!r}")
    return number


class _Threads(Executor):
    """Each piece of work on a thread of its own, which ends with it: a pool's would wait for more as long as it is."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        future.set_running_or_notify_cancel()
        threading.Thread(target=work, name="tutorial_zarr_loader").start()
        return future
