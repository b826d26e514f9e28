"""Settings that every test shares."""

import signal

import pytest
from hypothesis import settings

from tutorial_zarr import stores
from tutorial_zarr.codecs import registry
from tutorial_zarr.dtypes import base

# A slow machine is not a failure, and a failure is the same for everybody.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


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
