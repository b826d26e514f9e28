"""The gates for the form of an article: each finds a fault that was planted, and none finds one in a right article."""

import importlib.metadata
import re

import pytest

import tutorial_zarr
from tutorial_zarr.gallery import article_code, article_form, series
from tutorial_zarr.gallery.article_form import BRIDGE, form_problems, front_matter
from tutorial_zarr.gallery.catalogue import GalleryError, list_notebooks

pytest.importorskip("zarr", reason="the line of an article says which versions of others were seen")
pytest.importorskip("PIL", reason="a package may bring modules of other names")

SCRIPT = """# /// script
# requires-python = ">=3.11"
# dependencies = ["tutorial_zarr", "numpy>=2"]
# ///
import numpy as np
import tutorial_zarr as zarr

a = zarr.create_array({}, shape=(40,), chunks=(10,), dtype="i4")
a[:10] = np.arange(10)
stored = a.nchunks_initialized
print(stored, "chunk is stored")
for key in a.store:
    print(key)
"""
WORDS = "Every sentence of this paragraph is a sentence about chunks and what they cost. " * 24
RIGHT = f"""---
title: A chunk by itself
subtitle: What one chunk costs, and why
minutes: 7
notebook: 01_01
tags: zarr, python
---

*Code: [tutorial_zarr](../README.md) 0.1.0, Zarr from scratch in Python.*

{WORDS}

**Bottom line: one chunk of 4 in memory is one request, whatever `a**2` is.**

![A picture of one chunk among four, in a row.](figures/01_01_one.svg)

*One chunk, seen from above.*

## One chunk is one request

{WORDS}[the specification](https://zarr-specs.readthedocs.io/en/latest/v3/core/v3.0.html#chunks) says so.

```python
{SCRIPT}```

```text
1 chunk is stored
```

## What a sum needs

{WORDS}See [the guide](https://zarr.readthedocs.io/en/stable/) and [prices](https://aws.amazon.com/s3/pricing/).

![A picture of two sums that are the same, one beside the other.](figures/01_01_two.svg)
*Two sums.*

```python
def total(array):
    return sum(int(chunk.sum()) for _, chunk in array.chunk_stream())
```

## What carries over to other libraries

{BRIDGE}
|---|---|---|
| `a.nchunks_initialized` | the same name | - |

## A question for you

{WORDS}

*Part 1 of 2 of [Zarr from scratch](README.md). Next: [Two](02_two.md).*
"""


def problems(text, **taken):
    return [f"{where}: {problem}" for where, problem in form_problems(*front_matter(text), taken)]


def test_a_right_article_has_no_faults():
    assert problems(RIGHT) == []


PLANTED = {
    "no subtitle": ("subtitle: ", "sub: ", "front matter: expected a line 'subtitle: ...'"),
    "no bottom line": (
        "**Bottom line: one",
        "**One",
        "opening: expected one line '**Bottom line: ...**' before the fir",
    ),
    "a bottom line that is not bold": ("**Bottom line: one", "Bottom line: one", "heading, found 0"),
    "two bottom lines": ("\n## One chunk", "\n**Bottom line: two.**\n\n## One chunk", "first heading, found 2"),
    "a bottom line after the heading": ("**Bottom line: one", "## Early\n\n**Bottom line: one", "heading, found 0"),
    "a bottom line after a smaller heading": (
        "**Bottom line: one",
        "### Early\n\n**Bottom line: one",
        "heading, found 0",
    ),
    "no figure before the heading": (
        "![A picture of one chunk",
        "[A picture of one chunk",
        "expected a figure before the",
    ),
    "no caption": (
        "*One chunk, seen from above.*",
        "One chunk, seen from above.",
        "a line in italics, found 'One chunk, s",
    ),
    "a bold caption": ("*Two sums.*", "**Two sums.**", "01_01_two.svg: expected a caption below the figure"),
    "a caption far below": ("*Two sums.*", "See below.\n\n*Two sums.*", "01_01_two.svg: expected a caption below"),
    "text beside a figure": (
        "![A picture of two",
        "Look: ![A picture of two",
        "expected the figure in a line of its own",
    ),
    "no description": (
        "![A picture of two sums that are the same, one beside the other.]",
        "![Two]",
        "expected a descr",
    ),
    "an old heading": ("## What a sum needs", "## What to do on Monday", "heading 'What to do on Monday': expected a"),
    "an old heading in capitals": ("## What a sum needs", "## The Honest Limits", "found an old one"),
    "a heading twice": ("## What a sum needs", "## A question for you", "expected it once, found it twice"),
    "two links only": (
        "[the guide](https://zarr.readthedocs.io/en/stable/)",
        "the guide",
        "pages outside, https://..., fo",
    ),
    "one page three times": (
        "https://zarr.readthedocs.io/en/stable/",
        "https://zarr-specs.readthedocs.io/en/latest/v3/core/v3.0.html#other",
        "links: expected links to at least 3 pages outside, https://..., found 2",
    ),
    "an unsafe link": ("https://aws", "http://aws", "links to at least 3 pages outside, https://..., found 2"),
    "no bridge": (BRIDGE, BRIDGE.replace("Dask", "dask"), "bridge: expected a table with the head"),
    "an old ending": (
        "## A question for you\n",
        "## A question\n\nThe notebook has three exercises.",
        "found 'has three exe",
    ),
    "too short": (WORDS + "[the spec", "[the spec", "length: expected 1,200 to 2,000 words of prose, found 1,"),
    "too long": (
        "## A question for you\n",
        f"## A question\n\n{WORDS * 3}",
        "length: expected 1,200 to 2,000 words of pr",
    ),
    "no script": ("# /// script\n", "", "script: expected one python block that begins with '# /// script' and"),
    "two scripts": ("def total", "# /// script\ndef total", "'# /// script' and runs, found 2"),
    "no output": ("```text\n1 chunk is stored\n```\n", "", "script: expected its output in the next block, ```text"),
    "an empty output": ("1 chunk is stored\n```", "```", "script: expected its output in the next block, ```text"),
    "an output of another kind": (
        "```text\n1 chunk",
        "```sh\n1 chunk",
        "script: expected its output in the next block",
    ),
    "a header without an end": ("# ///\nimport", "import", "script: expected a header from '# /// script' to '# ///'"),
    "a header that is no TOML": ('"numpy>=2"]', '"numpy>=2"', "script: expected TOML in its header, found"),
    "no version of Python": (
        "# requires-python",
        "# requires",
        "expected requires-python and dependencies in its header",
    ),
    "no dependencies": (
        '["tutorial_zarr", "numpy>=2"]',
        "[]",
        "expected requires-python and dependencies in its header",
    ),
    "dependencies that are no names": ('["tutorial_zarr", "numpy>=2"]', "[1]", "expected requires-python and depend"),
    "no tutorial_zarr": ('"tutorial_zarr", ', "", "script: expected tutorial_zarr among its dependencies, found numpy"),
    "an import that is not asked for": (
        "import numpy as np",
        "import xarray, numpy as np",
        "line 5 imports xarray, whi",
    ),
    "a script that is long": ("stored = a", "x = 1\n" * 20 + "stored = a", "script: expected 10 to 30 lines, found 32"),
    "a script that is short": (SCRIPT.partition("a[:10]")[2], "= 1\nstored = 1\n", "expected 10 to 30 lines, found 9"),
    "a name in a script": (
        "print(stored",
        "print(store",
        "block '# /// script': expected names that the article imports",
    ),
    "a name in a block": ("in array.chunk_stream", "in arrays.chunk_stream", "defines above, found arrays"),
    "two names in a block": ("for _, chunk in array", "for _, block in arrays", "defines above, found arrays, chunk"),
    "no Python": (
        "    return sum(",
        "return sum(",
        "python blocks: block 2: expected Python, found expected an indented",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name):
    old, new, expected = PLANTED[name]
    assert old in RIGHT
    found = problems(RIGHT.replace(old, new, 1))
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize("heading", ["A question for you", "A question for you?", "`A` Question, for you"])
def test_a_heading_of_another_article_is_found(heading):
    assert problems(RIGHT.replace("A question for you", heading), **{"a question for you": "07_sea"}) == [
        f"heading {heading!r}: expected one that no other article has, found it in 07_sea"
    ]


def test_a_package_may_bring_modules_of_other_names():
    text = RIGHT.replace("import numpy as np", "import PIL, numpy as np").replace('"numpy>=2"', '"numpy>=2", "pillow"')
    assert problems(text) == []


def test_tables_blocks_and_generated_lines_are_not_read_as_words():
    _, body = front_matter(RIGHT)
    words = article_form.count_words(body)
    longer = body.replace("| - |", f"| {WORDS} |").replace("1 chunk is", f"{WORDS} is").replace("from scratch", WORDS)
    assert article_form.count_words(longer) == words
    assert article_form.count_words(body.replace("*Two sums.*", "*Two equal sums.*")) == words + 1
    assert article_form.minutes(body) == round(words / 220 + 2 / 2) == 7


# --- names in blocks ------------------------------------------------------------------------------------------

NAMES = {
    "x = 1\nprint(x)": "",
    "print(x)\nx = 1": "x",
    "def f(): return g()\ndef g(): return 1": "",
    "def f(): return g()": "g",
    "[y for y in range(3) if y]": "",
    "[y for y in z]": "z",
    "{k: v for k, v in d.items()}": "d",
    "print(sum(i for i in r))": "r",
    "z = z + 1": "z",
    "n += 1": "n",
    "a[i] += 1": "a i",
    "for i in range(3):\n    t = i\n    print(t, i)": "",
    "with open('f') as f: f.read()": "",
    "lambda a: a + b": "b",
    "class A:\n    x = 1\n    y = x\n    def f(self): return x": "x",
    "class A(B): pass": "B",
    "class A:\n    xs = [x for x in range(w)]": "w",
    "@deco\ndef f(a=d): pass": "d deco",
    "def f(x: T) -> U: ...": "T U",
    "try: pass\nexcept OSError as e: print(e)": "",
    "import os.path as p, sys\np, sys": "",
    "from a import b as c\nc\nb": "b",
    "def f():\n    global q\n    q = 1\nprint(q)": "",
    "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g": "",
    "if (m := 3): print(m)": "",
    "x = (m := 3) + m": "",
    "match [1]:\n    case [a]: print(a)": "",
    "f'{v} {len(v):{w}}'": "v w",
    "a, *b = 1, 2\nb": "",
    "async def f():\n    async for a in b: await a": "b",
    "assert False, __name__": "",
    "def f(): return [a for a in later]\nlater = 3": "",
}


@pytest.mark.parametrize("code", NAMES)
def test_names_that_a_block_does_not_define_are_found(code):
    found = [name for _, name in article_code.undefined_names([code])]
    assert sorted(found) == NAMES[code].split()


def test_a_class_in_three_parts_is_one():
    parts = [
        "class A:\n    def f(self): return 1",
        "    def g(self): return A().f() + helper",
        "    limit = 3\n\n    def h(self): return self.g()",
        "A().h(), g, limit",
    ]
    assert list(article_code.undefined_names(parts)) == [(1, "helper"), (3, "g"), (3, "limit")]


def test_a_name_is_missed_once_and_a_script_stands_alone():
    blocks = ["import math", "math, np", "np", "# /// script\nmath", "# /// script\nimport json", "json"]
    assert list(article_code.undefined_names(blocks)) == [(1, "np"), (3, "math")]
    assert list(article_code.undefined_names(["x\nx\ndef f(): return x"])) == [(0, "x")]


# --- the series -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """The notebooks' folder of a series of three articles without generated lines."""
    for number, part in enumerate(["01_core_zarr", "01_core_zarr", "07_geo"], 1):
        notebook = tmp_path / "notebooks" / part / f"{part[:2]}_0{number}_lesson.py"
        notebook.parent.mkdir(parents=True, exist_ok=True)
        notebook.write_text("# %% [markdown]\n# # A lesson\n", encoding="utf-8")
        named = "It says what xarray and `dask.array` do." if number == 2 else "It says nothing."
        path = tmp_path / "articles" / f"{number * 9:02}_story.md"
        path.parent.mkdir(exist_ok=True)
        front = f"title: Story {number}\nsubtitle: Why\nminutes: 99\nnotebook: {part[:2]}_0{number}\ntags: zarr"
        path.write_text(f"---\n{front}\n---\n\n{named}\n\n{'word ' * 1000}\n\n{BRIDGE}\n", encoding="utf-8")
    return tmp_path / "notebooks"


def lines(folder, number):
    text = (folder.parent / "articles" / f"{number * 9:02}_story.md").read_text(encoding="utf-8")
    body = front_matter(text)[1].strip("\n").split("\n")
    return front_matter(text)[0]["minutes"], body[0], body[-1]


def series_faults(folder):
    paths, notebooks = series.select_articles(None, folder), list_notebooks(folder)
    return [problem for path in paths for problem in series.series_problems(path, paths, notebooks)]


def test_the_series_writes_first_and_last_lines_minutes_and_a_list_once(folder):
    assert {path.name for path in series.write_series(folder)} == {
        *(f"{n:02}_story.md" for n in (9, 18, 27)),
        "README.md",
    }
    assert series.write_series(folder) == []
    zarr, xarray, dask = (importlib.metadata.version(name) for name in ("zarr", "xarray", "dask"))
    minutes, first, last = lines(folder, 2)
    assert minutes == "5"
    assert first == (
        f"*Code: [tutorial_zarr](../README.md) {tutorial_zarr.__version__}, Zarr from scratch in Python; "
        "`pip install tutorial_zarr`. Every number comes from [this notebook]"
        "(../notebooks/01_core_zarr/01_02_lesson.ipynb); versions: "
        f"zarr-python {zarr}, xarray {xarray}, Dask {dask}.*"
    )
    begin = "of 3 of [Zarr from scratch](README.md)."
    assert last == f"*Part 2 {begin} Before: [Story 1](09_story.md). Next: [Story 3](27_story.md).*"
    assert lines(folder, 1)[1].endswith(f"versions: zarr-python {zarr}.*"), (
        "the table's head names xarray, the text not"
    )
    assert lines(folder, 1)[2] == f"*Part 1 {begin} Next: [Story 2](18_story.md).*"
    assert lines(folder, 3)[2] == f"*Part 3 {begin} Before: [Story 2](18_story.md).*"
    page = (folder.parent / "articles" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^## .+$|^\d+\. .+$", page, re.MULTILINE) == [
        "## Zarr itself",
        "1. [Story 1](09_story.md): Why (5 minutes, lesson [01_01](../notebooks/01_core_zarr/01_01_lesson.ipynb))",
        "2. [Story 2](18_story.md): Why (5 minutes, lesson [01_02](../notebooks/01_core_zarr/01_02_lesson.ipynb))",
        "## Earth, life and machines",
        "3. [Story 3](27_story.md): Why (5 minutes, lesson [07_03](../notebooks/07_geo/07_03_lesson.ipynb))",
    ]
    assert series_faults(folder) == []
    assert list(series.list_problems(folder)) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (f"(../README.md) {tutorial_zarr.__version__}", "(../README.md) 0.0.9", "first line"),
        ("`pip install tutorial_zarr`", "`pip install zarr`", "first line"),
        ("01_02_lesson.ipynb", "01_01_lesson.ipynb", "first line"),
        (", Dask ", ", ", "first line"),
        ("*Code: ", "Code: ", "first line"),
        ("*Part 2 of 3", "*Part 2 of 4", "last line"),
        ("Before: [Story 1]", "Before: [Story 0]", "last line"),
        (" Next: [Story 3](27_story.md).", "", "last line"),
        ("minutes: 5", "minutes: 6", "front matter"),
        ("It says", "word " * 220 + "It says", "front matter"),
    ],
)
def test_a_generated_line_that_is_out_of_date_is_noticed(folder, old, new, place):
    series.write_series(folder)
    path = folder.parent / "articles" / "18_story.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    [(where, problem)] = series_faults(folder)
    assert where == place
    assert problem.startswith("expected ")
    assert problem.endswith("try: tutorial-zarr articles series")


def test_a_generated_line_in_the_midst_goes(folder):
    series.write_series(folder)
    path = folder.parent / "articles" / "18_story.md"
    right = path.read_text(encoding="utf-8")
    path.write_text(right.replace("It says", "*Part 1 of 9 of it.*\n\nIt says"), encoding="utf-8")
    assert [where for where, _ in series_faults(folder)] == ["generated lines"]
    path.write_text(right + "\nOne more word.\n", encoding="utf-8")
    assert [where for where, _ in series_faults(folder)] == ["last line"]
    series.write_series(folder)
    again = path.read_text(encoding="utf-8")
    assert again.count("*Part ") == 1
    assert again.endswith("(27_story.md).*\n")


def test_versions_of_others_are_those_of_the_line_until_they_are_written_again(folder):
    series.write_series(folder)
    path = folder.parent / "articles" / "18_story.md"
    old = re.sub(r"xarray [\d.]+\d", "xarray 2001.1", path.read_text(encoding="utf-8"))
    path.write_text(old, encoding="utf-8")
    assert series_faults(folder) == []
    assert series.write_series(folder) == [path]
    assert "xarray 2001.1" not in path.read_text(encoding="utf-8")


def test_a_list_of_articles_that_is_out_of_date_is_noticed(folder):
    series.write_series(folder)
    path = folder.parent / "articles" / "27_story.md"
    path.write_text(path.read_text(encoding="utf-8").replace("subtitle: Why", "subtitle: How"), encoding="utf-8")
    [(where, problem)] = series.list_problems(folder)
    assert (where, problem) == (
        "README.md",
        "expected the list of the 3 articles as they are; try: tutorial-zarr articles series",
    )


def test_a_package_that_is_named_and_neither_installed_nor_in_the_line_is_said(folder, monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    with pytest.raises(GalleryError, match="expected zarr to be installed, found it missing; try: python -m pip"):
        series.write_series(folder)


def test_an_article_of_an_unknown_notebook_is_named(folder):
    path = folder.parent / "articles" / "27_story.md"
    path.write_text(path.read_text(encoding="utf-8").replace("notebook: 07_03", "notebook: 77_03"), encoding="utf-8")
    with pytest.raises(GalleryError, match="article 27_story: expected the id of a notebook, found '77_03'"):
        series.write_series(folder)
    assert [where for where, _ in series.list_problems(folder)] == ["README.md"]
