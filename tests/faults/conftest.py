"""One server of each kind for all tests of a worker; a test whose server is absent is skipped, and says why."""

import uuid

import pytest

from . import servers


def pytest_collection_modifyitems(config, items):
    """Leave out what takes minutes, unless it is asked for. (The hook sees every test, not this folder's alone.)"""
    if "slow" not in config.option.markexpr:
        reason = "takes minutes: python -m pytest tests/faults -m slow"
        for item in items:
            if "slow" in item.keywords and "faults" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=reason))


def _serve(server):
    def fixture():
        try:
            with server() as place:
                yield place
        except servers.AbsentError as reason:
            pytest.skip(str(reason))

    return pytest.fixture(scope="session")(fixture)


seaweed_server = _serve(servers.seaweed)
moto_server = _serve(servers.moto)
azurite_server = _serve(servers.azurite)
fake_gcs_server = _serve(servers.fake_gcs)


@pytest.fixture
def seaweed(seaweed_server):
    """(URL, storage_options) of a place of its own on SeaweedFS."""
    pytest.importorskip("obstore", reason="obstore is not installed: pip install 'tutorial_zarr[cloud]'")
    url, options = seaweed_server
    return f"{url}/{uuid.uuid4()}", options


@pytest.fixture(params=["seaweed", "moto", "azurite", "fake_gcs"])
def cloud(request):
    """(URL, storage_options, what kind of server) of a place of its own, on each server in turn."""
    pytest.importorskip("obstore", reason="obstore is not installed: pip install 'tutorial_zarr[cloud]'")
    url, options = request.getfixturevalue(request.param + "_server")
    return f"{url}/{uuid.uuid4()}", options, request.param


@pytest.fixture(params=["folder", "sqlite", "seaweed"])
def place(request, tmp_path):
    """(URL or path, storage_options) of an empty store that several processes can write to."""
    if request.param == "seaweed":
        return request.getfixturevalue("seaweed")
    return str(tmp_path / {"folder": "a b é", "sqlite": "a b é.sqlite"}[request.param]), {}
