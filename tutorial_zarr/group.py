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

import copy
import warnings
from collections.abc import Iterator
from typing import Any

from tutorial_zarr import create, nodes
from tutorial_zarr.array import Array, Info
from tutorial_zarr.attributes import Attributes
from tutorial_zarr.errors import (
    ArrayNotFoundError,
    GroupNotFoundError,
    NodeExistsError,
    NodeNameError,
    ReadOnlyError,
    ZarrError,
)
from tutorial_zarr.metadata import ArrayMetadata, GroupMetadata
from tutorial_zarr.stores import Store


class Group:
    """A group in a store. Made by `create_group` and `open_group`."""

    def __init__(
        self,
        store: Store,
        path: str,
        metadata: GroupMetadata,
        *,
        read_only: bool = False,
        consolidated: dict[str, Any] | None = None,
        array_options: dict[str, Any] | None = None,
    ) -> None:
        self.store, self.path, self.metadata = store, path, metadata
        self.read_only = read_only or store.read_only
        self._consolidated = consolidated  # path below this group -> metadata; None: ask the store
        self._array_options = array_options or {}

    # --- what it is

    @property
    def zarr_format(self) -> int:
        """2 or 3."""
        return self.metadata.zarr_format

    @property
    def name(self) -> str:
        """The path with a leading slash."""
        return "/" + self.path

    @property
    def basename(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def attrs(self) -> Attributes:
        """The attributes: a mapping that writes through to the store."""
        return Attributes(lambda: copy.deepcopy(self.metadata.attributes), self._set_attributes)

    def _set_attributes(self, attributes: dict[str, Any]) -> None:
        self._check_writable()
        metadata = self.metadata.with_attributes(attributes)
        nodes.write_attributes(self.store, self.path, metadata)
        self.metadata = metadata

    def _check_writable(self) -> None:
        if self.read_only:
            raise ReadOnlyError(
                f"{self._label}: cannot write: the group was opened for reading; try mode='r+'", path=self.path
            )

    @property
    def _label(self) -> str:
        return nodes.label("group", self.path, self.zarr_format)

    def __repr__(self) -> str:
        return f"<Group {self.name} of {self.store!r} (Zarr {self.zarr_format})>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and (self.store, self.path) == (other.store, other.path)

    __hash__ = None  # type: ignore[assignment]

    @property
    def info(self) -> Info:
        """A summary to print."""
        members = list(self.members())
        arrays = sum(isinstance(node, Array) for _, node in members)
        return Info(
            {
                "Path": self.name,
                "Store": repr(self.store),
                "Zarr format": self.zarr_format,
                "Read-only": self.read_only,
                "Consolidated": self._consolidated is not None,
                "Arrays": arrays,
                "Groups": len(members) - arrays,
            }
        )

    # --- members

    def _wrap(self, path: str, metadata: Any, deferred: bool = False) -> Array | Group:
        if isinstance(metadata, ArrayMetadata):
            options = self._array_options
            return Array(self.store, path, metadata, read_only=self.read_only, deferred=deferred, **options)
        below = None
        if self._consolidated is not None:
            start = path[len(self.path) :].strip("/") + "/"
            below = {k[len(start) :]: v for k, v in self._consolidated.items() if k.startswith(start)}
        return Group(
            self.store,
            path,
            metadata,
            read_only=self.read_only,
            consolidated=below,
            array_options=self._array_options,
        )

    def _find(self, name: str) -> Any:
        """The metadata of the node at `name` below this group; None where there is none."""
        relative = nodes.normalize_path(name)
        if self._consolidated is not None:
            return self._consolidated.get(relative)
        return nodes.read(self.store, nodes.join(self.path, relative), self.zarr_format)

    def _implicit(self, relative: str) -> GroupMetadata | None:
        """A v2 folder without ``.zgroup`` that holds nodes. Listings leave it out; by its name it can be had."""
        path = nodes.join(self.path, relative)
        if self.zarr_format == 3 or self._consolidated is not None:
            return None
        for name in nodes.child_names(self.store, path):
            if self.store.exists(f"{path}/{name}/.zarray") or self.store.exists(f"{path}/{name}/.zgroup"):
                return nodes.new_group(2, {})
        return None

    def __getitem__(self, name: str) -> Array | Group:
        metadata = self._find(name) or self._implicit(nodes.normalize_path(name))
        if metadata is None:
            near = ", ".join(sorted(self.keys())[:8])
            raise GroupMemberError(
                f"{self._label}: expected a member {name!r}, found none; it holds {near or 'nothing'}", name=name
            )
        return self._wrap(nodes.join(self.path, nodes.normalize_path(name)), metadata)

    def get(self, name: str, default: Any = None) -> Any:
        """The member of that name, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def _child_metadata(self) -> Iterator[tuple[str, Any]]:
        """Name and metadata of each direct member; an error stands in for metadata that cannot be read."""
        if self._consolidated is not None:
            for name, metadata in sorted(self._consolidated.items()):
                if name and "/" not in name:
                    yield name, metadata
            return
        for name in nodes.child_names(self.store, self.path, self.zarr_format):
            try:
                metadata = self._find(name)
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
        for name, metadata in self._child_metadata():
            if isinstance(metadata, ZarrError):
                warnings.warn(f"{self._label}: left out {name!r}: {metadata}", nodes.ZarrWarning, stacklevel=2)
                continue
            node = self._wrap(nodes.join(self.path, name), metadata, deferred=True)
            yield name, node
            if isinstance(node, Group) and (max_depth is None or max_depth > 0):
                deeper = node.members(None if max_depth is None else max_depth - 1)
                yield from ((f"{name}/{rest}", member) for rest, member in deeper)

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
            raise NodeNameError(f"{self._label}: expected the name of a member, found {name!r}", name=name)
        return nodes.join(self.path, relative)

    def create_array(self, name: str, *, overwrite: bool = False, data: Any = None, **options: Any) -> Array:
        """Create an array below this group, with the groups above it; the keywords are those of `create_array`."""
        self._check_writable()
        path = self._path_of(name)
        options.setdefault("zarr_format", self.zarr_format)
        self._consolidated = None  # it is out of date now; from here on the store is asked
        return create.new_array(self.store, path, overwrite=overwrite, data=data, **options)

    def create_dataset(self, name: str, **options: Any) -> Array:
        """`create_array`, under the name that h5py and zarr-python 2 gave it."""
        return self.create_array(name, **options)

    def create_group(self, name: str, *, attributes: dict[str, Any] | None = None, overwrite: bool = False) -> Group:
        """Create a group below this one, with the groups above it."""
        self._check_writable()
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
            raise GroupNotFoundError(f"{self._label}: expected a group {name!r}, found an array", name=name)
        return node

    def require_array(self, name: str, *, shape: Any, dtype: Any = None, exact: bool = False, **options: Any) -> Array:
        """The array of that name, created where it is missing; refused where shape or type differ."""
        try:
            node = self[name]
        except KeyError:
            return self.create_array(name, shape=shape, dtype=dtype, **options)
        if not isinstance(node, Array):
            raise ArrayNotFoundError(f"{self._label}: expected an array {name!r}, found a group", name=name)
        wanted = (shape,) if isinstance(shape, int) else tuple(shape)
        if node.shape != wanted:
            raise NodeExistsError(
                f"{self._label}: expected array {name!r} of shape {wanted}, found {node.shape}; try another name",
                name=name,
            )
        create.check_dtype(node, dtype, exact, f"{self._label}: array {name!r}")
        return node

    require_dataset = require_array

    def __setitem__(self, name: str, value: Any) -> None:
        """Store an array (anything that NumPy takes) under a name, in place of an array that is there."""
        self.create_array(name, data=value, overwrite=True)

    def __delitem__(self, name: str) -> None:
        self._check_writable()
        path = self._path_of(name)
        if self._find(name) is None:
            raise GroupMemberError(f"{self._label}: expected a member {name!r} to delete, found none", name=name)
        nodes.refuse_foreign(self.store, path, f"{self._label}: cannot delete {name!r}")
        self.store.delete_prefix(path)
        self._consolidated = None


class GroupMemberError(ZarrError, KeyError):
    """A group has no member of that name."""


class Tree:
    """A hierarchy as text."""

    def __init__(self, group: Group, max_depth: int | None = None) -> None:
        self.group, self.max_depth = group, max_depth

    def _lines(self, group: Group, indent: str, depth: int) -> Iterator[str]:
        members = list(group.members())
        for i, (name, node) in enumerate(members):
            last = i == len(members) - 1
            what = f" {node.shape} {node.dtype}" if isinstance(node, Array) else ""
            yield f"{indent}{'└── ' if last else '├── '}{name}{what}"
            if isinstance(node, Group) and (self.max_depth is None or depth < self.max_depth):
                yield from self._lines(node, indent + ("    " if last else "│   "), depth + 1)

    def __str__(self) -> str:
        return "\n".join([self.group.name, *self._lines(self.group, "", 1)])

    __repr__ = __str__
