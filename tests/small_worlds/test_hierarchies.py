"""Random changes of a hierarchy, against a dictionary that says what should be there.

The model maps the path of each node to its attributes, and of an array to its elements besides. After every step
the store must list, open and read as the model says, and hold no key that belongs to no node.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import tutorial_zarr as zarr
from tutorial_zarr.errors import NodeExistsError, NodeNotFoundError
from tutorial_zarr.stores import MemoryStore

PATHS = st.lists(st.sampled_from(["a", "b", "c", "0"]), min_size=1, max_size=3).map("/".join)
ATTRIBUTES = st.dictionaries(st.sampled_from(["n", "ü"]), st.integers() | st.text(max_size=3), max_size=2)


def above(path):
    names = path.split("/")
    return ["/".join(names[:i]) for i in range(1, len(names))]


def below(path, model):
    return [other for other in model if other == path or other.startswith(path + "/")]


class Hierarchy(RuleBasedStateMachine):
    """The store, and what should be in it."""

    @initialize(zarr_format=st.sampled_from([2, 3]))
    def begin(self, zarr_format):
        self.zarr_format, self.store, self.model = zarr_format, MemoryStore(), {}
        self.root = zarr.create_group(self.store, zarr_format=zarr_format)

    def is_array(self, path):
        return path in self.model and self.model[path][1] is not None

    def fits(self, path, without=()):
        """Whether a node may be made at `path`."""
        return path not in self.model and not any(self.is_array(p) and p not in without for p in above(path))

    def add(self, path, attributes, elements):
        for group in above(path):
            self.model.setdefault(group, ({}, None))
        self.model[path] = attributes, elements

    @rule(path=PATHS, attributes=ATTRIBUTES)
    def create_group(self, path, attributes):
        if not self.fits(path):
            with pytest.raises(NodeExistsError, match="expected"):
                self.root.create_group(path, attributes=attributes)
            return
        self.root.create_group(path, attributes=attributes)
        self.add(path, attributes, None)

    @rule(path=PATHS, attributes=ATTRIBUTES, elements=st.lists(st.integers(-9, 9), max_size=5))
    def create_array(self, path, attributes, elements):
        data = np.asarray(elements, "i2")
        if not self.fits(path):
            with pytest.raises(NodeExistsError, match="expected"):
                self.root.create_array(path, data=data, chunks=2)
            return
        self.root.create_array(path, data=data, chunks=2, attributes=attributes)
        self.add(path, attributes, elements)

    @rule(path=PATHS, attributes=ATTRIBUTES)
    def change_attributes(self, path, attributes):
        if path in self.model:
            self.root[path].attrs.update(attributes)
            self.model[path] = {**self.model[path][0], **attributes}, self.model[path][1]

    @rule(paths=st.lists(PATHS, min_size=1, max_size=3, unique=True), attributes=ATTRIBUTES)
    def create_many_groups(self, paths, attributes):
        document = {"zarr_format": 3, "node_type": "group"} if self.zarr_format == 3 else {"zarr_format": 2}
        nodes = {path: {**document, "attributes": attributes} for path in paths}
        if not all(self.fits(path) for path in paths):
            with pytest.raises(NodeExistsError, match="expected"):
                self.root.create_hierarchy(nodes)
            return
        missing = {p for path in paths for p in [*above(path), path]} - set(self.model)
        assert {path for path, _ in self.root.create_hierarchy(nodes)} == missing
        for path in missing:
            self.model[path] = attributes if path in paths else {}, None

    @rule(path=PATHS, dry_run=st.booleans())
    def delete(self, path, dry_run):
        if path not in self.model:
            with pytest.raises(NodeNotFoundError, match="found none"):
                self.root.delete(path, dry_run=dry_run)
            return
        self.root.delete(path, dry_run=dry_run)
        for gone in [] if dry_run else below(path, self.model):
            del self.model[gone]

    @rule(source=PATHS, path=PATHS, dry_run=st.booleans())
    def move(self, source, path, dry_run):
        inside = path == source or path.startswith(source + "/")
        if source not in self.model or inside or not self.fits(path):
            with pytest.raises((NodeExistsError, NodeNotFoundError), match="expected"):
                self.root.move(source, path, dry_run=dry_run)
            return
        self.root.move(source, path, dry_run=dry_run)
        if not dry_run:
            moved = {path + old[len(source) :]: self.model.pop(old) for old in below(source, self.model)}
            self.add(path, *moved[path])
            self.model |= moved

    @rule(source=PATHS, path=PATHS, if_exists=st.sampled_from(["raise", "replace", "skip"]))
    def copy(self, source, path, if_exists):
        if source not in self.model:
            return
        copies = {path + old[len(source) :]: self.model[old] for old in below(source, self.model)}
        overlap = path == source or path.startswith(source + "/")
        overlap |= if_exists == "replace" and source.startswith(path + "/")
        clash = any(self.is_array(p) for p in above(path))
        clash |= if_exists == "raise" and path in self.model
        if if_exists == "skip":
            clash |= any(p in self.model and self.is_array(p) != (copies[p][1] is not None) for p in copies)
        if overlap or clash:
            with pytest.raises(NodeExistsError, match="expected"):
                zarr.copy(self.root[source], self.root, name=path, if_exists=if_exists)
            return
        zarr.copy(self.root[source], self.root, name=path, if_exists=if_exists)
        for gone in below(path, self.model) if if_exists == "replace" else []:
            del self.model[gone]
        for new, (attributes, elements) in copies.items():
            if new not in self.model:
                self.add(new, attributes, elements)

    @rule()
    def consolidate(self):
        zarr.consolidate_metadata(self.store)
        assert not zarr.is_stale(self.store)
        consolidated = zarr.open_consolidated(self.store, mode="r")
        assert [path for path, _ in consolidated.members(max_depth=None)] == self.expected_order()
        self.store.delete(".zmetadata")
        self.root = zarr.open_group(self.store, use_consolidated=False)

    def expected_order(self):
        return sorted(self.model, key=lambda path: path.split("/"))

    @invariant()
    def the_store_says_what_the_model_says(self):
        found = dict(self.root.members(max_depth=None))
        assert list(found) == self.expected_order()
        for path, (attributes, elements) in self.model.items():
            assert found[path].attrs.asdict() == attributes
            assert (None if elements is None else elements) == (
                found[path][...].tolist() if isinstance(found[path], zarr.Array) else None
            )
        assert [path for path, _ in self.root.glob("**")] == list(found)
        assert {group.path for group, _, _ in self.root.walk()} - {""} == {
            path for path, (_, elements) in self.model.items() if elements is None
        }

    @invariant()
    def every_key_belongs_to_a_node(self):
        for key in self.store.mapping:
            assert any(key.startswith(path + "/") for path in self.model) or "/" not in key


Hierarchy.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
test_random_changes_leave_what_a_dictionary_says = Hierarchy.TestCase
