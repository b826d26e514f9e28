"""Copies of the lessons for Colab, which has nothing of a repository but the one notebook that it opens."""

import re

import pytest

from tutorial_zarr.gallery import GalleryError, source, student
from tutorial_zarr.gallery.catalogue import ROOT
from tutorial_zarr.gallery.student import write_student_versions

pytest.importorskip("jupytext", reason="a notebook is read with jupytext, which is not installed")
AT = "https://github.com/me/it"


@pytest.mark.parametrize("given", [AT, f"{AT}/", f"{AT}.git"])
def test_a_copy_installs_the_package_first_and_is_else_the_students_version(tmp_path, given):
    [path] = write_student_versions(tmp_path / "colab", ["01_01"], repository=given)
    [plain] = write_student_versions(tmp_path / "plain", ["01_01"])
    cells, others = (source.loads(each.read_text(encoding="utf-8"))["cells"] for each in (path, plain))
    assert cells[0]["source"].endswith(f'    %pip install --quiet "tutorial_zarr[gallery] @ git+{AT}"')
    assert len(cells) == len(others) + 1
    assert [cell["source"] for cell in cells if cell["cell_type"] == "code"][1:] == [
        cell["source"] for cell in others if cell["cell_type"] == "code"
    ]
    assert len({cell["id"] for cell in cells}) == len(cells)


def test_the_first_cell_does_nothing_where_the_package_is_there():
    transform = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager().transform_cell
    names = {"get_ipython": lambda: pytest.fail("it installs what is there")}
    exec(transform(student.INSTALL.format(repository=AT)), names)
    with pytest.raises(pytest.fail.Exception, match="it installs"):
        exec(transform(student.INSTALL.format(repository=AT).replace('spec("tut', 'spec("no_tut')), names)


def test_whatever_it_links_to_is_in_the_repository(tmp_path):
    paths = write_student_versions(tmp_path, ["01_01", "01_02"], repository=AT)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert not (tmp_path / "articles").exists()
    seen = 0
    for path in paths:
        at = "https://colab.research.google.com/github/me/it/blob/BRANCH/FOLDER/"
        assert at + path.relative_to(tmp_path).as_posix() in text
        for cell in source.loads(path.read_text(encoding="utf-8"))["cells"]:
            for picture, target in re.findall(r"(!?)\[[^\]]*\]\(([^)\s]+)", cell["source"]):
                if not target.startswith("#") and (target.startswith(AT) or "://" not in target):
                    assert target.startswith(f"{AT}/{'raw' if picture else 'blob'}/HEAD/")
                    assert (ROOT / re.sub(r"#.*", "", target).partition("/HEAD/")[2]).is_file()
                    seen += 1
    assert seen > 5


@pytest.mark.parametrize("wrong", ["github.com/me/it", "https://example.org/me/it", "", 'https://github.com/me/it"; x'])
def test_what_is_no_repository_on_github_is_refused(tmp_path, wrong):
    with pytest.raises(GalleryError, match=r"the address of a repository on GitHub, .* found .*; try https://github"):
        write_student_versions(tmp_path / "out", ["01_01"], repository=wrong)
    assert not (tmp_path / "out").exists()


def test_the_command_needs_the_address_and_says_so(tmp_path, run):
    out = tmp_path / "out"
    code, _, err = run("gallery", "student", "01_01", "--for", "colab", "--out", out)
    assert code == 1
    assert "expected --repo-url URL with --for colab, found none; nothing was written" in err
    code, _, err = run("gallery", "student", "01_01", "--repo-url", AT, "--out", out)
    assert code == 1
    assert "expected --for colab with --repo-url" in err
    assert not out.exists()
    assert run("gallery", "student", "01_01", "--for", "colab", "--repo-url", AT, "--out", out)[0] == 0
    assert len(list(out.rglob("*.ipynb"))) == 1
