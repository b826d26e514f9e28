"""Settings that every test shares, and what `pytest -m quick` and `-m versions` run: see `QUICK` and `VERSIONS`."""

import functools
import signal
import zlib
from pathlib import Path

import pytest
from hypothesis import settings

from tutorial_zarr import stores
from tutorial_zarr.codecs import registry
from tutorial_zarr.dtypes import base

# A slow machine is not a failure, and a failure is the same for everybody.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")


# For a look at a change, in less than a minute on two cores: what starts no server, process, browser or notebook. Of
# those that ask every small world, every law and every case of the specifications the same questions it is a tenth,
# chosen by name, so that it is always the same. Files that are not named are not even imported.
ROOT = Path(__file__).parent
QUICK = {
    "project": ["layers", "parameters", "project"],
    "laws": ["codecs", "data_types", "losses", "missing_text", "stores"],
    "small_worlds": ["advanced_selection", "basic_selection", "lazy", "plan", "resize_and_append"],
    "spec": [
        "tiny",
        "v2_codecs",
        "v2_metadata",
        "v3_codecs",
        "v3_dtypes",
        "v3_fill_values",
        "v3_metadata",
        "v3_sharding",
    ],
    "unit": ["attributes", "blosc_snappy", "codecs", "fill_values", "group", "progress", "stores_wrappers"],
}
A_TENTH = ("laws", "small_worlds", "spec")
# What another version of Python may change, for `.ci/run core`: of what is a product (of codecs, types and layouts; of
# faults, calls and stores) each test once and the same tenth, as the rest differs by arithmetic. Not what reads the
# sources and the prose. All of it runs on all versions in .github/workflows/test.yml.
VERSIONS = ("faults", "unit", *A_TENTH)
VERSIONS_OF_PROJECT = ("test_documentation.py", "test_import.py", "test_readme.py")
LONG = (  # one test that asks thousands of questions, or starts processes
    "test_reading_every_spelling_of_every_slice_equals_numpy",
    "test_writing_rows_columns_and_blocks_changes_what_numpy_would_change",
    "test_assigning_to_any_numpy_selection_equals_numpy",
    "test_every_finite_element_is_its_own_nearest",
    "test_processes_that_each_set_some_lose_none",
    "test_each_optional_dependency_is_imported_in_one_place",
)


@functools.cache  # every test of a file asks
def folder_of(path):
    """The folder below this one in which a file is; "" for files elsewhere."""
    return path.relative_to(ROOT).parts[0] if path.is_relative_to(ROOT) else ""


@functools.cache
def is_quick_file(path):
    """Whether `pytest -m quick` runs anything of a file."""
    return path.stem.removeprefix("test_") in QUICK.get(folder_of(path), [])


def is_file_of_versions(path):
    """Whether `pytest -m versions` runs anything of a file."""
    return folder_of(path) in VERSIONS or (folder_of(path) == "project" and path.name in VERSIONS_OF_PROJECT)


def pytest_ignore_collect(collection_path, config):
    """Leave out what the marker would deselect: to import it all takes longer than to run the rest."""
    looks = {"quick": is_quick_file, "versions": is_file_of_versions}.get(config.option.markexpr)
    if looks and collection_path.name.startswith("test_"):
        return not looks(collection_path) or None
    return None


def pytest_collection_modifyitems(items):
    """Mark the tests that are quick, and those that say something about a version of Python."""
    seen = set()
    for item in items:
        folder, function = folder_of(item.path), (item.path, item.originalname)
        first = function not in seen
        seen.add(function)
        if item.get_closest_marker("slow"):
            continue
        of_the_tenth = zlib.crc32(item.name.encode()) % 10 == 0
        if is_quick_file(item.path) and item.originalname not in LONG and (of_the_tenth or folder not in A_TENTH):
            item.add_marker(pytest.mark.quick)
        asked = first or of_the_tenth or folder not in ("faults", *A_TENTH)
        needs_others = item.get_closest_marker("gallery") or item.get_closest_marker("interop")
        if asked and is_file_of_versions(item.path) and not needs_others:
            item.add_marker(pytest.mark.versions)


@pytest.fixture(autouse=True, scope="session")
def interruptible():
    """Ctrl-C is heard: what a shell starts in the background ignores it, and tests send it to themselves."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def registries():
    """What a test registers is gone when it is over: other tests ask which codecs, types and stores there are."""
    tables = [registry._factories, base._factories, stores._factories]
    before = [dict(table) for table in tables]
    yield
    for table, entries in zip(tables, before, strict=True):
        if table != entries:
            table.clear()
            table.update(entries)


@pytest.fixture
def run(capsys, monkeypatch):
    """Run a command of the command line; returns its exit code, standard output and standard error.

    An error that the command did not expect fails the test.
    """
    from tutorial_zarr import cli

    monkeypatch.setenv(cli.TRACEBACK, "1")

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run
