"""The files around the code agree with each other, and name no machine that they were written on."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import tutorial_zarr

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def files_of_the_project():
    """What git tracks or would add; without git (a source archive), every file."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = [ROOT / name for name in listed.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if "__pycache__" not in path.parts]
    return [path for path in found if path.is_file()]


def name(requirement):
    return re.match(r"[\w.-]+", requirement)[0]


def test_the_core_depends_on_numpy_and_numcodecs_and_one_checksum_and_one_lock_only():
    assert {name(each) for each in PROJECT["dependencies"]} == {"numpy", "numcodecs", "google-crc32c", "filelock"}


def test_a_requirement_is_pinned_only_where_a_version_is_known_to_break():
    requirements = [each for extra in PROJECT["optional-dependencies"].values() for each in extra]
    pinned = {name(each) for each in [*PROJECT["dependencies"], *requirements] if "==" in each.partition(";")[0]}
    assert pinned == {"zfpy"}


def test_the_extra_called_all_holds_every_other_extra():
    extras = PROJECT["optional-dependencies"]
    [everything] = extras["all"]
    assert set(re.search(r"\[(.*)\]", everything)[1].split(",")) == set(extras) - {"all"}


def test_the_versions_that_are_supported_are_the_versions_that_are_tested():
    supported = set(re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"])))
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert supported == set(re.findall(r"3\.\d+", re.search(r"python: \[(.*)\]", workflow)[1]))
    assert PROJECT["requires-python"] == f">={min(supported, key=lambda version: int(version[2:]))}"
    for system in ("ubuntu", "macos", "windows"):
        assert f"{system}-latest" in re.search(r"system: \[(.*)\]", workflow)[1]


def test_a_release_is_trusted_by_the_registry_and_needs_no_secret():
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "id-token: write" in workflow
    assert not re.search(r"secrets\.|password|api-token", workflow)
    assert "[project.urls]" in (ROOT / "pyproject.toml").read_text(encoding="utf-8"), "the workflow adds to it"


def test_the_types_of_every_module_are_checked():
    overrides = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["overrides"]
    assert [each["module"] for each in overrides if each.get("ignore_errors")] == []


def test_the_files_of_the_quick_tests_are_there(pytestconfig):
    conftest = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    files = [ROOT / "tests" / folder / f"test_{name}.py" for folder, names in conftest.QUICK.items() for name in names]
    assert [file.name for file in files if not (file.is_file() and conftest.is_quick_file(file))] == []
    functions = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in conftest.LONG if f"def {name}(" not in functions] == []


def test_the_citation_names_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {tutorial_zarr.__version__}\n" in citation


def test_the_licence_covers_code_and_teaching_material():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in licence
    assert "CC-BY-4.0" in licence


def test_the_top_of_the_repository_stays_small():
    visible = {path.relative_to(ROOT).parts[0] for path in files_of_the_project()}
    assert {entry for entry in visible if not entry.startswith(".")} <= {
        *("README.md", "LICENSE", "CITATION.cff", "pyproject.toml"),
        *("tutorial_zarr", "notebooks", "data_gen", "articles", "tests", "findings"),
    }


# The brackets keep this file from finding itself. "me" is nobody: an example of a path to be found.
PLACES = r"(?:[r]oot|[w]ork|[t]mp|(?:[h]ome|[U]sers)/(?!me/)\w+|[o]pt/\w+)"
FOREIGN = {
    "a path of somebody's machine": r"(?<![\w.~$}>-])/" + PLACES + "/",
    "a drive of somebody's machine": r"\b[A-Z]:\\[U]sers\\",
    "the address of a package registry": r"(?:pypi|python[h]osted|npmjs|yarnpkg|debian|anaconda)[.]org\b",
    "the address of a machine": r"\b(?:10|192[.]168)(?:[.]\d{1,3}){2,3}:\d+",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_no_file_contains(kind):
    pattern = re.compile(FOREIGN[kind].encode())
    found = [
        f"{path.relative_to(ROOT)}: {match[0].decode()}"
        for path in files_of_the_project()
        for match in pattern.finditer(path.read_bytes())
    ]
    assert found == []


def test_there_is_no_lock_file_as_it_names_a_registry():
    locks = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json"}
    assert [path for path in files_of_the_project() if path.name in locks] == []
