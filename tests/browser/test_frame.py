"""What every page has in common: the menu, the size of the text, where the first control is."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.test_journeys import PATIENCE, T_SHIRT, draw, go, settled
from tests.conftest import REAL_DATA

PAGES = ("", "Classify", "Train", "Misclassified", "Confusion_matrix", "Experiments", "Network")
FIRST_CONTROL = """() => Math.min(...[...document.querySelectorAll(
  '[data-testid=stMain] :is(button, input, canvas, [role=slider])')]
  .map((control) => control.getBoundingClientRect())
  .filter((box) => box.width > 8 && box.height > 8 && box.top > 0).map((box) => box.top))"""


@pytest.mark.parametrize("path", PAGES)
def test_the_first_control_is_near_the_top_and_the_console_is_quiet(page, server, path):
    page.set_viewport_size({"width": 1400, "height": 900})
    warnings = []
    page.on(
        "console",
        lambda line: warnings.append(line.text) if "FontWeight" in line.text else None,
    )
    go(page, server, path)
    page.wait_for_function(f"() => ({FIRST_CONTROL})() <= 160", timeout=PATIENCE)
    heading = page.locator("h1").bounding_box()
    assert heading["y"] >= 0
    assert warnings == []


def test_the_menu_closes_on_a_phone_once_a_page_is_chosen(chromium, server):
    context = chromium.new_context(
        viewport={"width": 420, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    go(page, server)
    menu = page.locator('[data-testid="stSidebar"]')
    for name in ("Train", "Network"):
        page.locator('[data-testid="stExpandSidebarButton"]').tap()
        expect(menu).to_have_attribute("data-collapsed", "false", timeout=PATIENCE)
        menu.get_by_role("link", name=name).tap()
        expect(page.locator("h1")).to_contain_text(name, timeout=PATIENCE)
        settled(page)
        expect(menu).to_have_attribute("data-collapsed", "true", timeout=PATIENCE)
    context.close()


def test_bigger_text_stays_over_pages_and_reloads(page, server):
    size = "() => getComputedStyle(document.documentElement).fontSize"
    go(page, server)
    page.locator('[data-testid="stSidebar"]').get_by_text("Bigger text").click()
    page.wait_for_url("**text=bigger*", timeout=PATIENCE)
    page.wait_for_function(f"() => ({size})() === '20px'", timeout=PATIENCE)
    page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Train").click()
    page.wait_for_url("**/Train?text=bigger*", timeout=PATIENCE)
    page.reload()
    page.wait_for_function(f"() => ({size})() === '20px'", timeout=PATIENCE)
    settled(page)
    page.locator('[data-testid="stSidebar"]').get_by_text("Bigger text").click()
    page.wait_for_function(f"() => ({size})() === '16px'", timeout=PATIENCE)
    assert "text=" not in page.url


@pytest.mark.parametrize("width", [420, 820, 1024, 1400])
def test_the_answer_is_in_view_while_one_draws_on_home_and_the_sheet_stays_where_it_is(
    page, server, width
):
    page.set_viewport_size({"width": width, "height": 800})
    go(page, server)
    sheet = page.locator(".st-key-classify_sheet canvas").last
    before = sheet.bounding_box()
    draw(page, T_SHIRT)
    headline = page.locator(".classify-answer h2")
    expect(headline).not_to_have_text("Nothing yet", timeout=PATIENCE)
    settled(page)
    after, answer = sheet.bounding_box(), headline.bounding_box()
    assert answer["y"] >= 0 and answer["y"] + answer["height"] < 800
    if width < 1180:
        assert answer["y"] < after["y"]
        expect(page.locator(".classify-below")).to_be_visible()
    assert abs(after["y"] - before["y"]) <= 1


def test_a_drawing_from_home_is_on_classify(page, server):
    go(page, server)
    draw(page, T_SHIRT)
    headline = page.locator(".classify-answer h2")
    expect(headline).not_to_have_text("Nothing yet", timeout=PATIENCE)
    said = headline.inner_text()
    page.locator('[data-testid="stSidebar"]').get_by_role("link", name="Classify").click()
    expect(page.locator("h1")).to_contain_text("Classify", timeout=PATIENCE)
    settled(page)
    expect(headline).to_have_text(said, timeout=PATIENCE)


def test_a_picture_on_home_is_classified(page, server):
    if not REAL_DATA:
        pytest.skip("without data Home has no pictures")
    go(page, server, "")
    link = page.locator(".st-key-home_gallery a").first
    number = link.get_attribute("data-index")
    link.click()
    page.wait_for_url(f"**/Classify?mode=test&picture={number}*", timeout=PATIENCE)
    expect(page.get_by_text(f"Test picture {int(number):,}.")).to_be_visible(timeout=PATIENCE)
    page.go_back()
    expect(page.locator(".st-key-home_gallery a").first).to_be_visible(timeout=PATIENCE)
