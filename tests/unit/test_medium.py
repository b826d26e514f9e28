"""What Medium takes of an article, and what its author has to type."""

import re

import pytest

from tutorial_zarr.gallery import GalleryError, medium
from tutorial_zarr.gallery.article_form import FENCE, FIGURE, front_matter
from tutorial_zarr.gallery.series import select_articles

BUILT = """---
title: A title
subtitle: A subtitle
tags: zarr, python, two words, numpy, data
source: https://example.org/articles/01.md
---

# A title

*A subtitle*

First. The chunks are `c/0` and `c/1`, as you see:

![Four chunks, two of them stored, beside the keys that name them.](1.png)

*Two of four are stored.*

## Next

```python
x = 1
```

![The same four chunks, a year later, all of them stored by then.](2.png)

*A caption.* See [this](https://example.org/a) and [that](https://example.org/b).

```text
@
```
""".replace("@", "y" * 99)


def test_the_checklist_says_all_that_is_typed_by_hand():
    text = medium.checklist(BUILT)
    for said in ("A title", "A subtitle", "https://example.org/articles/01.md"):
        assert f"```text\n{said}\n```" in text
    assert re.findall(r"- \[ \] (zarr|python|two words|numpy|data)\n", text) == [
        *("zarr", "python", "two words", "numpy", "data")
    ]
    first, second = re.search(r"## Pictures\n(.*?)\n## Lines", text, re.DOTALL)[1].split("### 2")
    assert "`1.png`, after: The chunks are `c/0` and `c/1`, as you see:\n- [ ] its caption: Two of" in first
    assert "```text\nFour chunks, two of them stored, beside the keys that name them.\n```" in first
    assert "`2.png`, after: block 'x = 1'\n- [ ] its alternative text:\n\n```text\nThe same" in second
    assert f"- `code/02.txt`, block '{'y' * 99}': 1 line, up to 99 characters" in text
    assert "- [ ] <https://example.org/a>\n- [ ] <https://example.org/b>\n" in text
    assert "--base-url" not in text
    assert "build again with --base-url" in medium.checklist(BUILT.replace("source:", "other:"))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (", data", ", data, six", r"expected 1 to 5 tags, as many as Medium takes, found 6; try fewer"),
        ("tags: zarr, python, two words, numpy, data\n", "", "expected 1 to 5 tags, .* found 0"),
        ("## Next", "### Next", "expected headings of 2 levels, .* found '### Next'; try ##"),
        ("First.", "- one\n  - two\n\nFirst.", "found a list within a list, '- two'; try plain text"),
        ("First.", "<b>First.</b>", "found HTML, '<b>'"),
        ("First.", "$$x$$", "found mathematics"),
    ],
)
def test_what_medium_has_no_form_for_is_said(before, after, message):
    assert list(medium.problems(BUILT)) == []
    [problem] = medium.problems(BUILT.replace(before, after))
    assert re.search(message, problem)


def test_every_article_can_be_shown_there():
    texts = {path.stem: path.read_text(encoding="utf-8") for path in select_articles()}
    assert {name: found for name, text in texts.items() if (found := list(medium.problems(text)))} == {}
    for text in texts.values():
        assert front_matter(text)[0]["tags"].count(",") == 4
        assert all(20 <= len(alt) <= 500 for alt, _ in FIGURE.findall(FENCE.sub("", text)))


@pytest.mark.gallery
def test_an_article_is_built_with_a_page_to_copy_pictures_by_number_and_code_as_files(tmp_path, run):
    pytest.importorskip("resvg_py")
    out = tmp_path / "out"
    folder = out / "01_first_zarr_array"
    (folder / "code").mkdir(parents=True)
    for old in ("9.png", "code/99.py", "own.png"):
        (folder / old).write_bytes(b"")
    code, told, _ = run("articles", "build", "01", "--for", "medium", "--out", out)
    assert code == 0
    assert (folder / "paste.html").as_posix() in told
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    text = (folder / f"{folder.name}.md").read_text(encoding="utf-8")
    blocks = FENCE.findall(text)
    suffix = {"python": "py"}
    assert names == {
        *("paste.html", "checklist.md", f"{folder.name}.md", f"{folder.name}.html", "own.png"),
        *(f"{number}.png" for number in range(1, 5)),
        *(f"code/{number:02}.{suffix.get(language, 'txt')}" for number, (language, _) in enumerate(blocks, 1)),
    }
    assert [target for _, target in FIGURE.findall(text)] == [f"{number}.png" for number in range(1, 5)]
    for number, (_, block) in enumerate(blocks, 1):
        [file] = folder.glob(f"code/{number:02}.*")
        assert file.read_text(encoding="utf-8") == block
    page = (folder / "paste.html").read_text(encoding="utf-8")
    assert page.replace(medium.BUTTON, "").replace(medium.SCRIPT, "") == (
        (folder / f"{folder.name}.html").read_text(encoding="utf-8")
    )
    assert "http" not in medium.SCRIPT + medium.BUTTON


def test_what_does_not_go_together_is_refused_and_nothing_is_written(tmp_path, run, monkeypatch):
    code, _, err = run("articles", "build", "01", "--for", "medium", "--images", "svg", "--out", tmp_path / "out")
    assert code == 1
    assert "expected pictures as PNG for Medium, found --images svg" in err
    monkeypatch.setattr(medium, "problems", lambda text: ["expected this, found that"])
    with pytest.raises(GalleryError, match=r"article 01_first_zarr_array: expected this, found that"):
        medium.build_for_medium(tmp_path / "out", ["01"])
    assert not (tmp_path / "out").exists()
