"""The types that a user sees: the package says that it has some, and mypy finds these."""

from pathlib import Path

import pytest

import tutorial_zarr

from . import typed_user

ROOT = Path(__file__).parents[2]
USER = Path(typed_user.__file__)


@pytest.fixture(scope="module")
def mypy():
    """mypy as a function from a file to what it says of it, as strict as it can be."""
    api = pytest.importorskip("mypy.api", reason="checking types needs mypy, which is not installed")

    def check(file):
        told, broken, _ = api.run(["--strict", "--follow-imports=silent", "--no-error-summary", str(file)])
        assert broken == ""
        return told.splitlines()

    return check


def test_the_package_says_that_it_has_types():
    assert (Path(tutorial_zarr.__file__).parent / "py.typed").is_file()


@pytest.mark.slow
def test_a_program_is_told_the_types_of_what_it_uses(mypy, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert mypy(USER) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("zarr.SelectionEror", "has no attribute"),
        ("zarr.create_array({}, shape=3, dtype='i4').shpe", "has no attribute"),
        ("x: int = zarr.open_group({})", "Incompatible types in assignment"),
    ],
)
def test_a_mistake_is_found(mypy, monkeypatch, tmp_path, line, error):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "mistaken.py"
    file.write_text(f"import tutorial_zarr as zarr\n{line}\n")
    [told] = [each for each in mypy(file) if "error:" in each]
    assert error in told


@pytest.mark.parametrize("example", ["arrays", "groups", "codecs"])
def test_the_program_runs(example):
    getattr(typed_user, example)()
