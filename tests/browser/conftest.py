"""What the tests in a browser share: a headless Chromium, the whole site, and pages that note what they ask for.

They are skipped where Playwright or Chromium is missing. `CHROMIUM` names a program of your own.
"""

import os
import shutil
import threading
import time
from types import SimpleNamespace

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
LIMIT = 20_000  # milliseconds for a page or an act on it: what hangs is a failure, not a wait
MEASURED = []


def pytest_terminal_summary(terminalreporter):
    """Say how long the site took: it is measured, not judged."""
    for each in MEASURED:
        terminalreporter.write_line(each)


def pytest_addoption(parser):
    parser.addoption("--every-page", action="store_true", help="ask axe about every page of the site: minutes")


def pytest_collection_modifyitems(items):
    """Mark what is in this folder."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


# By module, as Playwright keeps an event loop in this thread while it runs, which would be in the way of other tests.
@pytest.fixture(scope="module")
def browser():
    """A headless Chromium: the system's, or the one that Playwright has fetched."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no browser to ask")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with playwright.sync_playwright() as driver:
        if found is None and not os.path.exists(driver.chromium.executable_path):
            pytest.skip("no Chromium is installed here, so the pages cannot be looked at")
        chromium = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"], timeout=3 * LIMIT
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the whole site, all lessons and articles, without a base address."""
    for module in ("jinja2", "markdown_it", "pygments"):
        pytest.importorskip(module, reason=f"the site needs the extra site; {module} is not installed")
    from tutorial_zarr.gallery.site import build

    out, begun = tmp_path_factory.mktemp("browser") / "site", time.perf_counter()
    pages = build(out)
    MEASURED.append(f"the site: {len(pages)} pages, built in {time.perf_counter() - begun:.1f} s")
    return out


@pytest.fixture(scope="session")
def served(site):
    """The address of the site on a server of this machine, with a slash at its end."""
    from tutorial_zarr.gallery.site import serve

    with serve.serving(site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield serve.url(server)
        server.shutdown()


@pytest.fixture
def visit(browser):
    """Open an address: `visit(address, scheme="light", width=1280, **context)` returns a page of Playwright.

    Its attribute `noted` has what it `asked` for, as addresses, and its `complaints`: errors of scripts, messages on
    the console that are errors or warnings, dialogs. At the end of the test there may be none, and every address that
    was asked for is of the same origin as the first.
    """
    opened = []

    def open_(address, scheme="light", width=1280, **options):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(LIMIT)
        page = context.new_page()
        page.noted = note(page)
        opened.append((context, page, origin(address)))
        page.goto(address, wait_until="load")
        return page

    yield open_
    for context, page, first in opened:
        assert page.noted.complaints == []
        assert [address for address in page.noted.asked if origin(address) not in (first, "data:", "blob:")] == []
        context.close()


@pytest.fixture
def page(visit, served):
    """The first page of the site, in the light theme, 1280 pixels wide."""
    return visit(served)


def note(page):
    """Note what a page asks for, and what it complains of, from now on."""
    noted = SimpleNamespace(asked=[], complaints=[])
    page.on("request", lambda request: noted.asked.append(request.url))
    page.on("pageerror", lambda error: noted.complaints.append(str(error)))
    page.on("dialog", lambda dialog: (noted.complaints.append("a dialog"), dialog.dismiss()))

    def failed(request):
        if "ERR_ABORTED" not in (request.failure or ""):  # that is: the page was left, or the file is downloaded
            noted.complaints.append(f"{request.url}: {request.failure}")

    def said(message):
        if message.type in ("error", "warning"):
            noted.complaints.append(message.text)

    page.on("requestfailed", failed)
    page.on("console", said)
    return noted


def origin(address):
    """The scheme and the host of an address; `file:`, `data:` and `blob:` by themselves."""
    scheme, _, rest = address.partition(":")
    return f"{scheme}:" if not rest.startswith("//") or scheme == "file" else f"{scheme}://{rest[2:].partition('/')[0]}"
