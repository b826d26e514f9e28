"""The whole site in a real browser: what every page has to keep, whichever module makes it."""


def test_the_first_page_opens_from_a_server_and_from_a_folder(visit, served, site):
    for address in (served, (site / "index.html").as_uri()):
        page = visit(address)
        assert page.title()
        assert page.locator("main").count() == 1
        assert page.noted.asked[0] == address


def test_a_page_that_asks_another_host_is_told(browser, visit, served):
    page = visit(served)
    page.context.route("http://elsewhere.invalid/**", lambda route: route.fulfill(body=""))
    page.evaluate("() => { new Image().src = 'http://elsewhere.invalid/pixel.gif' }")
    page.wait_for_timeout(200)
    assert page.noted.asked[-1] == "http://elsewhere.invalid/pixel.gif"
    page.noted.asked.clear()
