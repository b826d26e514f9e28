"""`Group`: a node that holds arrays and other groups.

>>> import tutorial_zarr as zarr
>>> root = zarr.create_group({})
>>> _ = root.create_array("climate/tas", shape=(2, 3), dtype="f4")
>>> print(root.tree())
/
└── climate
    └── tas (2, 3) float32

Spec: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html#hierarchy
"""

from __future__ import annotations

import bisect
import fnmatch
import functools
import warnings
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from tutorial_zarr import consolidation, create, hierarchy, limits, nodes, replacing
from tutorial_zarr.array import Array
from tutorial_zarr.doors import open_door
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    MetadataError,
    NodeExistsError,
    NodeNameError,
    StoreError,
    ZarrError,
    spelled,
)
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata
from tutorial_zarr.progress import Progress
from tutorial_zarr.stores import Store


class Group(nodes.Node):
    """A group in a store. Made by `create_group` and `open_group`."""

    def __init__(
        self,
        store: Store,
        path: str,
        metadata: GroupMetadata,
        *,
        read_only: bool = False,
        consolidated: MutableMapping[str, Any] | None = None,
        array_options: dict[str, Any] | None = None,
    ) -> None:
        self.store, self.path, self.metadata = store, path, metadata
        self.read_only = read_only or store.read_only
        self._sorted: list[str] = []  # the names in it, once they were needed in order
        self._consolidated = consolidated  # path below this group -> metadata; None: ask the store
        self._array_options = array_options or {}

    def renew_consolidated(self) -> bool:
        """Put the group's documents into every consolidated metadata that tells of it; returns whether any does."""
        return consolidation.renew(self.store, self.path, self.zarr_format, tree=False)

    def __repr__(self) -> str:
        return f"<Group {spelled(self.name)} of {self.store!r} (Zarr {self.zarr_format})>"

    @property
    def consolidated_members(self) -> Mapping[str, Any] | None:
        """The metadata of all members by path, if the group was opened with consolidated metadata; otherwise None."""
        return self._consolidated

    def as_consolidated(self) -> Group:
        """This group for reading, answered by consolidated metadata alone."""
        return Group(self.store, self.path, self.metadata, read_only=True, consolidated=self._consolidated)

    def _repr_html_(self) -> str:
        return open_door("drawing").group_card(self)

    @property
    def info(self) -> Any:
        """A summary to print or to show on a page; it reads and lists nothing in the store."""
        return open_door("drawing").group_info(self)

    def info_complete(self) -> Any:
        """`info`, and what the store tells by reading the documents of the direct members."""
        return open_door("drawing").group_info(self, complete=True)

    # --- members

    def _wrap(self, path: str, metadata: Any, deferred: bool = False) -> Array | Group:
        if isinstance(metadata, ArrayMetadata):
            options = self._array_options
            array = Array(self.store, path, metadata, read_only=self.read_only, deferred=True, **options)
            if self._consolidated is not None and self.read_only:
                array._doubt = functools.partial(self._check_copy, path, metadata)
            if not deferred:
                array._bind(metadata)
            return array
        below = None
        if self._consolidated is not None:
            below = self._listed_below(path[len(self.path) :].strip("/"))
        return Group(
            self.store,
            path,
            metadata,
            read_only=self.read_only,
            consolidated=below,
            array_options=self._array_options,
        )

    def _listed_below(self, relative: str) -> Any:
        """What consolidated metadata list below a member. The names are sorted once, not looked through each time."""
        listed: Any = self._consolidated
        if len(self._sorted) != len(listed):
            self._sorted = sorted(listed)
        start = relative + "/"
        first, last = (bisect.bisect_left(self._sorted, edge) for edge in (start, relative + "0"))  # "0" follows "/"
        return listed.below(start, self._sorted[first:last])

    def _find(self, name: str) -> Any:
        """The metadata of the node at `name` below this group; None where there is none.

        Consolidated metadata answers for a group that is only read. Where it lists no such node the store is asked;
        if it knows one, the copy is out of date, and not believed any more. For a group that may be written the copy
        gives the names alone, and each node is asked itself: to resize by an outdated shape would lose data.
        """
        relative = nodes.normalize_path(name)
        listed = None if self._consolidated is None else self._consolidated.get(relative)
        if self._consolidated is not None and self.read_only:
            if isinstance(listed, MetadataError):
                raise listed
            return self._unlisted(relative) if listed is None else listed
        found = nodes.read(self.store, nodes.join(self.path, relative), self.zarr_format)
        if isinstance(listed, nodes.Metadata) and (found is None or not consolidation.same(listed, found)):
            self._say_stale(relative, "is not in the store" if found is None else "says something else of itself")
        if self._consolidated is not None and found is not None:
            self._consolidated[relative] = found
        return found

    def _say_stale(self, relative: str, what: str) -> None:
        warnings.warn(
            f"{self.label}: the consolidated metadata is out of date: {relative!r} {what}; "
            "try consolidate_metadata, or use_consolidated=False",
            nodes.ZarrWarning,
            stacklevel=4,
        )

    def _unlisted(self, relative: str) -> Any:
        """A node that consolidated metadata does not list; if it is there, the store is asked from now on."""
        found = nodes.read(self.store, nodes.join(self.path, relative), self.zarr_format)
        if found is not None:
            self._say_stale(relative, "is not listed there, but is in the store")
            try:
                next(iter(self.store.list_dir(self.path)), None)
                self._consolidated = None
            except StoreError:  # a web server lists nothing: what the copy knows is all there is
                self._consolidated[relative] = found  # type: ignore[index]
        return found

    def _check_copy(self, path: str, metadata: ArrayMetadata) -> None:
        """Ask an array itself what consolidated metadata told of it, since a chunk of it is absent."""
        own = nodes.read(self.store, path, self.zarr_format)
        relative = path[len(self.path) :].strip("/")
        if own is None:
            raise ArrayNotFoundError(
                f"{nodes.label('array', path, self.zarr_format)}: expected the array that the consolidated metadata of "
                f"{self.label} lists, found none in {self.store!r}: it was moved or deleted since; "
                "try consolidate_metadata, or use_consolidated=False",
                path=path,
            )
        if not consolidation.same(metadata, own):
            self._say_stale(relative, "says something else of itself")

    def _implicit(self, relative: str) -> GroupMetadata | None:
        """A v2 folder without ``.zgroup`` that holds nodes. Listings leave it out; by its name it can be had."""
        path = nodes.join(self.path, relative)
        if self.zarr_format == 3 or self._consolidated is not None:
            return None
        with nodes.where_listed():
            for name in nodes.child_names(self.store, path):
                if self.store.exists(f"{path}/{name}/.zarray") or self.store.exists(f"{path}/{name}/.zgroup"):
                    return nodes.new_group(2, {})
        return None

    def __getitem__(self, name: str) -> Array | Group:
        path, metadata = nodes.join(self.path, nodes.normalize_path(name)), self._find(name)
        if not self.read_only and replacing.settle(self.store, path, there=metadata is not None):
            metadata = self._find(name)
        metadata = metadata or self._implicit(nodes.normalize_path(name))
        if metadata is None:
            near = "what the store does not list"
            with nodes.where_listed():
                near = ", ".join(sorted(self.keys())[:8]) or "nothing"
            raise GroupMemberError(f"{self.label}: expected a member {name!r}, found none; it holds {near}", name=name)
        return self._wrap(path, metadata)

    def get(self, name: str, default: Any = None) -> Any:
        """The member of that name, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        try:
            return isinstance(name, str) and self._find(name) is not None
        except MetadataError:
            return True  # there is something, whatever it may be

    def _child_metadata(self) -> Iterator[tuple[str, Any]]:
        """Name and metadata of each direct member; an error stands in for metadata that cannot be read."""
        if self._consolidated is not None:
            limits.check_levels(self.path)
            names: Iterable[str] = sorted(name for name in self._consolidated if name and "/" not in name)
        else:
            names = nodes.child_names(self.store, self.path, self.zarr_format)
        for name in names:
            try:
                metadata = self._find(name)
            except StoreError:
                raise  # what fails is not absent
            except ZarrError as error:
                yield name, error
                continue
            if metadata is not None:
                yield name, metadata

    def members(self, max_depth: int | None = 0) -> Iterator[tuple[str, Array | Group]]:
        """Pairs (path below this group, node), by name; `max_depth` None goes all the way down.

        A member that cannot be read does not hide the others. One whose codecs are unknown is listed, and says so
        when its elements are asked for; one whose document is invalid is left out, with a warning that says why.
        """
        waiting = [("", self._direct())]  # no recursion: a hierarchy may be deeper than Python's stack
        while waiting:
            above, below = waiting[-1]
            for name, node in below:
                yield above + name, node
                if isinstance(node, Group) and (max_depth is None or len(waiting) <= max_depth):
                    waiting.append((f"{above}{name}/", node._direct()))
                    break
            else:
                waiting.pop()

    def _direct(self) -> Iterator[tuple[str, Array | Group]]:
        """Pairs (name, node) of the direct members."""
        for name, metadata in self._child_metadata():
            if isinstance(metadata, ZarrError):
                warnings.warn(f"{self.label}: left out {name!r}: {metadata}", nodes.ZarrWarning, stacklevel=3)
                continue
            yield name, self._wrap(nodes.join(self.path, name), metadata, deferred=True)

    def walk(self) -> Iterator[tuple[Group, list[str], list[str]]]:
        """Triples (group, names of its groups, names of its arrays), this group first, as `os.walk` has it.

        Names that are removed from the list of groups are not entered.
        """
        waiting = [self]
        while waiting:
            group = waiting.pop()
            members = dict(group.members())
            groups = {name: node for name, node in members.items() if isinstance(node, Group)}
            entered = list(groups)
            yield group, entered, [name for name in members if name not in groups]
            waiting += [groups[name] for name in reversed(entered)]

    def glob(self, pattern: str) -> Iterator[tuple[str, Array | Group]]:
        """Pairs (path, node) that match a pattern, as `pathlib` has it: ``*`` stays in a level, ``**`` is any number.

        Only groups that can hold a match are listed: ``a/*`` costs what listing ``a`` costs.
        """
        parts = [part for part in pattern.split("/") if part]
        waiting = [("", _closure(parts, {0}), self.members())]  # where in the pattern the group may stand
        while waiting:
            above, at, below = waiting[-1]
            for name, node in below:
                after = _behind(parts, at, name)
                if len(parts) in after:
                    yield above + name, node
                if isinstance(node, Group) and after - {len(parts)}:
                    waiting.append((f"{above}{name}/", after, node.members()))
                    break
            else:
                waiting.pop()

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Pairs (name, array) of the arrays directly below."""
        return ((name, node) for name, node in self.members() if isinstance(node, Array))

    def groups(self) -> Iterator[tuple[str, Group]]:
        """Pairs (name, group) of the groups directly below."""
        return ((name, node) for name, node in self.members() if isinstance(node, Group))

    def keys(self) -> Iterator[str]:
        """The names of all direct members."""
        return (name for name, _ in self.members())

    def array_keys(self) -> Iterator[str]:
        """The names of the arrays directly below."""
        return (name for name, _ in self.arrays())

    def group_keys(self) -> Iterator[str]:
        """The names of the groups directly below."""
        return (name for name, _ in self.groups())

    def array_values(self) -> Iterator[Array]:
        """The arrays directly below."""
        return (node for _, node in self.arrays())

    def group_values(self) -> Iterator[Group]:
        """The groups directly below."""
        return (node for _, node in self.groups())

    def nmembers(self, max_depth: int | None = 0) -> int:
        """How many members there are."""
        return sum(1 for _ in self.members(max_depth))

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __len__(self) -> int:
        return self.nmembers()

    def tree(self, max_depth: int | None = None) -> Tree:
        """The hierarchy below as text."""
        return Tree(self, max_depth)

    # --- making and deleting members

    def _path_of(self, name: str) -> str:
        """The path of a member that is to be made or deleted."""
        relative = nodes.normalize_path(name)
        if not relative:
            raise NodeNameError(f"{self.label}: expected the name of a member, found {name!r}", name=name)
        return nodes.join(self.path, relative)

    def create_array(self, name: str, *, overwrite: bool = False, data: Any = None, **options: Any) -> Array:
        """Create an array below this group, with the groups above it.

        name       its path below this group
        overwrite  delete what is at that path
        data       its elements, in place of a shape and a type
        options    the keywords of `create_array`; the format is this group's
        """
        self.check_writable()
        path = self._path_of(name)
        options.setdefault("zarr_format", self.zarr_format)
        made = create.new_array(self.store, path, overwrite=overwrite, data=data, **options)
        self._consolidated = None  # it is out of date now; from here on the store is asked
        return made

    def create_dataset(self, name: str, **options: Any) -> Array:
        """`create_array`, under the name that h5py and zarr-python 2 gave it."""
        return self.create_array(name, **options)

    def create_group(self, name: str, *, attributes: dict[str, Any] | None = None, overwrite: bool = False) -> Group:
        """Create a group below this one, with the groups above it.

        name        its path below this group
        attributes  a dict of what JSON holds
        overwrite   delete what is at that path, with all members
        """
        self.check_writable()
        path = self._path_of(name)
        metadata = create.new_group(self.store, path, self.zarr_format, attributes, overwrite)
        self._consolidated = None
        return Group(self.store, path, metadata, array_options=self._array_options)

    def require_group(self, name: str) -> Group:
        """The group of that name, created where it is missing."""
        try:
            node = self[name]
        except KeyError:
            return self.create_group(name)
        if not isinstance(node, Group):
            raise GroupNotFoundError(f"{self.label}: expected a group {name!r}, found an array", name=name)
        return node

    def require_groups(self, *names: str) -> tuple[Group, ...]:
        """The groups of these names, created where they are missing."""
        return tuple(self.require_group(name) for name in names)

    def create_hierarchy(
        self, nodes: dict[str, Any], *, overwrite: bool = False
    ) -> Iterator[tuple[str, Array | Group]]:
        """Create many nodes below this group at once: the `create_hierarchy` of the package, with paths from here."""
        self.check_writable()
        parsed, implied = hierarchy.parse_nodes(nodes, self.path)
        if any(metadata.zarr_format != self.zarr_format for metadata in parsed.values()):
            raise MetadataError(f"{self.label}: expected nodes of Zarr {self.zarr_format}, found another format")
        missing = hierarchy.check_creation(self.store, parsed, implied, overwrite)
        start = len(self.path) + 1 if self.path else 0
        made = {path[start:]: self._wrap(path, metadata) for path, metadata in missing.items()}
        hierarchy.create(self.store, missing, implied, overwrite)
        self._consolidated = None
        return iter(made.items())

    def move(self, source: str, dest: str, *, dry_run: bool = False, progress: Progress = None) -> hierarchy.Plan:
        """Move a member; both paths count from this group. A dry run changes nothing; either returns the plan."""
        self.check_writable()
        old, new = self._path_of(source), self._path_of(dest)
        plan = hierarchy.move(self.store, old, new, dry_run=dry_run, progress=progress)
        if not dry_run:
            self._consolidated = None
        return plan

    def delete(self, name: str, *, dry_run: bool = True) -> hierarchy.Plan:
        """Say what deleting a member would delete; with ``dry_run=False``, delete it as ``del group[name]`` does."""
        self.check_writable()
        plan = hierarchy.delete(self.store, self._path_of(name), dry_run=dry_run)
        if not dry_run:
            self._consolidated = None
        return plan

    def require_array(self, name: str, *, shape: Any, dtype: Any = None, exact: bool = False, **options: Any) -> Array:
        """The array of that name, created where it is missing; refused where shape or type differ."""
        try:
            node = self[name]
        except KeyError:
            return self.create_array(name, shape=shape, dtype=dtype, **options)
        if not isinstance(node, Array):
            raise ArrayNotFoundError(f"{self.label}: expected an array {name!r}, found a group", name=name)
        wanted = (shape,) if isinstance(shape, int) else tuple(shape)
        if node.shape != wanted:
            raise NodeExistsError(
                f"{self.label}: expected array {name!r} of shape {wanted}, found {node.shape}; try another name",
                name=name,
            )
        create.check_dtype(node, dtype, exact, f"{self.label}: array {name!r}")
        return node

    require_dataset = require_array

    def __setitem__(self, name: str, value: Any) -> None:
        """Store an array (anything that NumPy takes) under a name, in place of an array that is there.

        One of this library keeps its layout, codecs, attributes and names. A group of that name is not replaced.
        """
        store_arrays(self, {name: value})

    def __delitem__(self, name: str) -> None:
        self.check_writable()
        path = self._path_of(name)
        if self._find(name) is None and replacing.read_mark(self.store, path) is None:
            raise GroupMemberError(f"{self.label}: expected a member {name!r} to delete, found none", name=name)
        hierarchy.delete(self.store, path, dry_run=False)
        self._consolidated = None


def store_arrays(group: Group, arrays: Mapping[str, Any]) -> None:
    """Store arrays under their names, each as ``group[name] = value`` does it, but so that they belong together.

    Nothing is replaced before all are looked at, and a mark says so until all are there. One may hold what another one
    of them replaces.
    """
    group.check_writable()
    planned = {}
    for name, value in arrays.items():
        options = create.copy_of(value, group.zarr_format) if isinstance(value, Array) else {}
        planned[group._path_of(name)] = options | {"shape": None, "data": value, "zarr_format": group.zarr_format}
    if len(planned) != len(arrays):
        raise NodeNameError(f"{group.label}: expected each name once, found {', '.join(sorted(arrays))}")
    create.new_arrays(group.store, planned, overwrite="array")
    group._consolidated = None


class GroupMemberError(ZarrError, KeyError):
    """A group has no member of that name."""


def _behind(parts: list[str], at: set[int], name: str) -> set[int]:
    """The places in a pattern that are reached from others by a name."""
    fitting = {i for i in at if i < len(parts) and (parts[i] == "**" or fnmatch.fnmatchcase(name, parts[i]))}
    return _closure(parts, {i if parts[i] == "**" else i + 1 for i in fitting})


def _closure(parts: list[str], at: set[int]) -> set[int]:
    """The places in a pattern that are reached without a name: ``**`` may stand for none."""
    for i in sorted(at):
        while i < len(parts) and parts[i] == "**":
            i += 1
            at.add(i)
    return at


class Tree:
    """A hierarchy as text, and as nested lists on a page."""

    def __init__(self, group: Group, max_depth: int | None = None) -> None:
        self.group, self.max_depth = group, max_depth

    def __str__(self) -> str:
        return open_door("drawing").tree_lines(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return open_door("drawing").tree_card(self)
