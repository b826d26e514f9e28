"""`rechunk`: write an array anew, with other chunks, shards, codecs or in the other format, within a memory budget.

What is copied in which order is worked out in `plan`; here it is done. The work is a list of regions, each made of
whole write units, so regions can be copied by threads, by processes or on a cluster, in any order and without locks.

The new array has no document until all of its elements are there: whoever opens the store meanwhile sees what was
there before (`replacing`). Beside its chunks lies the folder ``.unfinished`` with the journal, which says which regions
are done, and the temporary array where the plan needs one. A killed rechunk that is called again goes on from there,
if it is of the same array to the same place, and if samples of what is done are still what the source holds.

>>> import numpy as np, tutorial_zarr as zarr
>>> rows = zarr.array(np.arange(6).reshape(2, 3), chunks=(1, 3))
>>> columns = rechunk(rows, {}, chunks=(2, 1))
>>> columns.chunks, columns[...].tolist()
((2, 1), [[0, 1, 2], [3, 4, 5]])
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import closing
from typing import Any

import numpy as np

from tutorial_zarr import api, hierarchy, nodes, parallel, replacing, words
from tutorial_zarr.array import Array
from tutorial_zarr.codecs import is_fill
from tutorial_zarr.create import check_format, find_profile, like, new_array
from tutorial_zarr.dtypes.v2 import Object, stored_dtype
from tutorial_zarr.errors import MetadataError, NodeExistsError, StoreError, ValueMismatchError
from tutorial_zarr.group import Group
from tutorial_zarr.metadata import ArrayMetadata, parse_json, v2, v3
from tutorial_zarr.progress import Progress, meter
from tutorial_zarr.spelling import guess_chunks
from tutorial_zarr.stores import MemoryStore, Store
from tutorial_zarr.stores.place import overlaps, place

from .formats import spell
from .plan import RechunkPlan, edges_of, make_plan

LAYOUT = ("filters", "compressors", "compressor", "serializer", "codecs", "order", "chunk_key_encoding",
          "dimension_separator")  # fmt: skip
UNSIZED = 64  # bytes that an element without a fixed size is taken for
_RECORDS = 128  # how often a pass writes its journal


def rechunk(
    source: Any,
    target_store: Any = None,
    *,
    path: str | None = None,
    chunks: Any = None,
    shards: Any = None,
    zarr_format: int | None = None,
    memory: int | str = "256 MiB",
    temp: Any = None,
    executor: Executor | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    verify: bool = False,
    profile: Any = None,
    progress: Progress = None,
    **layout: Any,
) -> Array | RechunkPlan:
    """Copy `source`, an array or what `open_array` takes, to `path` in `target_store` with another layout.

    `chunks` and `shards` are those of the new array; where neither is given they stay. So do data type, fill value,
    attributes and codecs, but for what `layout` names (`compressors`, `filters`, `serializer`, `codecs`, `order`,
    `chunk_key_encoding`), and the format, unless `zarr_format` is given. `profile` is that of `create_array`; it
    changes nothing of what stays, and refuses what does not do.

    memory: bytes that the work may hold at once in all workers together; MemoryBudgetError says how many do.
    temp: a store for the temporary array; without one it lies beside the target. It takes as much as the target.
    executor: any `concurrent.futures.Executor`; `workers` is how many regions it copies at once.
    dry_run: return the plan, which prints well, and write nothing.
    verify: read both arrays afterwards and compare their `content_hash`.
    progress: as everywhere; it counts the regions of all passes.

    A call that was cut short is continued by the same call. Raises NodeExistsError where something is at `path`.
    """
    array = source if isinstance(source, Array) else api.open_array(source, mode="r")
    store, at = _target(target_store, path)
    new = Array(store, at, target_metadata(array, zarr_format, chunks, shards, layout))
    if profile is not None:
        find_profile(profile).check(new.metadata.to_json(), new.metadata.attributes, at)
    between = None if temp is None else _target(temp, None)[0]
    plan = write_anew(array, new, memory, between, executor, workers, overwrite, progress, dry_run)
    if dry_run:
        return plan
    if verify and content_hash(array) != content_hash(new):
        raise ValueMismatchError(
            f"{nodes.label('array', at)}: expected the elements of {array!r}, found others after rechunking; "
            "was the source written to meanwhile?",
            path=at,
        )
    return new


def write_anew(
    source: Array,
    new: Array,
    memory: int | str,
    temp: Store | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = None,
    dry_run: bool = False,
    within: bool = False,
) -> RechunkPlan:
    """Copy the elements of `source` into `new`, an array whose document is not yet in its store, and write that too.

    `within`: the caller makes the groups above it.
    """
    count = workers or getattr(executor, "_max_workers", None) or parallel.get_workers()
    plan = plan_rechunk(source, new, parse_bytes(memory), count)
    if not dry_run:
        _Job(source, new, plan, temp).run(executor, overwrite, within, progress)
    return plan


def _target(store: Any, path: str | None) -> tuple[Store, str]:
    """A store and a path in it; a group stands for its store and the place below it."""
    base, place = (store.path, store.store) if isinstance(store, Group) else ("", api._open_store(store, "a", None))
    relative = nodes.normalize_path(path)
    return place, nodes.join(base, relative) if relative else base


def parse_bytes(size: int | str) -> int:
    """A number of bytes: 1000, "256 MiB", "2 GB".

    >>> parse_bytes("1.5 KiB"), parse_bytes("2MB"), parse_bytes(7)
    (1536, 2000000, 7)
    """
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kKMGT]?)(i?)[bB]?\s*", size) if isinstance(size, str) else None
    if found is None:
        raise ValueError(f"memory: expected a number of bytes, or text such as '256 MiB', found {size!r}")
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " KMGT".index(prefix.upper() or " "))


# --- the new array's metadata


def target_metadata(
    source: Array, zarr_format: int | None, chunks: Any, shards: Any, layout: dict[str, Any]
) -> ArrayMetadata:
    """The metadata of `source` with another layout; what is not layout is carried over, or the attempt is refused."""
    unknown = sorted(set(layout) - set(LAYOUT))
    if unknown:
        raise TypeError(f"rechunk: expected layout keywords ({', '.join(LAYOUT)}), found {', '.join(unknown)}")
    wanted, base, where = zarr_format or source.zarr_format, source.metadata, source.label
    check_format(wanted)
    if wanted == 2 and shards is not None:
        raise MetadataError(f"{where}: shards: only Zarr 3 has them; try zarr_format=3", key="shards")
    if chunks is None and shards is None:
        chunks, shards = source.chunks, source.shards if wanted == 3 else None
        if wanted == 2 and not source.grid.regular:
            chunks = source.grid.max_chunk_shape
    chunks = source.chunks if chunks is None else chunks
    for name, lengths in (("chunks", chunks), ("shards", shards)):
        if isinstance(lengths, (tuple, list)) and len(lengths) != source.ndim:
            raise MetadataError(
                f"{where}: {name}: expected {words.count(source.ndim, 'lengths')}, one for each axis of the shape "
                f"{source.shape}, found {lengths!r}",
                key=name,
            )
    if wanted != source.zarr_format:
        named = {"codecs", "compressors", "compressor", "filters", "serializer"} & set(layout)
        spelling = spell(_with_plain_codecs(source) if named else base, wanted, anew=True)
        if spelling.metadata is None:
            raise MetadataError(
                f"{where}: cannot become Zarr {wanted} without a loss: {'; '.join(spelling.problems)}", path=source.path
            )
        base = spelling.metadata  # type: ignore[assignment]
    made = _laid_out(base, chunks, shards, layout)
    Array(MemoryStore(), source.path, made)
    return made


def _with_plain_codecs(source: Array) -> ArrayMetadata:
    """The source's metadata with codecs that every format spells: those that count are named by the caller."""
    options = like(source)
    for name in ("codecs", "filters", "compressors", "order"):
        options.pop(name, None)
    scratch = new_array(MemoryStore(), "", **options).metadata
    keys = ("codecs", "chunk_grid") if source.zarr_format == 3 else ("filters", "compressor")
    document = {**source.metadata.document, **{key: scratch.document[key] for key in keys}}
    if source.zarr_format == 3:
        return v3.parse(document)  # type: ignore[return-value]
    return v2.parse_array(document, source.metadata.attributes)


def _laid_out(base: ArrayMetadata, chunks: Any, shards: Any, layout: dict[str, Any]) -> ArrayMetadata:
    """`base` with the layout that `new_array` makes of these keywords."""
    options = {"shape": base.shape, "dtype": base.data_type, "chunks": chunks, **api._modern(layout)}
    if base.zarr_format == 2:
        stored = stored_dtype(base.document["dtype"])
        options["dtype"] = base.data_type if stored.kind == "O" else stored  # filters are told its byte order
        for name, member in (("filters", "filters"), ("compressors", "compressor"), ("order", "order")):
            options.setdefault(name, base.document.get(member))
        if "chunk_key_encoding" not in layout:
            options.setdefault("dimension_separator", base.chunk_key_encoding.configuration.get("separator", "."))
        scratch = new_array(MemoryStore(), "", zarr_format=2, **options).metadata.document
        document = {key: value for key, value in base.document.items() if key != "dimension_separator"}
        keys = ("chunks", "compressor", "filters", "order", "dimension_separator")
        document |= {key: scratch[key] for key in keys if key in scratch}
        return v2.parse_array(document, base.attributes)
    if not {"codecs", "compressors", "filters", "serializer", "order"} & set(layout):
        chain = base.codecs
        if chain[-1].name == "sharding_indexed":
            chain = tuple(v3.extension(codec, "codecs") for codec in chain[-1].configuration["codecs"])
        options["codecs"] = [{"name": e.name, "configuration": e.configuration} for e in chain]
    fill: dict[str, Any] = {} if base.fill_value is None else {"fill_value": base.fill_value}
    scratch = new_array(MemoryStore(), "", shards=shards, **fill, **options).metadata.document
    keys = ("chunk_grid", "codecs", *(("chunk_key_encoding",) if "chunk_key_encoding" in layout else ()))
    return v3.parse({**base.document, **{key: scratch[key] for key in keys}})  # type: ignore[return-value]


def plan_rechunk(source: Array, new: Array, memory: int, workers: int) -> RechunkPlan:
    """The plan that copies `source` to `new`."""
    itemsize = max(1, source.metadata.data_type.item_size or UNSIZED)
    sharded = source.shards is not None
    return make_plan(
        edges_of(source.grid, source.chunks if sharded else None),
        edges_of(new.grid),
        itemsize=itemsize,
        memory=memory,
        workers=workers,
        source_extra=2 * math.prod(source.grid.max_chunk_shape) * itemsize if sharded else 0,  # a shard read whole
        target_extra=math.prod(new.grid.max_chunk_shape) * itemsize if new.shards is not None else 0,
        may_pass_twice=not isinstance(source.metadata.data_type, Object),  # the temporary array is Zarr 3
        request_cost=max(source.store.request_cost, new.store.request_cost),
        where=f"{source.label}: rechunk",
    )


# --- carrying it out


class _Copy:
    """Copies one region. Says whether there was anything but fill values, and of some regions what they begin with.

    A class, to be sent to a process.
    """

    def __init__(self, source: Array, target: Array) -> None:
        self.source, self.target = source, target

    def __call__(self, item: tuple[int, tuple[slice, ...]]) -> tuple[bool, str | None]:
        number, slices = item
        with parallel.alone():
            self.target[(*slices, ...)] = block = np.asarray(self.source[(*slices, ...)])
            wrote = not is_fill(block, self.source.metadata.fill)
            # 0, 1, 2, 4, 8, ...: few in all, and some of them are done whenever the work is cut short
            sampled = number & (number - 1) == 0
            corner: tuple[Any, ...] = (*[slice(0, n) for n in self.source.grid.max_chunk_shape], ...)
            return wrote, _digest(block[corner]) if sampled else None


def _beginning(source: Array, region: tuple[slice, ...]) -> np.ndarray:
    """What a region begins with, no more than the largest chunk of the source holds."""
    shape = source.grid.max_chunk_shape
    part = [slice(s.start, min(s.stop, s.start + n)) for s, n in zip(region, shape, strict=True)]
    return np.asarray(source[(*part, ...)])


def _digest(block: np.ndarray) -> str:
    return hashlib.sha256(_element_bytes(block)).hexdigest()[:16]


def _element_bytes(part: np.ndarray) -> bytes:
    return repr(part.tolist()).encode() if part.dtype.kind in "OT" else part.tobytes()


class _Job:
    """One rechunk: its journal, its temporary array, and how far it has come."""

    def __init__(self, source: Array, target: Array, plan: RechunkPlan, temp: Store | None) -> None:
        self.source, self.target, self.plan = source, target, plan
        self.documents = nodes.documents(target.metadata, target.path)
        self.folder = nodes.join(target.path, nodes.UNFINISHED)
        self.journal = nodes.join(target.path, nodes.JOURNAL)
        self.what, self.how = self._fingerprints()
        self.temp = target.store if temp is None else temp
        self.temp_folder = f"{self.folder if temp is None else nodes.UNFINISHED}/{self.how}"
        self._begins: dict[str, str] = {}  # region of the first pass -> a hash of what the source had there

    def _fingerprints(self) -> tuple[str, str]:
        """What is copied to what, of which places; and by which regions."""
        places = [place(array.store, array.path) for array in (self.source, self.target)]
        cuts = [[edge.tolist() for edge in p.edges] for p in self.plan.passes]
        what = repr((places, self.source.metadata.document, sorted(self.documents.items())))
        return tuple(hashlib.sha256(text.encode()).hexdigest()[:16] for text in (what, what + repr(cuts)))  # type: ignore[return-value]

    def run(self, executor: Executor | None, overwrite: bool, within: bool, progress: Progress) -> None:
        """Do it, or what is left of it. Until all is there, the mark stays, and the call can be made again."""
        store, path = self.target.store, self.target.path
        with meter(progress, sum(p.nregions for p in self.plan.passes), "rechunk", unit="regions") as advance:
            if replacing.resume(store, path, self.documents, self.what):
                advance(sum(p.nregions for p in self.plan.passes))
            else:
                with self._place(overwrite, within) as new:
                    written = Array(store, new.path, self.target.metadata)
                    self._run(written, new, executor, advance)
        if self.temp is not store:
            self.temp.delete_prefix(self.temp_folder)

    def _run(self, written: Array, new: Any, executor: Executor | None, advance: Any) -> None:
        done = self._known["done"] if new.resumes else {}
        new.keeps = bool(done)
        if not new.resumes:
            if self.plan.between is not None:  # a resumed second pass must find what the first one wrote
                self.temp.delete_prefix(self.temp_folder)
                self.temp.set(f"{self.temp_folder}/begun", b"")
            self._begins, self._staged = {}, new.staged
            self._record({})
        self._done = done
        arrays = [self.source, *([self._between()] if self.plan.between is not None else []), written]
        for number, one in enumerate(self.plan.passes):
            finished = done.get(number, set())
            if finished:
                advance(len(finished))
            with closing(self._copy(number, one, arrays[number], arrays[number + 1], finished, executor)) as regions:
                for _ in regions:
                    new.keeps = True
                    new.beat()
                    advance()
        if self.plan.between is not None and self.temp is self.target.store:
            self.temp.delete_prefix(self.temp_folder)

    def _place(self, overwrite: bool, within: bool) -> replacing.Replacement:
        """Make sure that the place is free, or go on with what lies there."""
        store, path = self.target.store, self.target.path
        store.check_writable()
        hierarchy.check_place(store, path, self.target.zarr_format, "array")
        if overlaps(self.source.store, self.source.path, store, path):
            raise NodeExistsError(
                f"{self.target.label}: expected a place outside of the source, found the same; try another path, "
                "and `move` afterwards",
                path=path,
            )
        known = self._journal()
        ours = known is not None and known["what"] == self.what
        if known is not None and not ours and not overwrite:
            raise NodeExistsError(
                f"{self.target.label}: expected an unfinished rechunk with these settings in {store!r}, found one "
                "with others, of another array, or from another place; repeat that call to finish it, or try "
                "overwrite=True",
                path=path,
            )
        left = replacing.cut_short(store, path, self.documents, self.what) if ours else None
        found = left or replacing.survey(store, path, "array", overwrite)
        new = replacing.Replacement(
            store, path, self.documents, f"rechunk to {path or '/'}", staged=True, found=found, about=self.what,
            within=within,
        )  # fmt: skip
        if left is not None and known is not None:
            new.resumes = known["staged"] == new.staged and self._goes_on(known)
        self._known, self._staged = known or {}, new.staged
        return new

    def _journal(self) -> dict[str, Any] | None:
        """What a call that was cut short has written down; None where there is none, or it cannot be understood."""
        data = self.target.store.get(self.journal)
        known = None if data is None else parse_json(data, self.journal)
        if known is None or not {"what", "how", "staged", "done", "begins"} <= {*known}:
            return None
        return {**known, "done": {number: _expand(done) for number, done in enumerate(known["done"])}}

    def _goes_on(self, known: dict[str, Any]) -> bool:
        """Whether what is done can stay: the same regions, the temporary array is there, the source is as it was."""
        passes, done = self.plan.passes, known["done"]
        if known["how"] != self.how:
            return False
        whole = len(done.get(len(passes) - 1, ())) == passes[-1].nregions
        if self.plan.between is not None and not whole and not self.temp.exists(f"{self.temp_folder}/begun"):
            return False
        self._begins = known["begins"]
        return all(
            int(number) not in done[0] or _digest(_beginning(self.source, passes[0].region(int(number)))) == digest
            for number, digest in self._begins.items()
        )

    def _record(self, done: dict[int, set[int]]) -> None:
        document = {"what": self.what, "how": self.how, "staged": self._staged, "begins": self._begins}
        document["done"] = [_runs(done.get(number, set())) for number in range(len(self.plan.passes))]
        self.target.store.set(self.journal, json.dumps(document).encode())
        self._done = done

    def _between(self) -> Array:
        """The temporary array: chunks cut at the edges of both passes, elements as they are in memory."""
        grid = [np.diff(edges).tolist() for edges in self.plan.between or ()]
        metadata = self.source.metadata
        document = new_array(
            MemoryStore(),
            "",
            shape=self.source.shape,
            dtype=metadata.data_type,
            chunks=grid,
            compressors=None,
            fill_value=metadata.fill,
        ).metadata
        return Array(self.temp, f"{self.temp_folder}/between", document)

    def _copy(
        self, number: int, one: Any, source: Array, target: Array, finished: set[int], executor: Executor | None
    ) -> Generator[int]:
        """The numbers of the regions of one pass, as they are done, each written down in the journal."""
        waiting = [i for i in range(one.nregions) if i not in finished]
        every = max(1, one.nregions // _RECORDS)
        items = ((i, one.region(i)) for i in waiting)
        copy, seen = _Copy(source, target), executor is None
        results = parallel.stream(copy, items, self.plan.workers, ordered=False, executor=executor, writes=True)
        with closing(results):
            for count, ((region, slices), (wrote, digest)) in enumerate(results, 1):
                if wrote and not seen:
                    self._check_shared(source, target, slices)
                    seen = True
                finished.add(region)
                if number == 0 and digest is not None:
                    self._begins[str(region)] = digest
                if count % every == 0 or count == len(waiting):
                    self._record({**self._done, number: finished})
                yield region

    def _check_shared(self, source: Array, target: Array, region: tuple[slice, ...]) -> None:
        """Whether a worker elsewhere wrote to the store that is here, and not to a copy of it."""
        with parallel.alone():
            here, there = target[(*region, ...)], source[(*region, ...)]
        if here.dtype.kind in "OT":
            same = bool((here == there).all())
        else:
            same = here.tobytes() == there.tobytes()
        if not same:
            raise StoreError(
                f"{self.target.label}: expected workers that write to {target.store!r}, found that what they wrote is "
                "not there; try a store that processes share, such as a folder, or threads"
            )


def _runs(numbers: set[int]) -> list[list[int]]:
    """Sorted numbers as pairs [first, last].

    >>> _runs({1, 2, 3, 7})
    [[1, 3], [7, 7]]
    """
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return runs


def _expand(runs: list[list[int]]) -> set[int]:
    return {n for first, last in runs for n in range(first, last + 1)}


# --- are they equal?


def content_hash(array: Array, memory: int = 1 << 25) -> str:
    """SHA-256 of the elements, whatever chunks, codecs and format they are stored in.

    >>> import tutorial_zarr as zarr
    >>> rows, columns = zarr.ones((4, 4), chunks=(1, 4)), zarr.ones((4, 4), chunks=(4, 1), zarr_format=2)
    >>> content_hash(rows) == content_hash(columns)
    True
    """
    digest = hashlib.sha256(repr((array.shape, array.metadata.data_type.numpy)).encode())
    tile = guess_chunks(array.shape, array.metadata.data_type.item_size or UNSIZED, memory)
    for start in np.ndindex(*(-(-n // t) for n, t in zip(array.shape, tile, strict=True))):
        part = np.asarray(array[(*(slice(i * t, (i + 1) * t) for i, t in zip(start, tile, strict=True)), ...)])
        digest.update(_element_bytes(part))
    return digest.hexdigest()
