"""What the tests of several modules share."""

import pytest


@pytest.fixture
def run(capsys):
    """Run a command of the command line; returns its exit code, standard output and standard error."""
    from tutorial_zarr import cli

    def run(*arguments):
        code = cli.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run
