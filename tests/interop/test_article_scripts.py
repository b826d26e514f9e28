"""The block of each article that runs when it is pasted: it prints what the article says, in an environment of its own.

The environment is made once: this project as its users install it, and what the scripts ask for in their headers, in
the versions that are installed here. Then the network is closed, and each script runs in an empty folder.
"""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tutorial_zarr.gallery.article_code import is_script, requirements
from tutorial_zarr.gallery.article_form import FENCE
from tutorial_zarr.gallery.environment import CONFINED, offline_environment
from tutorial_zarr.gallery.series import select_articles

pytestmark = [pytest.mark.gallery, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
AWAY = re.compile(r"(?i)connection|resolve|unreachable|timed out|proxy|ssl")


def scripts(text):
    """Pairs (script, what it prints) of an article."""
    blocks = FENCE.findall(text)
    for (language, block), (_, printed) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "python" and is_script(block):
            yield block, printed


SCRIPTS = {path.stem: found for path in select_articles() for found in scripts(path.read_text(encoding="utf-8"))}


def run(command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The Python of an environment in which all scripts find what they ask for."""
    place = tmp_path_factory.mktemp("fresh")
    pinned = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    lines = [f"{name}=={version}" for name, version in pinned.items() if not name.startswith("tutorial")]
    (place / "constraints.txt").write_text("\n".join(lines), encoding="utf-8")
    wanted = {name for script, _ in SCRIPTS.values() for name in requirements(script)}
    here = f"@ {ROOT.as_uri()}"
    packages = sorted(re.sub(r"^tutorial_zarr(\[[\w,]*\])?.*", rf"tutorial_zarr\1 {here}", name) for name in wanted)
    python = place / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    uv = shutil.which("uv")
    if uv and run([uv, "--version"], cwd=place).returncode == 0:  # a stub of pyenv does nothing
        make = [uv, "venv", "--quiet", "--python", sys.executable, place / "venv"]
        install = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        make = [sys.executable, "-m", "venv", place / "venv"]
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]
    for command in (make, [*install, "--constraint", place / "constraints.txt", *packages]):
        done = run(command, cwd=place)
        if done.returncode and AWAY.search(done.stderr):
            pytest.skip(f"packages cannot be fetched here: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr
    closed = offline_environment(place) | {"PYTHONPATH": str(CONFINED)}  # this project from its wheel alone
    done = run([python, "-c", "import tutorial_zarr; print(tutorial_zarr.__file__)"], env=closed, cwd=place)
    assert Path(done.stdout.strip()).is_relative_to(place / "venv"), done
    return python, closed


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_is_pasted_prints_what_the_article_says(name, environment, tmp_path):
    script, printed = SCRIPTS[name]
    python, closed = environment
    (tmp_path / "pasted").mkdir()
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    done = run([python, tmp_path / "script.py"], env=closed, cwd=tmp_path / "pasted", timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == [line.rstrip() for line in printed.splitlines()]


def test_the_environment_reaches_no_other_machine(environment, tmp_path):
    python, closed = environment
    done = run(
        [python, "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 1)"], env=closed, cwd=tmp_path
    )
    assert done.returncode == 1
    assert "this run may reach its own machine only" in done.stderr
