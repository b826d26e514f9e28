"""The whole site in a real browser: what every page has to keep, whichever module makes it.

axe is asked about a page of each kind in both themes, and about all pages with `--every-page`.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pytest

from tutorial_zarr.gallery.site import check

STANDARD = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")
KIB = 1000
BUDGETS = {"lessons/": 300 * KIB, "index.html": 600 * KIB}  # bytes of a page with all that it loads
KINDS = (
    "index.html",
    "map.html",
    "lessons/01_01.html",
    "lessons/04_01.html",
    "articles/02_chunking_is_the_index.html",
    "articles.html",
    "glossary.html",
    "implementations.html",
    "findings.html",
    "surprises.html",
    "plan.html",
    "tiny.html",
    "workshop.html",
    "404.html",
)


@pytest.fixture(scope="session")
def names(site):
    """The addresses of all pages of ours."""
    pages = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html"))]
    return [name for name in pages if not name.startswith("lite/")]


def test_every_link_leads_somewhere_every_picture_has_words_and_nothing_is_loaded_from_elsewhere(site, names):
    assert check.problems(site) == []
    assert len(names) > 90


def test_no_page_shows_the_markdown_of_a_link(site, names):
    found = {}
    for name in names:
        text = re.sub(r"<(pre|code|script)\b.*?</\1>", "", (site / name).read_text(encoding="utf-8"), flags=re.DOTALL)
        if raw := re.findall(r".{0,40}\]\((?:https?://|\.\./).{0,40}", text):
            found[name] = raw
    assert found == {}


def chosen(config, site):
    every = config.getoption("--every-page", default=False)
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html")) if every else KINDS


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, site, served, pytestconfig, scheme):
    """WCAG 2.1, A and AA, with everything that is folded opened."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    page, found = visit(served, scheme), {}
    for name in chosen(pytestconfig, site):
        page.goto(served + name)
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        results = axe.run(page, options={"runOnly": list(STANDARD), "resultTypes": ["violations"]}).response
        found |= {
            f"{name}: {each['id']}": [node["html"][:120] for node in each["nodes"][:3]]
            for each in results["violations"]
        }
    assert found == {}


# The parts of a page that reach over its edge, and are in nothing that scrolls.
WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const scrolls = node => { for (; node && node !== document.body; node = node.parentElement)
    if (getComputedStyle(node).overflowX !== 'visible') return true; return false; };
  return [...document.querySelectorAll('body *')].filter(node => node.getBoundingClientRect().right > innerWidth + 1
    && !scrolls(node)).map(node => node.outerHTML.slice(0, 100)).slice(0, 3).concat('wide');
}"""


def test_every_page_from_a_folder_fits_a_phone_and_loads_its_own_files_within_its_budget(visit, site, names):
    page = visit((site / "index.html").as_uri(), width=380)
    wide, heavy, broken = {}, {}, {}
    for name in names:
        page.noted.asked.clear()
        page.goto((site / name).as_uri())
        if found := page.evaluate(WIDE):
            wide[name] = found
        pictures = page.evaluate("[...document.images].map(each => each.src)")
        loaded = {path_of(address) for address in [*page.noted.asked, *pictures] if address.startswith("file:")}
        if missing := sorted(str(path) for path in loaded if not path.is_file() or not path.is_relative_to(site)):
            broken[name] = missing
        bytes_ = sum(path.stat().st_size for path in loaded if path.is_file())
        budget = next((most for begin, most in BUDGETS.items() if name.startswith(begin)), None)
        if budget is not None and bytes_ > budget:
            heavy[name] = bytes_
        assert {urlsplit(address).scheme for address in page.noted.asked} <= {"file", "data", "blob"}
        assert page.noted.complaints == [], name
    assert wide == {}
    assert broken == {}
    assert heavy == {}


def path_of(address):
    return Path(url2pathname(unquote(urlsplit(address).path)))


@pytest.mark.parametrize("name", KINDS)
def test_a_page_from_a_server_asks_it_alone(visit, served, name):
    page = visit(served + name)
    assert page.locator("main").count() == page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.title() != ""


def test_the_keyboard_reaches_the_content_and_the_theme_which_stays(page, served):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.locator("#theme").focus()
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("Enter")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert after != before
    page.goto(f"{served}glossary.html")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == after
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        if reached[-1] == "theme":
            break
    assert reached[-1] == "theme"


def test_everything_is_readable_without_scripts(visit, served):
    page = visit(served, java_script_enabled=False)
    assert page.locator("main a[href^='lessons/']").count() >= 45
    assert page.locator("#theme").is_visible() is False
    page.goto(f"{served}lessons/01_01.html")
    assert page.locator("main pre").count() > 5


def test_a_strict_policy_for_scripts_and_styles_would_hold(browser, served):
    """No script and no style stands in a page itself, so a server may forbid them."""
    policy = "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; base-uri 'none'"
    context = browser.new_context()
    said = []
    context.route("**/*.html", lambda route: answer(route, policy))
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{page.url}: {message.text}") if "Policy" in message.text else None)
    for name in KINDS:
        page.goto(served + name)
    context.close()
    assert said == []


def answer(route, policy):
    response = route.fetch()
    route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})


@pytest.mark.parametrize("name", ["lessons/01_02.html", "articles/02_chunking_is_the_index.html"])
def test_a_page_on_paper_has_its_pictures_and_no_menu(visit, served, name):
    page = visit(served + name)
    page.emulate_media(media="print")
    assert page.locator("header.bar").is_visible() is False
    assert page.pdf().startswith(b"%PDF")
    page.wait_for_function("[...document.images].every(each => each.complete && each.naturalWidth > 0)")
    assert page.evaluate("[...document.images].filter(each => !each.closest('details')).every(e => e.offsetWidth > 0)")
    assert page.evaluate("document.images.length") > 0


def test_a_page_that_is_not_there_is_told_in_the_dress_of_the_site_at_any_depth(browser, served):
    page = browser.new_page()
    response = page.goto(f"{served}no/such/page.html")
    assert response.status == 404
    assert page.locator("h1").inner_text() == "There is no such page"
    assert page.evaluate("getComputedStyle(document.querySelector('.skip')).position") == "absolute"  # it has its style
    page.locator("main a").first.click()
    assert page.url == f"{served}index.html"
    page.close()


def test_a_page_that_asks_another_host_is_told(visit, served):
    page = visit(served)
    page.context.route("http://elsewhere.invalid/**", lambda route: route.fulfill(body=""))
    page.evaluate("() => { new Image().src = 'http://elsewhere.invalid/pixel.gif' }")
    page.wait_for_timeout(200)
    assert page.noted.asked[-1] == "http://elsewhere.invalid/pixel.gif"
    page.noted.asked.clear()
