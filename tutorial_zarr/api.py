"""The functions that people call. Their names and keywords are those of zarr-python 3.

import tutorial_zarr as zarr

a = zarr.create_array("data.zarr", shape=(1000, 1000), chunks=(100, 100), dtype="f4")
a[:100] = 1
zarr.open_array("data.zarr", mode="r")[5, 5]
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tutorial_zarr import consolidation, hierarchy, nodes, replacing, spelling
from tutorial_zarr import create as make
from tutorial_zarr.array import Array
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    NodeExistsError,
    NodeNotFoundError,
    StoreError,
    spelled,
)
from tutorial_zarr.group import Group, Tree, store_arrays
from tutorial_zarr.metadata import ArrayMetadata, consolidated
from tutorial_zarr.progress import Progress
from tutorial_zarr.spelling import DEFAULT
from tutorial_zarr.stores import Store, make_store

MODES = ("r", "r+", "a", "w", "w-")
_ARRAY_OPTIONS = ("allow_pickle", "missing", "write_empty_chunks")


def _open_store(store: Any, mode: str, storage_options: dict[str, Any] | None) -> Store:
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(map(repr, MODES))}, found {mode!r}")
    return make_store(store, mode, storage_options)


def _node(store: Store, path: str, metadata: Any, mode: str, use_consolidated: Any, options: dict[str, Any]) -> Any:
    read_only = mode == "r"
    options = spelling.configured(options)
    array_options = {k: options[k] for k in _ARRAY_OPTIONS if k in options}
    if isinstance(metadata, ArrayMetadata):
        return Array(store, path, metadata, read_only=read_only, **array_options)
    found = None
    if use_consolidated is not False:
        found = nodes.read_consolidated(store, path, metadata)
        if found is None and use_consolidated is True:
            raise GroupNotFoundError(
                f"{nodes.label('group', path, metadata.zarr_format)}: expected consolidated metadata in {store!r}, "
                "found none; try consolidate_metadata(store), or use_consolidated=False",
                path=path,
            )
    return Group(store, path, metadata, read_only=read_only, consolidated=found, array_options=array_options)


def _not_found(kind: str, store: Store, path: str, zarr_format: int | None) -> str:
    """Why nothing could be opened, and what to try."""
    where = nodes.label(kind, path)
    try:
        near = list(store.list_dir(path))
    except StoreError:  # a web server lists nothing; that the documents are absent it has said
        near = []
    if nodes.UNFINISHED + "/" in near:
        mark = replacing.read_mark(store, path)
        finishes = mark is not None and mark.complete
        return (
            f"{where}: expected a whole one in {store!r}, found {mark or 'unfinished work'}; repeat the call "
            f"that was cut short{', or open with mode=' + repr('r+') + ' to finish it' if finishes else ''}"
        )
    wanted = f"Zarr {zarr_format}" if zarr_format else "Zarr 2 or 3"
    names = {3: "zarr.json", 2: ".zarray or .zgroup"}.get(zarr_format or 0, "zarr.json, .zarray or .zgroup")
    found, advice = _found_instead(store, [name.rstrip("/") for name in near[:6]])
    return f"{where}: expected {names} of {wanted} in {store!r}, found {found}; {advice}"


def _found_instead(store: Store, near: list[str]) -> tuple[str, str]:
    """What is there in place of a node, and what to try."""
    advice = "check the path, or create it with mode='a' or create_array"
    if near:
        return f"only {', '.join(near)}", advice
    root = getattr(store, "root", None)
    if not isinstance(root, str) or os.path.isdir(root):
        return "nothing", advice
    return _file_at(root) or ("nothing: there is no such folder", advice)


def _file_at(place: str) -> tuple[str, str] | None:
    """What a file is that somebody took for a store, and what to try with it."""
    if not os.path.isfile(place):
        return None
    with builtins.open(place, "rb") as file:
        head = file.read(8)
    if head[:3] == b"CDF" or head == b"\x89HDF\r\n\x1a\n":
        return "a NetCDF or HDF5 file", "try tutorial-zarr import, or xarray"
    return "a file", "a Zarr store is a folder, or a file that ends in .zip, .sqlite or .db"


def open(
    store: Any = None,
    mode: str = "a",
    *,
    path: str | None = None,
    zarr_format: int | None = None,
    use_consolidated: bool | None = None,
    strict: bool = False,
    storage_options: dict[str, Any] | None = None,
    **options: Any,
) -> Array | Group:
    """Open the array or group at `path`. With mode ``"a"`` or ``"w"`` one is created where there is none: an array
    if a `shape` is given, else a group.

    store             where: a path, a URL, a dict, a `Store`; None is new memory
    mode              ``"r"`` read; ``"r+"`` read and write; ``"a"`` the same, creating what is missing; ``"w"`` create,
                      deleting what is there; ``"w-"`` create, refusing what is there
    path              of the node below the store's root, such as ``"group/array"``; None is the root
    zarr_format       2 or 3, where only that one is meant; None finds the one that is there, and creates 3
    use_consolidated  of a group: None believes its consolidated metadata where it has them, True demands them, False
                      looks at each document
    strict            refuse what only lenient readers take (`metadata.leniencies`)
    storage_options   of a URL: a dict for the library that opens it, such as ``{"anon": True}``
    options           where something is created, keywords of `create_array`; of an array, those of `open_array`

    Raises NodeNotFoundError where nothing is and the mode creates nothing, NodeExistsError where ``"w-"`` finds
    something, MetadataError for a document that breaks a rule, StoreError where the store fails.
    """
    asked = _Asked(store, mode, path, zarr_format, strict, storage_options)
    return _open_node("array or group", asked, use_consolidated, options)


class _Asked(NamedTuple):
    """What the three functions that open a node are asked for: their parameters say what each is."""

    store: Any
    mode: str
    path: str | None
    zarr_format: int | None
    strict: bool
    storage_options: dict[str, Any] | None


def _open_node(kind: str, asked: _Asked, use_consolidated: bool | None, options: dict[str, Any]) -> Any:
    """Open what is there, of that `kind` (array, group, or ``"array or group"``); or create it, by the mode."""
    mode, zarr_format = asked.mode, asked.zarr_format
    store, path = _open_store(asked.store, mode, asked.storage_options), nodes.normalize_path(asked.path)
    metadata = _read(store, path, mode, zarr_format, asked.strict)
    if metadata is None:
        if mode in ("r", "r+") or (mode == "a" and kind == "array" and not _says_array(options)):
            error = {"array": ArrayNotFoundError, "group": GroupNotFoundError}.get(kind, NodeNotFoundError)
            raise error(_not_found(kind, store, path, zarr_format), path=path)
        try:
            if kind == "array" or (kind != "group" and _says_array(options)):
                return _create_array(store, path, mode == "w", zarr_format, options)
            return _create_group(store, path, mode == "w", zarr_format, options.get("attributes"))
        except NodeExistsError:  # somebody else was faster
            metadata = _read(store, path, mode, zarr_format, asked.strict)
            if metadata is None:
                raise
    if metadata.node_type not in kind:
        raise NodeExistsError(_other_kind(kind, store, path), path=path)
    return _node(store, path, metadata, mode, use_consolidated, options)


def _says_array(options: dict[str, Any]) -> bool:
    """Whether what is to be created is an array."""
    return "shape" in options or "data" in options


def _other_kind(kind: str, store: Store, path: str) -> str:
    """What is wrong where the other kind of node is there, and what to try."""
    where = nodes.label(kind, path)
    if kind == "group":
        return f"{where}: expected a group in {store!r}, found an array; try open_array"
    held = ", ".join(list(nodes.child_names(store, path))[:6]) or "it is empty"
    return f"{where}: expected an array in {store!r}, found a group; try open_group, or a path: {held}"


def _read(store: Store, path: str, mode: str, zarr_format: int | None, strict: bool) -> Any:
    """The metadata of a node that is to be opened; None where it is to be made, or is not there.

    What a killed writer left complete is put in its place first, where the store may be written.
    """
    if mode in ("w", "w-"):
        return None
    metadata = nodes.read(store, path, zarr_format, strict)
    if metadata is None and zarr_format in (None, 2):
        metadata = _only_consolidated(store, path)
    if mode != "r" and not store.read_only and replacing.settle(store, path, there=metadata is not None):
        metadata = nodes.read(store, path, zarr_format, strict)
    if metadata is not None and zarr_format is None:  # who names the format has chosen
        nodes.warn_if_both(store, path, metadata)
    return metadata


def _only_consolidated(store: Store, path: str) -> Any:
    """A v2 group whose ``.zgroup`` is missing, but whose ``.zmetadata`` is there: its own entry."""
    if not store.exists(nodes.join(path, consolidated.V2_KEY)):
        return None
    found = nodes.read_consolidated(store, path, nodes.new_group(2, {}))
    return None if found is None else found.get("", nodes.new_group(2, {}))


def _create_array(store: Store, path: str, overwrite: bool, zarr_format: int | None, options: dict[str, Any]) -> Array:
    return make.new_array(store, path, overwrite=overwrite, zarr_format=zarr_format, **_modern(options))


def _create_group(store: Store, path: str, overwrite: bool, zarr_format: int | None, attributes: Any) -> Group:
    metadata = make.new_group(store, path, zarr_format or 3, attributes, overwrite)
    return Group(store, path, metadata)


def _modern(options: dict[str, Any]) -> dict[str, Any]:
    """zarr-python 2's keywords as those of today."""
    found = dict(options)
    if "compressor" in found:
        compressor = found.pop("compressor")
        found.setdefault("compressors", "auto" if compressor == "default" else compressor)
    return found


def open_array(
    store: Any = None,
    mode: str = "a",
    *,
    path: str | None = None,
    name: str | None = None,
    zarr_format: int | None = None,
    strict: bool = False,
    storage_options: dict[str, Any] | None = None,
    **options: Any,
) -> Array:
    """Open an array.

    store            where: a path, a URL, a dict, a `Store`; None is new memory
    mode             as in `open`; to create one, `shape` and the keywords of `create_array` are needed
    path             of the array below the store's root; None is the root
    name             the same, as zarr-python calls it when creating
    zarr_format      2 or 3, where only that one is meant; None finds the one that is there, and creates 3
    strict           refuse what only lenient readers take (`metadata.leniencies`)
    storage_options  of a URL: a dict for the library that opens it
    options          `missing`: what an absent chunk is, ``"fill"`` the fill value, ``"warn"`` that and one warning for
                     each read with the number and the first key, ``"error"`` a ChunkNotFoundError;
                     `write_empty_chunks`: whether chunks of nothing but the fill value are stored (not by default);
                     `allow_pickle`: run the code that a pickle of Zarr 2 brings along (not by default); `config`:
                     zarr-python's dict of such things; or keywords of `create_array`

    Raises ArrayNotFoundError where nothing is and the mode creates nothing, NodeExistsError where a group is there,
    MetadataError for a document that breaks a rule, StoreError where the store fails.
    """
    asked = _Asked(store, mode, path or name, zarr_format, strict, storage_options)
    return _open_node("array", asked, None, options)


def open_group(
    store: Any = None,
    mode: str = "a",
    *,
    path: str | None = None,
    zarr_format: int | None = None,
    use_consolidated: bool | None = None,
    attributes: dict[str, Any] | None = None,
    strict: bool = False,
    storage_options: dict[str, Any] | None = None,
    **options: Any,
) -> Group:
    """Open a group.

    store             where: a path, a URL, a dict, a `Store`; None is new memory
    mode              as in `open`
    path              of the group below the store's root; None is the root
    zarr_format       2 or 3, where only that one is meant; None finds the one that is there, and creates 3
    use_consolidated  None believes its consolidated metadata where it has them, True demands them, False looks at each
                      document
    attributes        of a group that is created: a dict of what JSON holds
    strict            refuse what only lenient readers take (`metadata.leniencies`)
    storage_options   of a URL: a dict for the library that opens it
    options           for the arrays that are opened by way of the group: those of `open_array`

    Raises GroupNotFoundError where nothing is and the mode creates nothing, NodeExistsError where an array is there,
    MetadataError for a document that breaks a rule, StoreError where the store fails.
    """
    asked = _Asked(store, mode, path, zarr_format, strict, storage_options)
    return _open_node("group", asked, use_consolidated, options | {"attributes": attributes})


def open_consolidated(store: Any, *args: Any, use_consolidated: bool = True, **options: Any) -> Group:
    """Open a group by its consolidated metadata, and refuse where there is none."""
    return open_group(store, *args, use_consolidated=use_consolidated, **options)


def create_array(
    store: Any = None,
    *,
    name: str | None = None,
    shape: Any = None,
    dtype: Any = None,
    data: Any = None,
    chunks: Any = "auto",
    shards: Any = None,
    filters: Any = "auto",
    compressors: Any = "auto",
    serializer: Any = "auto",
    codecs: Any = None,
    fill_value: Any = DEFAULT,
    order: str | None = None,
    zarr_format: int | None = None,
    attributes: dict[str, Any] | None = None,
    chunk_key_encoding: Any = None,
    dimension_names: Any = None,
    profile: Any = None,
    storage_options: dict[str, Any] | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Array:
    """Create an array and return it. With `data` it is seen when all of them are stored.

    store               where: a path, a URL, a dict, a `Store`; None is new memory
    name                its path below the store's root; groups above it are created; None is the root
    shape               a length for each axis, in elements; or one number for one axis
    dtype               as NumPy takes it (``"<f4"``, ``float``, ``str``), or a name of Zarr 3 such as ``"bfloat16"``
    data                its elements, in place of `shape` and `dtype`: what NumPy makes an array of, or an array of this
                        library, zarr-python, dask or xarray, read piece by piece
    chunks              the chunk shape, in elements; one number for all axes; None or -1 for an axis that is not cut;
                        ``"auto"`` for chunks of at most 4 MiB; a list of lengths for an axis that is cut unevenly
    shards              the shape of stored objects that hold several chunks each, a multiple of `chunks`; ``"auto"``;
                        Zarr 3 alone
    filters             array -> array codecs
    compressors         bytes -> bytes codecs; ``"auto"`` is zstd, None none. Where nothing can write zstd, as
                        in some browsers, ``"auto"`` is gzip, and a warning says so
    serializer          the array -> bytes codec; Zarr 3 alone
    codecs              all of them in order, in place of these three; Zarr 3 alone
    fill_value          what elements read as that nobody wrote; zero, or what is like it, by default; None: nothing is
                        said (Zarr 2)
    order               ``"F"`` for chunks whose first axis runs fastest; ``"C"`` by default
    zarr_format         2 or 3; None is 3, or the one that the profile chooses
    attributes          a dict of what JSON holds
    chunk_key_encoding  ``"default"`` for keys such as ``c/0/1``, ``"v2"`` for ``0.1``, the name of another one that
                        is registered, or its JSON
    dimension_names     a name, or None, for each axis
    profile             ``"portable"`` takes only what every reader of the matrix in `interop` reads
    storage_options     of a URL: a dict for the library that opens it
    overwrite           delete what is at that path, when all that could be refused has been looked at
    options             `object_codec` and `dimension_separator` of Zarr 2; and the options of `open_array`

    A codec is given by its name, as the JSON of ``zarr.json``, or as an object of this library, of numcodecs or of
    zarr-python; one, or a list of them.
    What it costs is what `data` have: without them one document is written, and nothing else.

    Raises NodeExistsError where something is at that path (unless `overwrite`), MetadataError for what no document may
    say, CodecError and ValueMismatchError for elements that do not fit, StoreError where the store fails. What was
    there is as it was then; or, where the store fails in the midst of replacing it, marked as unfinished.
    """
    opened = _open_store(store, "a", storage_options)
    return make.new_array(
        opened,
        nodes.normalize_path(name),
        shape=shape,
        dtype=dtype,
        data=data,
        chunks=chunks,
        shards=shards,
        filters=filters,
        compressors=compressors,
        serializer=serializer,
        codecs=codecs,
        fill_value=fill_value,
        order=order,
        zarr_format=zarr_format,
        attributes=attributes,
        chunk_key_encoding=chunk_key_encoding,
        dimension_names=dimension_names,
        profile=profile,
        overwrite=overwrite,
        **options,
    )


def create_group(
    store: Any = None,
    *,
    path: str | None = None,
    zarr_format: int = 3,
    attributes: dict[str, Any] | None = None,
    overwrite: bool = False,
    storage_options: dict[str, Any] | None = None,
) -> Group:
    """Create a group, and the groups above it that are missing.

    store            where: a path, a URL, a dict, a `Store`; None is new memory
    path             of the group below the store's root; None is the root
    zarr_format      2 or 3
    attributes       a dict of what JSON holds
    overwrite        delete what is at that path, with all members
    storage_options  of a URL: a dict for the library that opens it

    Raises NodeExistsError where something is at that path (unless `overwrite`), StoreError where the store fails.
    """
    opened = _open_store(store, "a", storage_options)
    return _create_group(opened, nodes.normalize_path(path), overwrite, zarr_format, attributes)


group = create_group


def create(shape: Any, store: Any = None, *, path: str | None = None, name: str | None = None, **options: Any) -> Array:
    """`create_array` with the keywords of zarr-python 2 (`compressor`, `object_codec`, `dimension_separator`)."""
    overwrite = options.pop("overwrite", False)
    zarr_format = options.pop("zarr_format", None)
    opened = _open_store(store, "a", options.pop("storage_options", None))
    return _create_array(
        opened, nodes.normalize_path(path or name), overwrite, zarr_format, {"shape": shape, **options}
    )


def array(data: Any, **options: Any) -> Array:
    """An array that holds `data`."""
    return create(None, data=np.asarray(data), **options)


def empty(shape: Any, **options: Any) -> Array:
    """An array about whose elements nothing is said; until they are written they read as the fill value."""
    return create(shape, **options)


def zeros(shape: Any, **options: Any) -> Array:
    """An array of zeros. Nothing is stored but metadata."""
    return create(shape, **{"fill_value": 0, **options})


def ones(shape: Any, **options: Any) -> Array:
    """An array of ones. Nothing is stored but metadata."""
    return create(shape, **{"fill_value": 1, **options})


def full(shape: Any, fill_value: Any, **options: Any) -> Array:
    """An array of one value. Nothing is stored but metadata."""
    return create(shape, fill_value=fill_value, **options)


def empty_like(a: Any, **options: Any) -> Array:
    """An array of the shape, type and layout of another."""
    return create(**make.like(a, **options))


def zeros_like(a: Any, **options: Any) -> Array:
    """An array of zeros like another."""
    return create(**make.like(a, **{"fill_value": 0, **options}))


def ones_like(a: Any, **options: Any) -> Array:
    """An array of ones like another."""
    return create(**make.like(a, **{"fill_value": 1, **options}))


def full_like(a: Any, fill_value: Any = None, **options: Any) -> Array:
    """An array of one value like another."""
    return create(**make.like(a, **({} if fill_value is None else {"fill_value": fill_value}), **options))


def open_like(a: Any, path: str, **options: Any) -> Array:
    """Open the array at `path`, created like another where it is missing."""
    return open_array(path=path, **make.like(a, **options))


def save_array(store: Any, arr: Any, **options: Any) -> None:
    """Write an array into `store`, in place of an array that is there."""
    path, zarr_format = options.pop("path", None), options.pop("zarr_format", 3)
    mode_options = options.pop("storage_options", None)
    _refuse_groups(arr)
    opened = _open_store(store, "a", mode_options)
    if isinstance(arr, Array):  # it keeps its layout, codecs, attributes and names
        options = {**make.copy_of(arr, zarr_format), "shape": None, **options}
    make.new_array(
        opened,
        nodes.normalize_path(path),
        **{"data": arr, "zarr_format": zarr_format, "overwrite": "array", **_modern(options)},
    )
    if not isinstance(store, Store):
        opened.close()


def _refuse_groups(*arrays: Any) -> None:
    for arr in arrays:
        if isinstance(arr, Group):
            raise TypeError(f"save: expected arrays, found {arr!r}; try copy, which takes groups")


def save_group(store: Any, *args: Any, **kwargs: Any) -> None:
    """Write several arrays into a group: positional ones as ``arr_0``, ``arr_1``, named ones under their names.

    They replace the arrays of these names, all or none: who is cut short leaves a mark, and calls it again.
    """
    path, zarr_format = kwargs.pop("path", None), kwargs.pop("zarr_format", None)
    storage_options = kwargs.pop("storage_options", None)
    _refuse_groups(*args, *kwargs.values())
    opened = _open_store(store, "a", storage_options)
    target = open_group(opened, mode="a", path=path, zarr_format=zarr_format)
    store_arrays(target, {**{f"arr_{i}": a for i, a in enumerate(args)}, **kwargs})
    if not isinstance(store, Store):
        opened.close()


def save(store: Any, *args: Any, **kwargs: Any) -> None:
    """Write one array (`save_array`) or several (`save_group`) to a place from which `load` reads them back."""
    reserved = ("path", "zarr_format", "storage_options")
    if len(args) == 1 and not (set(kwargs) - set(reserved)):
        save_array(store, args[0], **kwargs)
    else:
        save_group(store, *args, **kwargs)


def load(
    store: Any, path: str | None = None, zarr_format: int | None = None, storage_options: dict[str, Any] | None = None
) -> Any:
    """All of an array as a numpy array, or of a group as a dict of name -> numpy array (or dict)."""
    opened = _open_store(store, "r", storage_options)
    node = open(opened, mode="r", path=path, zarr_format=zarr_format)
    result = _load(node)
    if not isinstance(store, Store):
        opened.close()
    return result


def _load(node: Array | Group) -> Any:
    return node[...] if isinstance(node, Array) else {name: _load(member) for name, member in node.members()}


def copy(
    source: Array | Group,
    dest: Any,
    name: str | None = None,
    overwrite: bool = False,
    *,
    if_exists: str = "raise",
    dry_run: bool = False,
    progress: Progress = None,
) -> Array | Group | hierarchy.Plan:
    """Copy an array or a group, with all it holds, below `dest` (a group or a store).

    Documents and stored chunks are copied as they are, with whatever else lies there. `if_exists` is ``"raise"``,
    ``"replace"`` (as is ``overwrite=True``) or ``"skip"``, which completes a copy that was cut short. A dry run
    returns the plan: keys and bytes. `progress` counts the stored objects.
    """
    if not isinstance(source, (Array, Group)):
        raise TypeError(f"copy: expected an array or a group, found {spelled(repr(source))}; try open(...) of it")
    store, base = (dest.store, dest.path) if isinstance(dest, Group) else (_open_store(dest, "a", None), "")
    relative = nodes.normalize_path(name if name is not None else source.basename)
    path = nodes.join(base, relative) if relative else base
    plan = hierarchy.copy(
        source.store,
        source.path,
        store,
        path,
        zarr_format=source.zarr_format,
        if_exists="replace" if overwrite else if_exists,
        dry_run=dry_run,
        progress=progress,
    )
    if dry_run:
        return plan
    return open(store, mode="r+", path=path, zarr_format=source.zarr_format, use_consolidated=False)


def move(
    store: Any, source: str, dest: str, *, dry_run: bool = False, progress: Progress = None
) -> Array | Group | hierarchy.Plan:
    """Move the node at the path `source` to the path `dest` of the same store; a dry run returns the plan.

    Refused where something is at `dest`, or `dest` lies inside the node.
    """
    opened, path = _open_store(store, "r+", None), nodes.normalize_path(dest)
    plan = hierarchy.move(opened, nodes.normalize_path(source), path, dry_run=dry_run, progress=progress)
    return plan if dry_run else open(opened, mode="r+", path=path, use_consolidated=False)


def delete(store: Any, path: str, *, dry_run: bool = True) -> hierarchy.Plan:
    """Say what deleting the node at `path` would delete. Nothing is deleted without ``dry_run=False``."""
    return hierarchy.delete(_open_store(store, "r+", None), nodes.normalize_path(path), dry_run=dry_run)


def create_hierarchy(
    *, store: Any, nodes: dict[str, Any], overwrite: bool = False
) -> Iterator[tuple[str, Array | Group]]:
    """Create the nodes of a whole hierarchy: pairs (path, node) of those that were created.

    `nodes` maps paths to metadata (``array.metadata``) or metadata documents, all of one format; groups between
    them that are missing are created too. Everything is checked before anything is written. With `overwrite` the
    nodes that are named, and they alone, replace what is there. A call that was cut short leaves a mark; made again,
    it goes on.
    """
    opened = _open_store(store, "a", None)
    parsed, implied = hierarchy.parse_nodes(nodes)
    missing = hierarchy.check_creation(opened, parsed, implied, overwrite)
    made = {path: _node(opened, path, metadata, "r+", False, {}) for path, metadata in missing.items()}
    hierarchy.create(opened, missing, implied, overwrite)
    return iter(made.items())


def tree(grp: Any, level: int | None = None) -> Tree:
    """The hierarchy of a group as text."""
    return (grp if isinstance(grp, Group) else open_group(grp, mode="r")).tree(level)


def consolidate_metadata(
    store: Any,
    path: str | None = None,
    zarr_format: int | None = None,
    storage_options: dict[str, Any] | None = None,
    progress: Progress = None,
) -> Group:
    """Gather the metadata of all nodes below a group into one document, and return the group opened with it.

    A convention, not part of the core specification: readers without it read the documents themselves. Changes by
    this library keep it up to date; call this again after those of other programs. `progress` counts the nodes.
    """
    opened, at = _open_store(store, "r+", storage_options), nodes.normalize_path(path)
    root = open_group(opened, mode="r+", path=at, zarr_format=zarr_format, use_consolidated=False)
    consolidation.write(opened, at, root.zarr_format, progress)
    return open_group(opened, mode="r+", path=at, zarr_format=root.zarr_format, use_consolidated=True)


def consolidated_differences(store: Any, path: str | None = None) -> list[consolidation.Difference]:
    """Where the consolidated metadata of a group says something else than the nodes' own documents.

    It reads every document below the group. Raises GroupNotFoundError where nothing is consolidated.
    """
    opened, at = _open_store(store, "r", None), nodes.normalize_path(path)
    root = open_group(opened, mode="r", path=at, use_consolidated=False)
    return consolidation.differences(opened, at, root.zarr_format)


def is_stale(store: Any, path: str | None = None) -> bool:
    """Whether the consolidated metadata of a group is out of date; `consolidated_differences` says where."""
    return bool(consolidated_differences(store, path))
