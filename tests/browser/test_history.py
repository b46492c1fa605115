"""Where the window is scrolled to, what Back returns to, and the keys that walk along pictures."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, expect

from core import runs
from core.data import fashion_mnist
from tests.browser.test_journeys import PATIENCE, go, settled
from tests.browser.test_runs import choose, open_list
from tests.conftest import REAL_DATA
from tests.fixtures import SPEC, finished_run, predictions

GALLERY = ".st-key-mistakes_gallery a"


@pytest.fixture
def run(server, monkeypatch):
    """A finished run with 120 mistakes, three pages of them, in the server's library."""
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    name = "offline-sample"
    if REAL_DATA:
        monkeypatch.setenv("ATELIER_DATA", os.path.abspath(REAL_DATA))
        name = "fashion-mnist"
    data = fashion_mnist.load(name)
    given = predictions(data.test_labels, {(6, 0): 30, (0, 6): 30, (2, 4): 30, (4, 2): 30})
    run_id = finished_run(
        SPEC.replace(name="many mistakes", data=name), given, data.test_labels, data=data
    )
    yield run_id
    runs.delete(run_id)


@pytest.fixture
def low_page(chromium):
    """A visitor with a window in which most pages have to be scrolled."""
    context = chromium.new_context(viewport={"width": 1100, "height": 500})
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def scrolled(page: Page) -> float:
    return page.get_by_test_id("stMain").evaluate("element => element.scrollTop")


def wait_for_scroll(page: Page, condition: str, value: float = 0) -> None:
    page.wait_for_function(
        f"value => {{ const top = document.querySelector('[data-testid=stMain]').scrollTop; return {condition}; }}",
        arg=value,
        timeout=PATIENCE,
    )


def open_far_down(page: Page, server, run: str) -> tuple[float, int]:
    """Open a mistake near the end of the first page; where the list was, and its number."""
    go(page, server, f"Misclassified?run={run}")
    link = page.locator(GALLERY).nth(40)
    link.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # the last scroll event
    before = scrolled(page)
    assert before > 300
    number = int(link.get_attribute("data-index"))
    link.click()
    page.wait_for_url(f"**picture={number}*")
    settled(page)
    return before, number


def test_a_picture_opens_at_the_top_and_back_returns_to_its_place(low_page, server, run):
    before, _ = open_far_down(low_page, server, run)
    wait_for_scroll(low_page, "top === value")
    low_page.go_back()
    expect(low_page.locator(GALLERY).first).to_be_attached(timeout=PATIENCE)
    wait_for_scroll(low_page, "Math.abs(top - value) < 3", before)


def test_arrow_keys_walk_and_escape_returns_to_the_picture(low_page, server, run):
    before, number = open_far_down(low_page, server, run)
    expect(low_page.get_by_text("41 of 120")).to_be_visible()
    low_page.keyboard.press("ArrowRight")
    expect(low_page.get_by_text("42 of 120")).to_be_visible(timeout=PATIENCE)
    low_page.keyboard.press("ArrowLeft")
    expect(low_page.get_by_text("41 of 120")).to_be_visible(timeout=PATIENCE)
    settled(low_page)
    low_page.keyboard.press("Escape")
    link = low_page.locator(f"{GALLERY}[data-index='{number}']")
    expect(link).to_be_focused(timeout=PATIENCE)
    wait_for_scroll(low_page, "Math.abs(top - value) < 3", before)
    low_page.keyboard.press("ArrowRight")
    expect(low_page.locator(GALLERY).nth(41)).to_be_focused()


def test_the_next_page_begins_at_its_top_and_back_returns_to_the_end_of_the_first(
    low_page, server, run
):
    go(low_page, server, f"Misclassified?run={run}")
    expect(low_page.locator(GALLERY).nth(40)).to_be_attached(timeout=PATIENCE)
    below = low_page.locator(".st-key-mistakes_below")
    below.scroll_into_view_if_needed()
    low_page.wait_for_timeout(300)
    before = scrolled(low_page)
    assert before > 300
    below.get_by_role("button", name="Next page").click()
    expect(low_page.get_by_text("page 2 of 3")).to_be_visible(timeout=PATIENCE)
    wait_for_scroll(low_page, "top === value")
    low_page.wait_for_url("**page=2*", timeout=PATIENCE)
    # The one above is the same choice.
    low_page.locator(".st-key-mistakes_page").first.get_by_label("Page 3").click()
    low_page.wait_for_url("**page=3*", timeout=PATIENCE)
    settled(low_page)
    low_page.go_back()
    expect(low_page.get_by_text("page 2 of 3")).to_be_visible(timeout=PATIENCE)
    low_page.go_back()
    expect(low_page.get_by_text("page 1 of 3")).to_be_visible(timeout=PATIENCE)
    wait_for_scroll(low_page, "Math.abs(top - value) < 3", before)


def test_a_mistake_has_two_maps_and_leads_into_the_network(page, server, run):
    if not REAL_DATA:
        pytest.skip("the network's answers to the sample's pictures are not those of the run")
    go(page, server, f"Misclassified?run={run}")
    page.locator(GALLERY).first.click()
    expect(page.get_by_text("What speaks for")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("What made it say")).to_be_visible()
    page.get_by_role("link", name="Look inside the network with it").click()
    page.wait_for_url("**/Network?*view=maps*", timeout=PATIENCE)


def test_opening_a_run_from_the_end_of_the_list_begins_at_its_top(low_page, server, run):
    go(
        low_page, server, f"Misclassified?run={run}"
    )  # a new run in an address is looked for at once
    go(low_page, server, "Train?new=1")
    open_list(low_page)
    choose(low_page, "many mistakes")
    button = low_page.locator(f".st-key-train_open_{run} button:visible")
    button.scroll_into_view_if_needed()
    low_page.wait_for_timeout(300)
    assert scrolled(low_page) > 100
    button.click()
    low_page.wait_for_url(f"**run={run}*", timeout=PATIENCE)
    wait_for_scroll(low_page, "top === value")
