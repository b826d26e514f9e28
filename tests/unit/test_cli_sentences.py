"""What the command line says: sentences about what was typed, in options, nothing cut and nothing counted wrong."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import cli
from tutorial_zarr.cli.output import fitted

pytest.importorskip("click", reason="the command line needs the extra cli")
pytest.importorskip("rich", reason="the command line needs the extra cli")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path):
    """A group with one array of one chunk."""
    root = zarr.create_group(tmp_path / "one.zarr", zarr_format=2)
    root.create_array("x", data=np.arange(1, dtype="u1"), compressors=None)
    return tmp_path / "one.zarr"


READING = [["info"], ["tree"], ["anatomy"], ["lint"], ["explain"], ["compress", "shootout"], ["copy", "", "to"],
           ["consolidate"], ["rechunk", "", "to"], ["convert", "", "--to", "3"],
           ["chunks", "advise", "", "--read", "0=1"]]  # fmt: skip


def line(command, place):
    """The words of a command, with a place in the first gap, or at the end."""
    words = [place if word == "" else word for word in command]
    return words if place in words else [*words, place]


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_folder_that_is_not_there_is_said_to_be_none(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*line(command, "nothere"))
    assert (code, out) == (1, "")
    assert "there is no such folder" in err
    assert "mode=" not in err
    assert "create_array" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_netcdf_file_is_called_one_and_import_is_named(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "era.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    code, out, err = run(*line(command, "era.nc"))
    assert (code, out) == (1, "")
    assert "found a NetCDF or HDF5 file; try tutorial-zarr import" in err


@pytest.mark.parametrize("place", ["http://[bad", "http://", "https://:80/x", "http://127.0.0.1:99999/x"])
@pytest.mark.parametrize(
    "command", [["info"], ["copy", "", "to"], ["doctor"], ["rechunk", "", "to"]], ids=lambda c: c[0]
)
def test_a_url_that_cannot_be_one_is_a_sentence(run, tmp_path, monkeypatch, command, place):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*line(command, place))
    assert (code, out) == (1, "")
    assert "expected a URL such as https://example.org/data.zarr" in err


def test_a_url_that_cannot_be_one_is_refused_as_a_target_too(run, store):
    for words in (["copy", store, "http://[bad"], ["rechunk", store, "to", "--path", "x", "--temp", "http://[bad"]):
        code, out, err = run(*words)
        assert (code, out) == (1, "")
        assert "expected a URL such as" in err


def test_doctor_says_that_there_is_no_folder_and_what_a_file_is(run, tmp_path):
    assert "found nothing: there is no such folder" in run("doctor", tmp_path / "nothere")[1]
    (tmp_path / "era.nc").write_bytes(b"CDF\x01" + bytes(100))
    assert "found a NetCDF or HDF5 file" in run("doctor", tmp_path / "era.nc")[1]


def test_a_plan_names_a_store_by_its_place(run, store, tmp_path):
    for words in (["copy", store, tmp_path / "to"], ["delete", store, "x"], ["convert", store, "--to", "3"]):
        code, out, _ = run(*words, "--dry-run")
        assert code == 0
        assert f"'{store}'" in out
        assert "Store(" not in out


@pytest.mark.parametrize("command", [["delete"], ["move"]], ids=lambda command: command[0])
def test_a_node_that_is_not_there_is_told_with_those_that_are(run, store, command):
    code, out, err = run(*command, store, "nope", *(["to"] if command == ["move"] else []))
    assert (code, out) == (1, "")
    assert "expected a node at 'nope'" in err
    assert "there are x" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["copy", "STORE", "STORE", "--path", "x", "--target-path", "y"], "--if-exists replace"),
        (["rechunk", "STORE", "STORE", "--path", "x", "--target-path", "y"], "or --overwrite to delete it"),
        (["rechunk", "STORE", "n", "--path", "x", "--chunks", "1", "--shards", "1"], "try --zarr-format 3"),
        (["convert", "NEW", "--to", "2"], "try --target, a store to write them to"),
        (["copy", "STORE", "http://127.0.0.1:9/x"], "expected a writable store"),
    ],
)
def test_options_are_named_as_options(run, store, tmp_path, words, said):
    zarr.open_group(store)["y"] = np.arange(3)
    zarr.create_array(tmp_path / "new.zarr", data=np.arange(3))
    places = {"STORE": store, "NEW": tmp_path / "new.zarr", "n": tmp_path / "n"}
    code, out, err = run(*(places.get(word, word) for word in words))
    assert (code, out.strip()) == (1, "")
    assert said in err
    assert not re.search(r"\b(overwrite|mode|target|zarr_format|if_exists)=", err)


def test_a_half_made_rechunk_is_called_one(run, store, tmp_path, monkeypatch):
    from tutorial_zarr.array import Array

    zarr.open_group(store).create_array("long", data=np.arange(1, 9), chunks=2)
    write, written = Array.__setitem__, []

    def stopped(*args):
        written.append(args)
        if len(written) == 3:
            raise KeyboardInterrupt
        write(*args)

    with monkeypatch.context() as patch:
        patch.setattr(Array, "__setitem__", stopped)
        words = ["--path", "long", "--chunks", "1", "--memory", "64 B", "--jobs", 1]
        assert run("rechunk", store, tmp_path / "to", *words)[0] == 130
    for command in ("info", "tree"):
        code, out, err = run(command, tmp_path / "to")
        assert (code, out) == (1, "")
        assert "found an unfinished 'rechunk" in err
        assert "repeat the command that was cut short" in err


def test_nothing_is_counted_in_the_wrong_number(run, store, tmp_path):
    zarr.consolidate_metadata(store)
    said = []
    for words in (
        ["info", store / "x"], ["doctor", store], ["copy", store, tmp_path / "a"],
        ["copy", store, tmp_path / "b", "--dry-run"], ["rechunk", store, tmp_path / "c", "--path", "x", "--dry-run"],
        ["convert", store / "x", "--to", "3", "--dry-run"],
        ["move", store, "x", "y", "--dry-run"], ["delete", store, "x"], ["consolidate", store],
        ["anatomy", store / "x"], ["doctor", store, "--write-manifest", tmp_path / "m"],
    ):  # fmt: skip
        code, out, err = run(*words)
        assert code == 0, err
        said.append(out + err)
    (store / "x" / "0").write_bytes(b"")
    said.append(run("doctor", store)[1])
    assert [text for text in said if re.search(r"(?<![\d.,])1 (?!bytes? of)(\w+s)\b(?<!pass)", text)] == []


def test_an_error_that_nobody_expected_is_a_sentence_with_the_way_to_its_traceback(run, store, monkeypatch):
    from tutorial_zarr import cli
    from tutorial_zarr.cli import info

    def broken(*args):
        raise RuntimeError("what\x1b[2J is this")

    monkeypatch.setattr(info, "describe", broken)
    monkeypatch.delenv(cli.TRACEBACK)
    code, out, err = run("info", store)
    assert (code, out) == (1, "")
    assert "RuntimeError: what\\x1b[2J is this" in err
    assert "TUTORIAL_ZARR_TRACEBACK=1" in err
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(RuntimeError, match="what"):
        run("info", store)


# --- terminals


class Terminal:
    """A stream that says it is one."""

    def isatty(self):
        return True


@pytest.mark.parametrize("width", [40, 80])
def test_on_a_terminal_no_word_is_cut_and_no_line_is_too_long(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    text = "note: " + " ".join(["compression", "of", "chunk-shapes"] * 20) + "\n  likely: " + "word " * 40
    shown = fitted(text, Terminal())
    assert shown.split() == text.split()
    assert max(map(len, shown.splitlines())) <= width
    assert fitted(text, sys.__stdin__ if not sys.__stdin__.isatty() else open(os.devnull)) == text  # noqa: SIM115


def shell(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tutorial_zarr", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        check=False,
    )


def test_without_a_terminal_there_is_no_bar_and_no_empty_line(store, tmp_path):
    for words in (["doctor", store], ["copy", store, tmp_path / "to"], ["consolidate", store]):
        done = shell(*words)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\n\n" not in done.stdout
        assert b"\x1b" not in done.stdout


EACH_IN_TURN = """
import sys
from tutorial_zarr.cli import main
for words in open(sys.argv[1], encoding="utf-8").read().splitlines():
    code = main(words.split("\\t"))
    print(">>>", code, words.partition("\\t")[0], flush=True)
    assert code in (0, 1), words
"""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_no_command_fails_for_what_the_terminal_cannot_show(tmp_path, encoding):
    place = tmp_path / "g"
    root = zarr.create_group(place, attributes={"μ": "★"}, zarr_format=2)
    root.create_array("Ωmega [bold]", data=np.arange(3), attributes={"unit": "°C → ☃"}, dimension_names=["ζ"])
    commands = [
        ["info", place], ["tree", place], ["anatomy", place], ["doctor", place], ["gallery", "list"], ["check"],
        ["delete", place, "Ωmega [bold]"], ["consolidate", place, "--dry-run"], ["copy", place, tmp_path / "Ω"],
        ["rechunk", place, tmp_path / "Ω2", "--path", "Ωmega [bold]"], ["convert", place, "--to", "3", "--dry-run"],
        ["move", place, "Ωmega [bold]", "Ψ", "--dry-run"], ["info", tmp_path / "☃"], ["lint", place, "--for", "zarrs"],
        ["info", place / "Ωmega [bold]"], ["chunks", "advise", place / "Ωmega [bold]", "--read", "all: ζ=1"],
        ["articles", "check", "01"],
    ]  # fmt: skip
    lines = ["\t".join(map(str, words)) for words in commands]
    (tmp_path / "commands").write_text("\n".join([*lines, *(line + "\t--json" for line in lines)]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", EACH_IN_TURN, tmp_path / "commands"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "TUTORIAL_ZARR_TRACEBACK": "1"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
    out = done.stdout.decode(encoding)
    assert out.count(">>> ") == 2 * len(commands)
    assert "\\u03a9mega [bold]" in out


HARMLESS = "a[red]b[bold]\x1b[31mc\x9b2J\u202ed"


def test_names_of_a_store_are_neither_markup_nor_control_sequences(run, tmp_path):
    root = zarr.create_group(tmp_path / "g", attributes={HARMLESS: HARMLESS})
    root.create_array("a[red]b[bold]", data=np.arange(3), dimension_names=[HARMLESS], attributes={"k": HARMLESS})
    for words in (
        ["info"],
        ["tree"],
        ["anatomy"],
        ["doctor"],
        ["lint"],
        ["explain"],
        ["delete", "", "a[red]b[bold]"],
        ["consolidate"],
    ):
        code, out, err = run(*line(words, tmp_path / "g"))
        assert code in (0, 1)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", (out + err).replace("\n", ""))
        if words[0] in ("info", "tree", "delete"):
            assert "a[red]b[bold]" in out


# --- for programs and for shells


def documented():
    """The rows of the page about --json: command -> the text about its members."""
    text = (ROOT / "tutorial_zarr" / "cli" / "JSON.md").read_text(encoding="utf-8")
    rows = [re.fullmatch(r"\| (.+?) \| (.+) \|", row) for row in text.splitlines()]
    return {row[1]: row[2] for row in rows if row}


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (["info", "STORE/x"], "`info` of an array"),
        (["info", "STORE"], "`info` of a group"),
        (["doctor", "STORE", "--repair"], "`doctor`"),
        (["doctor", "STORE", "--write-manifest", "TO"], "`doctor --write-manifest`"),
        (["copy", "STORE", "TO"], "`copy`, `move`, `delete`, `convert --finish`, `convert --undo`"),
        (["delete", "STORE", "x"], "`copy`, `move`, `delete`, `convert --finish`, `convert --undo`"),
        (["rechunk", "STORE", "TO", "--path", "x"], "`rechunk`"),
        (["convert", "STORE", "--to", "3"], "`convert`"),
        (["consolidate", "STORE"], "`consolidate`"),
        (["anatomy", "STORE/x"], "`anatomy`"),
        (["explain", "STORE"], "`explain`"),
        (["check"], "`check`"),
    ],
)
def test_what_json_prints_is_on_its_page(run, store, tmp_path, words, row):
    line = [word.replace("STORE", str(store)).replace("TO", str(tmp_path / "to")) for word in words]
    code, out, _ = run(*line, "--json")
    assert code == 0
    document = json.loads(out)
    assert next(iter(document)) == "schema"
    assert document.pop("schema") == 1
    named = set(re.findall(r"`(\w+)`", documented()[row]))
    assert set(document) <= named
    inner = [
        value[0] for value in document.values() if isinstance(value, list) and value and isinstance(value[0], dict)
    ]
    assert {name for each in inner for name in each} <= named


def test_the_page_about_json_names_every_command():
    from tutorial_zarr import cli

    named = {name.split()[0] for row in documented() for name in re.findall(r"`([^`]+)`", row)}
    assert set(cli.COMMANDS) <= named


@pytest.mark.parametrize("group", ["gallery", "articles", "chunks", "compress", "interop"])
def test_what_a_command_does_is_not_cut_where_it_is_listed(run, group):
    code, out, _ = run(group, "--help")
    assert code == 0
    assert "..." not in out.partition("Commands:")[2]


def test_info_says_whether_the_metadata_are_consolidated(run, store):
    assert json.loads(run("info", store, "--json")[1])["consolidated"] is False
    zarr.consolidate_metadata(store)
    assert json.loads(run("info", store, "--json")[1])["consolidated"] is True
    assert "consolidated  yes" in run("info", store)[1]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_a_shell_learns_to_complete_the_commands(shell_name):
    done = shell("--help")
    assert f"{shell_name}_source" in done.stdout.decode()
    code = "import sys; sys.argv[0] = 'tutorial-zarr'; from tutorial_zarr.cli import main; sys.exit(main())"
    asked = {"_TUTORIAL_ZARR_COMPLETE": f"{shell_name}_complete", "COMP_WORDS": "tutorial-zarr gallery run 01_0",
             "COMP_CWORD": {"fish": "01_0"}.get(shell_name, "3")}  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **asked}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "01_01" in done.stdout
    assert "02_01" not in done.stdout


def test_what_is_said_of_a_wrong_option_keeps_its_words_whole(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert cli.main(["chunks", "advise", "--shape", "1000,1000", "--dtype", "foo"]) == 2
    said = sys.stderr.getvalue()
    assert "such as" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= 60
    assert not re.search(r"\w\n\w", said.replace("\n  ", " "))


def test_a_tree_and_a_row_of_columns_are_folded_between_words(monkeypatch, tmp_path, run):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    root = zarr.create_group(tmp_path)
    root.create_array("deep/values", shape=(1000, 1000, 1000), chunks=(100, 100, 100), dtype="u1")
    root.create_array("last", shape=(1000, 1000, 1000), chunks=(100, 100, 100), dtype="u1")
    whole = {command: run(command, tmp_path / path)[1] for command, path in (("tree", ""), ("anatomy", "last"))}
    monkeypatch.setenv("COLUMNS", "40")

    def on_a_terminal(command, path):
        monkeypatch.setattr(sys, "stdout", Terminal())
        assert cli.main([command, str(tmp_path / path)]) == 0
        said = re.sub("\x1b[^m]*m", "", sys.stdout.getvalue())
        assert [word for word in said.split() if word != "│"] == [w for w in whole[command].split() if w != "│"]
        return said.splitlines()

    rows = on_a_terminal("tree", "")
    assert max(map(len, rows)) <= 40
    assert rows[1:] == [
        "├── deep  group",
        "│   └── values  (1000, 1000, 1000)",
        "│         uint8  chunks (100, 100, 100)",
        "└── last  (1000, 1000, 1000)  uint8",
        "      chunks (100, 100, 100)",
    ]
    on_a_terminal("anatomy", "last")


@pytest.mark.parametrize("command", ["tree", "anatomy"])
def test_branches_are_drawn_by_signs_that_the_encoding_has(command, tmp_path, monkeypatch):
    zarr.create_group(tmp_path).create_array("a", data=np.arange(1, 5), chunks=(2,))
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", out)
    assert cli.main([command, str(tmp_path / "a" if command == "anatomy" else tmp_path)]) == 0
    out.flush()
    said = out.buffer.getvalue().decode("cp1252")
    assert "+-- " in said
    assert "\\u" not in said
