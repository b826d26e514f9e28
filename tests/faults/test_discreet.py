"""Nothing of a store reaches a terminal, a page or a notebook unescaped; nothing tells a password."""

import contextlib
import io
import json
import logging
import pickle
import re
import traceback
import warnings

import pytest

import tutorial_zarr as zarr
from tutorial_zarr import cli, convert, doctor, hierarchy, viz
from tutorial_zarr.errors import StoreError, ZarrError
from tutorial_zarr.nodes import ZarrWarning
from tutorial_zarr.stores import HTTPStore, LoggingStore, SQLiteStore, TraceStore, make_store
from tutorial_zarr.stores.secrets import because, hidden, public

from .nasty import MARKUP, NAME, OBEYED, TEXT, build

pytest.importorskip("rich", reason="the command line needs rich")
click = pytest.importorskip("click", reason="the command line needs click")

STYLE = re.compile(r"\x1b\[[0-9;]*m")  # what rich itself sends to a terminal


class Screen(io.TextIOWrapper):
    """A terminal, or a pipe, of some encoding."""

    def __init__(self, encoding, terminal):
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)
        self.terminal = terminal

    def isatty(self):
        return self.terminal

    def text(self):
        return STYLE.sub("", self.buffer.getvalue().decode(self.encoding))


def run(arguments, encoding="utf-8", terminal=False):
    """The exit code, what a command printed, and what it said besides."""
    out, err = Screen(encoding, terminal), Screen(encoding, False)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main(list(arguments))
        except SystemExit as done:
            code = done.code
    return code, out.text(), err.text()


def commands():
    """The name and the parameters of every command there is, in its groups."""
    program = cli._program(click)
    waiting = [((name,), program.get_command(None, name)) for name in program.list_commands(None)]
    while waiting:
        name, command = waiting.pop()
        if isinstance(command, click.Group):
            waiting += [((*name, each), command.get_command(None, each)) for each in command.list_commands(None)]
        else:
            yield name, command.params


# What each command is given: {store} is the nasty store, {array} the path of an array in it, {new} a place for another.
# A command that shows nothing of a store is named with None, and why.
GIVEN = {
    ("info",): ["{store}"],
    ("tree",): ["{store}"],
    ("import",): None,  # its file is NetCDF or HDF5: tests/unit/test_xarray_netcdf
    ("anatomy",): ["{one}"],
    ("doctor",): ["{store}"],
    ("copy",): ["{store}", "{new}"],
    ("move",): ["{store}", "{group}", "elsewhere"],
    ("delete",): ["{store}", "{group}"],
    ("rechunk",): ["{store}", "{new}", "--path", "{array}", "--chunks", "3,3", "--dry-run"],
    ("convert",): ["{store}", "--to", "2", "--dry-run"],
    ("consolidate",): ["{store}"],
    ("compress", "shootout"): ["{one}", "--quick"],
    ("interop", "run"): None,  # its cases are ours
    ("interop", "report"): None,  # the same
    ("interop", "verify"): ["{one}", "--peers", "tutorial-zarr", "--here"],
    ("interop", "kit"): None,
    ("interop", "survey"): None,
    ("interop", "costs"): None,
    ("interop", "clear"): None,  # of environments that are ours
    ("lint",): ["{store}"],
    ("explain",): ["{store}"],
    ("chunks", "advise"): ["{one}", "--read", "all 100%: all, 1"],
    ("chunks", "prices"): None,  # of a file that is ours
    ("check",): None,  # of the installation
    **{
        ("gallery", name): None
        for name in (
            "copy",
            "new",
            "list",
            "run",
            "build",
            "check",
            "student",
            "reset",
            "grade",
            "figures",
            "glossary",
            "index",
            "site",
            "serve",
        )
    },  # of our notebooks
    **{
        ("workshop", name): None for name in ("new", "build", "verify", "slides", "notes", "board", "reset")
    },  # the same
    **{("articles", name): None for name in ("build", "check", "series")},
}


def test_every_command_is_in_the_law():
    pytest.importorskip("xarray", reason="one of the commands needs xarray, which is not installed")
    assert {name for name, _ in commands()} == set(GIVEN)


def clean(text):
    found = OBEYED.search(text)
    assert found is None, (found, text[max(found.start() - 80, 0) : found.end() + 80])


@pytest.fixture(scope="module", params=[3, 2])
def nasty(request, tmp_path_factory):
    """The nasty hierarchy; and its array with the array alone, for commands that take no path."""
    folder = tmp_path_factory.mktemp("nasty")
    path = build(folder / "all.sqlite", request.param)
    with SQLiteStore(str(folder / "all.sqlite")) as store, SQLiteStore(str(folder / "one.sqlite")) as one:
        for key in list(store.list_prefix(path)):
            one.set(key[len(path) + 1 :], store.get(key))
    return folder, path


@pytest.mark.parametrize("name", [name for name in GIVEN if GIVEN[name]], ids=" ".join)
@pytest.mark.parametrize(
    "how", [("utf-8", False), ("utf-8", True), ("ascii", False), ("cp1252", False)], ids=lambda h: f"{h[0]}-{h[1]}"
)
def test_no_command_sends_what_a_terminal_obeys(name, how, nasty, tmp_path):
    folder, path = nasty
    for place in ("all", "one"):
        (tmp_path / f"{place}.sqlite").write_bytes((folder / f"{place}.sqlite").read_bytes())
    words = {"store": tmp_path / "all.sqlite", "one": tmp_path / "one.sqlite", "new": tmp_path / "new.zarr"}
    arguments = [part.format(**words, array=path, group=NAME) if part.startswith("{") else part for part in GIVEN[name]]
    for more in ([], ["--json"]):
        code, out, err = run([*name, *arguments, *more], *how)
        assert code in (0, 1), err
        assert "Traceback" not in err
        clean(out)
        clean(err)
        if more and out:
            assert json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON")) is not None
        elif name not in [("consolidate",), ("rechunk",), ("interop", "verify"), ("chunks", "advise")]:
            assert out or err


@pytest.mark.parametrize("arguments", [["info", NAME], [NAME], ["tree", "--depth", NAME], ["convert", NAME]])
def test_a_wrong_command_line_is_said_without_it_too(arguments):
    code, out, err = run(arguments)
    assert code in (1, 2)
    assert err
    clean(out + err)


# --- what a program or a notebook shows


def shown(path, store):
    """Everything that shows itself: a name, and the object."""
    root = zarr.open_group(store, mode="r")
    array = zarr.open_array(store, mode="r", path=path)
    trace = TraceStore(store)
    traced = zarr.open_array(trace, mode="r", path=path)
    traced[2:]
    yield from {
        "array": array,
        "group": root,
        "tree": root.tree(),
        "info": array.info,
        "info complete": array.info_complete(),
        "group info": root.info,
        "attributes": array.attrs,
        "plan": array.plan(slice(0, 1)),
        "lazy": array.lazy[1:],
        "anatomy": viz.anatomy(array),
        "chunk bytes": viz.anatomy(array, chunk=(0, 0)),
        "broken chunk bytes": viz.anatomy(array, chunk=(0, 1)),
        "picture of keys": viz.anatomy(array).picture(),
        "chunk grid": viz.chunk_grid(array),
        "requests": viz.requests(trace),
        "picture of requests": viz.requests(trace).picture(),
        "table of requests": trace.table(),
        "doctor": doctor.examine(store),
        "copy": zarr.copy(root, {}, dry_run=True),
        "delete": hierarchy.delete(store, NAME, dry_run=True),
        "conversion": convert.convert(store, 5 - root.zarr_format, {}, dry_run=True),
        "rechunk": convert.rechunk(array, {}, chunks=(4, 4), dry_run=True),
    }.items()


def spoken(value):
    """Pairs (which, text) of what Python and Jupyter ask an object for."""
    yield "str", str(value)
    if hasattr(value, "_repr_html_"):
        yield "html", value._repr_html_()
    if hasattr(value, "_repr_mimebundle_"):
        for kind, text in value._repr_mimebundle_().items():
            yield "text" if kind == "text/plain" else "html", text
    if hasattr(value, "svg"):
        yield "html", value.svg


def test_nothing_that_shows_itself_is_obeyed_by_a_terminal_or_a_page(nasty):
    folder, path = nasty
    count = 0
    with warnings.catch_warnings(record=True) as caught, SQLiteStore(str(folder / "all.sqlite")) as store:
        warnings.simplefilter("always")
        for name, value in shown(path, store):
            for kind, text in spoken(value):
                count += 1
                if name != "attributes":  # a mapping of the user's: as Python spells its values
                    assert OBEYED.search(text) is None, (name, kind, OBEYED.search(text))
                if kind == "html":
                    assert MARKUP.search(text) is None, (name, MARKUP.search(text))
    assert count > 30
    assert caught
    for warning in caught:
        if isinstance(warning.message, ZarrWarning):
            clean(str(warning.message))


def test_a_page_of_anatomy_is_escaped(nasty, tmp_path):
    page = tmp_path / "page.html"
    assert run(["anatomy", str(nasty[0] / "one.sqlite"), "--chunk", "0,0", "--html", str(page)])[0] == 0
    text = page.read_text(encoding="utf-8")
    clean(text)
    assert MARKUP.search(text) is None


def test_every_error_about_it_is_spelt_out(nasty):
    folder, path = nasty
    said = []
    with SQLiteStore(str(folder / "all.sqlite")) as store:
        keys = list(store.list_prefix())
        for path_of in sorted({key.rpartition("/")[0] for key in keys}):
            for wanted in (path_of, path_of + TEXT[:20]):
                try:
                    zarr.open(store, mode="r", path=wanted)[...]
                except Exception as error:
                    said.append("".join(traceback.format_exception_only(error)))
        for act in (
            lambda: zarr.open_group(store, mode="r")[NAME + "x"],
            lambda: zarr.open_array(store, mode="r", path=path)[:],
            lambda: zarr.open_array(store, mode="r", path=path).attrs["x" + NAME],
            lambda: zarr.open_array(store, mode="r", path=path + "/" + NAME),
            lambda: zarr.create_array({}, shape=(1,), dtype=NAME),
            lambda: zarr.create_array({}, shape=(1,), dtype="i4", compressors=NAME),
            lambda: zarr.create_array({}, shape=(1,), dtype="i4", attributes={NAME: object()}),
        ):
            with pytest.raises(Exception) as caught:
                act()
            said += [str(caught.value)] if isinstance(caught.value, ZarrError) else []
    assert len(said) > 8
    for text in said:
        clean(text)


def test_a_message_is_cut_in_its_middle_where_it_quotes_a_document():
    error = ZarrError("key: expected a number, found " + "x" * 100_000 + "; try another")
    assert len(str(error)) < 11_000
    assert str(error).endswith("; try another")
    assert "(100,043 characters)" in str(error)


# --- secrets

URLS = [
    "http://user:hunter2@127.0.0.1:1/x",
    "http://hunter2@127.0.0.1:1/x",
    "http://us%40er:hunter2@127.0.0.1:1/x?sig=hunter2&a=b",
    "http://127.0.0.1:1/x?sig=hunter2#hunter2",
    "HTTP://user:hun@ter2hunter2@127.0.0.1:1/x",
]


def acts(store):
    yield lambda: store.get("zarr.json")
    yield lambda: store.get("c/0", (0, 4))
    yield lambda: store.get_size("zarr.json")
    yield lambda: list(store.list_prefix())
    yield lambda: store.set("a", b"1")
    yield lambda: zarr.open(store, mode="r")
    yield lambda: zarr.open_group(store, mode="r")["a"]


@pytest.mark.parametrize("url", URLS)
def test_a_web_store_tells_no_secret(url, caplog):
    pytest.importorskip("urllib3", reason="needs urllib3")
    caplog.set_level(logging.INFO)
    store = HTTPStore(url, retries=1, headers={"Cookie": "hunter2"})
    told = [repr(store), repr(TraceStore(store)), str(vars(store)["url"])]
    for act in acts(LoggingStore(store)):
        with pytest.raises(ZarrError) as caught:
            act()
        told += ["".join(traceback.format_exception(caught.value)), repr(caught.value.fields)]
    assert "hunter2" not in "".join(told)
    assert "hunter2" not in caplog.text
    code, out, err = run(["info", url])
    assert code == 1
    assert "hunter2" not in out + err


def test_a_password_of_the_url_reaches_its_server_alone():
    store = HTTPStore("http://us%40er:pass@127.0.0.1:1/x")
    assert store.headers["Authorization"] == "Basic dXNAZXI6cGFzcw=="
    assert store.url == "http://127.0.0.1:1/x"
    assert pickle.loads(pickle.dumps(store)).headers == store.headers  # a worker needs it


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("nosuch://user:hunter2@host/x", {}),
        ("s3://bucket/x", {"key": "k" * 20, "secret": "hunter2hunter2", "bogus": "hunter2x"}),
        ("az://box/x", {"account_name": "a", "sas_token": "sig=hunter2", "bogus": 1}),
    ],
)
def test_an_url_that_cannot_be_opened_tells_no_secret(url, options):
    if not url.startswith("nosuch"):
        pytest.importorskip("obstore", reason="needs obstore")
    with pytest.raises(StoreError) as caught:
        make_store(url, storage_options=options).get("zarr.json")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_file_system_of_fsspec_tells_no_secret():
    pytest.importorskip("fsspec", reason="needs fsspec")
    from tutorial_zarr.stores import FsspecStore

    class Fails:
        def cat_file(self, path, **options):
            raise OSError(f"401 for url 'https://user:hunter2@host/{path}?token=hunter2' with hunter2hunter2")

    store = FsspecStore("a", fs=Fails(), password="hunter2hunter2")
    with pytest.raises(StoreError) as caught:
        store.get("b")
    text = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in text
    assert "401 for url 'https://host/a/b' with ..." in text


def test_a_cause_stays_where_it_tells_nothing():
    kept = because(StoreError("x"), OSError("no route to host"), {"token": "hunter2"})
    dropped = because(StoreError("x"), OSError("token hunter2 is wrong"), {"token": "hunter2"})
    assert str(kept.__cause__) == "no route to host"
    assert dropped.__cause__ is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/data/what?#a=b.zarr", "/data/what?#a=b.zarr"),
        ("s3://bucket/a#1.zarr", "s3://bucket/a#1.zarr"),
        ("abfs://box@account/x", "abfs://box@account/x"),
        ("sftp://me@host/x", "sftp://me@host/x"),
        ("sftp://me:word@host/x", "sftp://host/x"),
        ("zip://a.zip::https://u:w@h/b?s=1::2", "zip://a.zip::https://h/b"),
        ("http://u:w@[::1]:80/b?s=1", "http://[::1]:80/b"),
        ("at 'https://u:w@h/b?s=1', found", "at 'https://h/b', found"),
    ],
)
def test_of_a_url_that_may_be_shown_nothing_more_is_cut(text, expected):
    assert public(text) == expected


def test_options_are_hidden_by_name_and_by_length():
    options = {
        "key": "abc",
        "endpoint_url": "http://localhost",
        "anon": True,
        "style": "path",
        "headers": {"A": "Bearer x"},
    }
    assert (
        hidden("abc at http://localhost by path with Bearer x", options) == "... at http://localhost by path with ..."
    )
