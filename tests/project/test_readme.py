"""The README can be believed: its example prints what it says, and its commands and links are complete."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tutorial_zarr as zarr

from .commands import check_command
from .readme_picture import PLACE, of_the_example

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TITLES = re.findall(r"^## (.+)$", README, re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)[1]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_example_is_about_ten_lines_and_prints_what_stands_below_it(tmp_path):
    [example] = blocks(section("An example"), "python")
    [expected] = blocks(section("An example"), "text")
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == (expected, "")
    # the picture above it shows the very objects that it writes, in the words that its description has
    drawn = of_the_example(zarr.open_array(tmp_path / "first.zarr", mode="r"))
    assert PLACE.read_text(encoding="utf-8") == drawn.svg, "try: python -m tests.project.readme_picture"
    assert re.search(rf"!\[(.*)\]\({PLACE.relative_to(ROOT).as_posix()}\)", README)[1] == drawn.alt


def test_the_picture_can_be_read_on_light_and_dark_pages():
    pytest.importorskip("resvg_py", reason="resvg-py draws it, which is not installed")
    pytest.importorskip("PIL", reason="Pillow looks at it, which is not installed")
    from tutorial_zarr.gallery import pictures

    assert pictures.faults(PLACE.read_text(encoding="utf-8")) == []


def test_picture_code_and_doors_are_on_the_first_screen():
    before = README.partition("\n## Quick start")[0]
    code = [line for line in blocks(before, "python")[0].splitlines() if line.strip()]
    assert len(code) - 1 <= 3, "three lines, and the import"
    assert before.count("![") == 1
    doors = re.findall(r"^\| \*\*\[.*?\]\((#[\w-]+)\)", before, re.MULTILINE)
    assert len(doors) == 3
    places = {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in TITLES}
    assert set(doors) <= places
    assert len(before.splitlines()) <= 40


def test_every_command_that_it_names_parses():
    named = re.findall(r"(?<=`|/)tutorial-zarr [a-z][^`\n]*", README) + [
        f"tutorial-zarr {rest}" for rest in re.findall(r"`(gallery [a-z]+(?: [^`\n]*)?)`", README)
    ]
    assert len(named) > 15
    for command in named:
        check_command(command)


def test_the_quick_start_is_two_blocks_of_commands():
    assert len(blocks(section("Quick start"), "sh")) == 2
    assert section("Quick start").count("```") == 4


@pytest.mark.parametrize("number", [0, 1])
def test_each_block_of_the_quick_start_works_alone(number):
    lines = blocks(section("Quick start"), "sh")[number].splitlines()
    assert "python3 -m venv .venv" in lines[0]
    assert "pip install" in lines[1]
    assert all(line.startswith(".venv/bin/") for line in lines[1:]), "nothing relies on an activated environment"


def test_the_quick_start_runs_the_gallery_then_the_tests_in_the_same_environment():
    gallery, tests = (block.splitlines() for block in blocks(section("Quick start"), "sh"))
    assert gallery[-1].endswith("/tutorial-zarr gallery run")
    assert tests[-1].endswith("/python -m pytest")
    assert gallery[1] == tests[1]


def test_the_extras_that_the_readme_installs_exist():
    named = {name for extras in re.findall(r"\.\[([\w,]+)\]", README) for name in extras.split(",")}
    assert named <= set(PROJECT["project"]["optional-dependencies"])
    assert named


def test_the_script_for_continuous_integration_takes_its_commands_from_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    function = re.search(r"^quick_start\(\) \{.*?^\}$", script, re.MULTILINE | re.DOTALL)[0]
    done = subprocess.run(
        ["bash", "-c", f"{function}\nquick_start 2"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == blocks(section("Quick start"), "sh")[1]


@pytest.mark.parametrize("document", ["README.md", ".github/CONTRIBUTING.md"])
def test_every_link_inside_the_repository_leads_to_something(document):
    file = ROOT / document
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", file.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (file.parent / link).exists()] == []


def test_the_map_of_the_code_names_every_part_of_the_library():
    listed = set(re.findall(r"\(tutorial_zarr/(\w+)(?:\.py)?\)", section("The code, in reading order")))
    present = {
        path.stem
        for path in (ROOT / "tutorial_zarr").iterdir()
        if not path.name.startswith(("_", ".")) and (path.suffix == ".py" or path.is_dir())
    }
    assert present - listed == set()
