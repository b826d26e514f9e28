"""The command line, called as a shell would call it."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tutorial_zarr as zarr
from tutorial_zarr import cli
from tutorial_zarr.errors import MissingDependencyError
from tutorial_zarr.gallery import catalogue

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_json(run):
    """Run a command that has to succeed with --json; returns the document."""

    def run_json(*arguments):
        code, out, err = run(*arguments, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return run_json


def shell(*arguments, code="import sys; from tutorial_zarr.cli import main; sys.exit(main())"):
    """The same in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def station(tmp_path):
    """A group with an array and a group that holds another."""
    root = zarr.create_group(tmp_path / "station.zarr", attributes={"title": "weather"})
    root.create_array("mask", data=np.ones((4, 6), bool), chunks=(2, 6))
    root.create_array("air/temperature", shape=(10,), chunks=(5,), dtype="f4", fill_value=np.nan)
    return tmp_path / "station.zarr"


# --- info


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_info_tells_shape_chunks_fill_value_and_what_is_stored(tmp_path, run_json, zarr_format):
    a = zarr.create_array(
        tmp_path / "a",
        shape=(10, 6),
        chunks=(5, 3),
        dtype="float32",
        fill_value=np.nan,
        attributes={"units": "K"},
        zarr_format=zarr_format,
    )
    a[:5, :3] = 1
    report = run_json("info", tmp_path / "a")
    expected = {
        "type": "array",
        "zarr_format": zarr_format,
        "shape": [10, 6],
        "dtype": "float32",
        "chunks": [5, 3],
        "shards": None,
        "data_type": {2: "<f4", 3: "float32"}[zarr_format],
        "fill_value": "NaN",
        "nchunks": 4,
        "nchunks_stored": 1,
        "nbytes": 240,
        "attributes": {"units": "K"},
    }
    assert {key: report[key] for key in expected} == expected
    files = [path for path in (tmp_path / "a").rglob("*") if path.is_file()]
    assert report["nbytes_stored"] == sum(path.stat().st_size for path in files)
    assert report["ratio"] == round(240 / report["nbytes_stored"], 3)


def test_info_lists_the_codecs_of_v3_as_the_metadata_spell_them(tmp_path, run_json):
    chain = [
        {"name": "transpose", "configuration": {"order": [1, 0]}},
        {"name": "bytes", "configuration": {"endian": "big"}},
        {"name": "gzip", "configuration": {"level": 1}},
    ]
    zarr.create_array(tmp_path / "a", shape=(4, 4), chunks=(2, 2), dtype="int16", codecs=chain)
    assert run_json("info", tmp_path / "a")["codecs"] == chain


def test_info_lists_the_filters_and_the_compressor_of_v2_in_the_order_of_writing(tmp_path, run_json):
    zarr.create_array(
        tmp_path / "a",
        shape=(4, 4),
        chunks=(2, 2),
        dtype="<i4",
        order="F",
        filters=[{"id": "delta", "dtype": "<i4"}],
        compressors={"id": "zlib", "level": 7},
        zarr_format=2,
    )
    codecs = run_json("info", tmp_path / "a")["codecs"]
    assert [codec["name"] for codec in codecs] == ["transpose", "delta", "zlib"]
    assert codecs[2]["configuration"] == {"level": 7}


def test_info_shows_what_happens_inside_a_shard(tmp_path, run):
    a = zarr.create_array(tmp_path / "a", shape=(8, 8), chunks=(2, 2), shards=(4, 4), dtype="u1")
    a[0, 0] = 1
    code, out, _ = run("info", tmp_path / "a")
    assert code == 0
    lines = [line.strip() for line in out.splitlines()]
    assert lines.index("each chunk in it:") < lines.index("its index:") < lines.index("crc32c")
    assert "stored      shards that hold 4 of 16 chunks" in lines


def test_info_of_a_group_lists_its_members(station, run_json):
    report = run_json("info", station)
    assert report["type"] == "group"
    assert [(member["name"], member["type"]) for member in report["members"]] == [
        ("air", "group"),
        ("mask", "array"),
    ]
    assert report["attributes"] == {"title": "weather"}


def test_info_of_text_claims_no_size_and_no_ratio(tmp_path, run_json):
    zarr.create_array(tmp_path / "a", data=np.array(["a", "bcd"], np.dtypes.StringDType()))
    report = run_json("info", tmp_path / "a")
    assert (report["nbytes"], report["ratio"]) == (None, None)


def test_info_says_everything_to_people_that_it_says_to_programs(tmp_path, run):
    zarr.create_array(
        tmp_path / "a",
        shape=(3, 5),
        chunks=(3, 2),
        dtype="<u2",
        dimension_names=["day", "hour"],
        fill_value=7,
    )
    code, out, err = run("info", tmp_path / "a")
    assert (code, err) == (0, "")
    rows = dict(line.split("  ", 1) for line in out.splitlines() if not line.startswith(" "))
    rows = {name: value.strip() for name, value in rows.items()}
    assert rows["shape"] == "(day 3, hour 5)"
    assert rows["dtype"] == "uint16"
    assert rows["chunks"] == "(3, 2)"
    assert rows["fill value"] == "7"
    assert rows["stored"] == "0 of 3 chunks"


def test_a_path_may_lead_into_a_zip_file(tmp_path, run_json):
    with zarr.stores.ZipStore(tmp_path / "plate.zip", "w") as store:
        zarr.create_group(store).create_array("A/1", data=np.arange(6))
    assert run_json("info", tmp_path / "plate.zip")["type"] == "group"
    assert run_json("info", tmp_path / "plate.zip" / "A" / "1")["shape"] == [6]


def test_a_path_with_brackets_is_printed_as_it_is(tmp_path, run):
    zarr.create_array(tmp_path / "[bold]a[/bold]", data=np.arange(3), attributes={"note": "[red]"})
    _, out, _ = run("info", tmp_path / "[bold]a[/bold]")
    assert "[bold]a[/bold]" in out
    assert "[red]" in out


def test_looking_changes_nothing(station, run):
    before = {path: path.stat().st_mtime_ns for path in station.rglob("*")}
    run("info", station)
    run("tree", station)
    assert {path: path.stat().st_mtime_ns for path in station.rglob("*")} == before


# --- tree


def test_tree_draws_the_hierarchy(station, run):
    code, out, err = run("tree", station)
    assert (code, err) == (0, "")
    assert [line.rstrip() for line in out.splitlines()] == [
        "station.zarr  group",
        "├── air  group",
        "│   └── temperature  (10,)  float32  chunks (5,)",
        "└── mask  (4, 6)  bool  chunks (2, 6)",
    ]


def test_tree_goes_as_deep_as_it_is_told(station, run_json):
    top = run_json("tree", station, "--depth", 1)
    assert [member["name"] for member in top["members"]] == ["air", "mask"]
    assert all("members" not in member for member in top["members"])
    everything = run_json("tree", station)
    assert everything["members"][0]["members"][0]["name"] == "temperature"


def test_tree_of_an_array_is_one_line(station, run):
    assert run("tree", station / "mask") == (0, "mask  (4, 6)  bool  chunks (2, 6)\n", "")


# --- what goes wrong


@pytest.mark.parametrize("command", ["info", "tree"])
def test_a_path_without_zarr_is_one_sentence_and_exit_code_1(tmp_path, run, command):
    code, out, err = run(command, tmp_path / "nothing", "--json")
    assert (code, out) == (1, "")
    assert err.startswith("tutorial-zarr: ")
    assert "found nothing" in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{", "expected a JSON document"),
        ('{"zarr_format": 3, "node_type": "array"}', "shape"),
        ('{"zarr_format": 4, "node_type": "group"}', "zarr_format"),
    ],
)
def test_bad_metadata_is_one_sentence_and_exit_code_1(tmp_path, run, document, complaint):
    (tmp_path / "zarr.json").write_text(document)
    code, out, err = run("info", tmp_path)
    assert (code, out) == (1, "")
    assert complaint in err
    assert len(err.splitlines()) == 1


def test_an_unreadable_member_is_named_and_does_not_hide_the_others(station, run):
    (station / "mask" / "zarr.json").write_text("{")
    code, out, err = run("tree", station, "--json")
    assert code == 1
    assert [member["name"] for member in json.loads(out)["members"]] == ["air"]
    assert "left out 'mask'" in err


@pytest.mark.parametrize("arguments", [["info"], ["no-such-command"], ["tree", ".", "--depth", "-1"], ["info", "--x"]])
def test_a_wrong_command_is_exit_code_2_and_shows_how_to_get_help(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "--help" in err


def test_without_click_it_names_the_line_that_installs_it():
    done = shell(
        "check",
        code="import sys; sys.modules['click'] = None; from tutorial_zarr.cli import main; sys.exit(main())",
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tutorial-zarr: the command line needs the package click, which is not installed; "
        'try: python -m pip install "tutorial_zarr[cli]"\n'
    )


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    zarr.create_group(tmp_path / "g", attributes={"long": ["and so on"] * 100_000})
    command = [sys.executable, "-m", "tutorial_zarr", "info", tmp_path / "g"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


# --- the program itself


def test_python_dash_m_is_the_same_program(station):
    done = subprocess.run(
        [sys.executable, "-m", "tutorial_zarr", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"tutorial-zarr, version {zarr.__version__}\n"


def test_help_lists_every_command_and_imports_none_of_their_modules():
    done = shell(
        "--help",
        code="import sys; from tutorial_zarr import cli; cli.main(); "
        "print(*(module for module, _ in cli.COMMANDS.values() if module in sys.modules))",
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1]) == (0, "")
    assert {line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "} >= set(cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself_and_has_json(name):
    click = pytest.importorskip("click")
    try:
        command = importlib.import_module(cli.COMMANDS[name][0]).command(click)
    except MissingDependencyError as missing:
        pytest.skip(str(missing))
    assert command.name == name
    for each in command.commands.values() if isinstance(command, click.Group) else [command]:
        assert each.help
        assert "as_json" in [option.name for option in each.params]


# --- check


def test_check_names_versions_and_finds_every_codec_of_the_core_at_work(run_json):
    report = run_json("check")
    assert report["ok"] is True
    assert report["versions"]["numpy"] == np.__version__
    works = {codec["name"] for codec in report["codecs"] if codec["works"]}
    filters = ("delta", "shuffle", "fixedscaleoffset", "quantize", "bitround", "astype", "packbits")
    sums = ("crc32", "adler32", "fletcher32", "jenkins_lookup3")
    assert works >= {
        *("bytes", "transpose", "sharding_indexed", "vlen-utf8", "vlen-bytes", "crc32c", "gzip", "zstd", "blosc"),
        *(f"numcodecs.{name}" for name in ("zlib", "bz2", "lzma", "zstd", "lz4", "blosc", *filters, *sums)),
    }


def test_check_names_what_is_installed_beside_the_library(run_json, run):
    xarray = pytest.importorskip("xarray")
    assert run_json("check")["others"]["xarray"] == xarray.__version__
    assert f"xarray         {xarray.__version__}" in run("check")[1]


def test_check_tries_every_codec_that_comes_with_the_library(run_json):
    codecs = {codec["name"]: codec for codec in run_json("check")["codecs"]}
    assert set(codecs) == set(zarr.codecs.names()) - {"endian"}
    assert [codec for codec in codecs.values() if not (codec["works"] or codec["install"])] == []


def test_check_names_the_line_that_installs_a_missing_optional_codec():
    hide = "import sys; sys.modules.update(pcodec=None); from tutorial_zarr.cli import main; sys.exit(main())"
    done = shell("check", "--json", code=hide)
    [pcodec] = [codec for codec in json.loads(done.stdout)["codecs"] if codec["name"] == "numcodecs.pcodec"]
    assert pcodec == {
        "name": "numcodecs.pcodec",
        "works": False,
        "install": "pip install pcodec",
        "problem": None,
    }
    assert done.returncode == 0, "the core works without it"


def test_check_fails_where_a_package_of_the_core_is_missing():
    hide = "import sys; sys.modules.update(numcodecs=None); from tutorial_zarr.cli import main; sys.exit(main())"
    done = shell("check", "--json", code=hide)
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (1, False)
    works = {codec["name"]: codec["works"] for codec in report["codecs"]}
    assert works["gzip"]
    assert works["zstd"] is (sys.version_info >= (3, 14)), "Python has its own since then"
    assert not works["blosc"]


def test_check_to_people_is_a_table_and_a_verdict(run):
    code, out, err = run("check")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "The core is complete and works."
    assert any(line.split() == ["gzip", "yes"] for line in out.splitlines())


# --- gallery


def test_the_gallery_lists_the_first_notebook(run_json):
    listed = {notebook["id"]: notebook for notebook in run_json("gallery", "list")}
    assert listed["01_01"]["minutes"] > 0
    assert listed["01_01"]["question"].endswith("?")


@pytest.mark.parametrize("command", ["run", "build", "check"])
def test_an_unknown_notebook_is_one_sentence_and_exit_code_1(run, command):
    code, out, err = run("gallery", command, "99_99")
    assert (code, out) == (1, "")
    assert "found '99_99'" in err
    assert len(err.splitlines()) == 1


NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Add two numbers
#
# **Question.** What is the sum?

# %% tags=["parameters"]
out_dir = None
quick = True

# %%
from tutorial_zarr.gallery.lesson import output_folder, save_facts
total = 1 + TERM

# %%
save_facts(output_folder(out_dir), {"total": total})
"""


@pytest.fixture
def two_notebooks(tmp_path, monkeypatch):
    """A gallery of its own, with a notebook that runs and one that does not."""
    pytest.importorskip("papermill")
    pytest.importorskip("jupytext")
    folder = tmp_path / "notebooks" / "01_part"
    folder.mkdir(parents=True)
    (folder / "01_01_works.py").write_text(NOTEBOOK.replace("TERM", "1"))
    (folder / "01_02_fails.py").write_text(NOTEBOOK.replace("TERM", "None"))
    monkeypatch.setattr(catalogue, "NOTEBOOKS", folder.parent)


@pytest.mark.gallery
def test_running_the_gallery_ends_in_a_table_and_names_the_cell_that_failed(two_notebooks, run):
    code, out, err = run("gallery", "run")
    assert code == 1
    rows = [line.split() for line in out.splitlines() if line.lstrip().startswith("01_")]
    assert [(row[0], "ok" in row, "failed" in row) for row in rows] == [
        ("01_01", True, False),
        ("01_02", False, True),
    ]
    assert out.splitlines()[-1] == "1 of 2 notebooks ran to the end."
    [complaint] = [line for line in err.splitlines() if line.startswith("tutorial-zarr: ")]
    assert complaint.startswith("tutorial-zarr: notebook 01_02, cell ")
    assert "TypeError: unsupported operand" in complaint


@pytest.mark.gallery
def test_one_notebook_can_be_run_and_its_results_kept(two_notebooks, run, tmp_path):
    code, out, _ = run("gallery", "run", "01_01", "--out", tmp_path / "kept", "--json")
    [result] = json.loads(out)
    assert (code, result["status"], result["facts"]) == (0, "ok", {"total": 2})
    assert list((tmp_path / "kept").rglob("facts.json"))
