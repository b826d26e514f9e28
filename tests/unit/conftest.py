"""What the tests of several modules share."""

import pytest


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
