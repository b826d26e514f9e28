"""What opens the project elsewhere names what is here: Binder, a development container, the pages of a repository."""

import json
import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def check_extras(command):
    named = [each for extras in re.findall(r"\.\[([\w,]+)\]", command) for each in extras.split(",")]
    assert named
    assert set(named) <= set(PROJECT["optional-dependencies"])


def check_python(version):
    assert f"Programming Language :: Python :: {version}" in PROJECT["classifiers"]


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


def test_a_command_that_does_not_parse_is_found():
    check_command("tutorial-zarr gallery list --json")
    with pytest.raises(Exception, match="No such option"):
        check_command("tutorial-zarr gallery list --jsom")


def test_binder_installs_an_extra_that_exists_on_a_version_that_is_supported():
    check_extras(text(".binder/requirements.txt"))
    check_python(text(".binder/runtime.txt").strip().removeprefix("python-"))
    commands = [line for line in text(".binder/postBuild").splitlines() if line.startswith("tutorial-zarr")]
    assert commands
    for command in commands:
        check_command(command)
    assert os.name == "nt" or os.access(ROOT / ".binder" / "postBuild", os.X_OK)


def test_the_container_sets_up_what_the_readme_does():
    container = json.loads(text(".devcontainer/devcontainer.json"))
    check_python(container["image"].rpartition(":")[2])
    check_extras(container["postCreateCommand"])
    block = re.search(r"^## Quick start\n.*?^```sh\n(.*?)^```", text("README.md"), re.MULTILINE | re.DOTALL)[1]
    assert container["postCreateCommand"].replace("'", '"').split(" && ") == block.splitlines()[:2]
    python = container["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    assert python in container["postCreateCommand"]
