"""What opens the project elsewhere names what is here: Binder, a development container, the pages of a repository."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from .commands import check_command

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


def test_the_site_is_published_by_commands_that_exist_and_names_no_repository():
    workflow = text(".github/workflows/pages.yml")
    check_extras(workflow)
    check_python(re.search(r'python-version: "(.*)"', workflow)[1])
    commands = re.findall(r"^ +(tutorial-zarr .*)$", workflow, re.MULTILINE)
    assert commands
    for command in commands:
        check_command(command)
    built, uploaded = re.search(r"--out (\S+)", commands[0])[1], re.search(r" path: (\S+)", workflow)[1]
    assert built == uploaded
    assert not re.search(r"https?://|secrets\.", workflow), "the addresses are those of the repository that it runs in"
    assert "pages: write" in workflow.partition("publish:")[2]
    assert "pages: write" not in workflow.partition("publish:")[0]
