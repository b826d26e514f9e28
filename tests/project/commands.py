"""Whether a command of the command line, as prose and set-up files write it, is one that there is."""

import shlex

import pytest


def check_command(line):
    """Whether a command of ours parses, without being run."""
    click = pytest.importorskip("click", reason="the command line needs click")
    from tutorial_zarr import cli

    name, *arguments = shlex.split(line)
    assert name == "tutorial-zarr"
    command = cli._program(click)
    context = command.make_context(name, list(arguments), resilient_parsing=False)
    while isinstance(command, click.Group):
        at, command, arguments = command.resolve_command(context, arguments)
        context = command.make_context(at, list(arguments), parent=context)
