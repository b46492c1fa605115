"""Undo on the sheet, by button and by key, and nothing of the canvas's own beside our buttons."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journeys import PATIENCE, T_SHIRT, draw, go, settled

TOOLBARS = """() => [...document.querySelectorAll('.st-key-classify_sheet *')]
  .map((element) => element.shadowRoot?.querySelector('.dc-toolbar'))
  .filter((bar) => bar && bar.isConnected && getComputedStyle(bar).display !== 'none').length"""


def headline(page: Page):
    return page.locator(".classify-answer h2")


def press_button(page: Page, name: str) -> None:
    button = page.locator(".st-key-classify_sheet").get_by_role("button", name=name, exact=True)
    expect(button.last).to_be_enabled(timeout=PATIENCE)
    button.last.click()


def test_clear_is_undone_by_undo_and_by_ctrl_z(page, server):
    go(page, server, "Classify")
    draw(page, T_SHIRT)
    expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
    said = headline(page).inner_text()
    press_button(page, "Clear")
    expect(headline(page)).to_have_text("Nothing yet", timeout=PATIENCE)
    press_button(page, "Undo")
    expect(headline(page)).to_have_text(said, timeout=PATIENCE)
    press_button(page, "Clear")
    expect(headline(page)).to_have_text("Nothing yet", timeout=PATIENCE)
    button = page.locator(".st-key-classify_sheet").get_by_role("button", name="Undo", exact=True)
    expect(button.last).to_be_enabled(timeout=PATIENCE)
    page.keyboard.press("Control+z")
    expect(headline(page)).to_have_text(said, timeout=PATIENCE)


def test_ctrl_z_undoes_a_stroke_and_ctrl_y_draws_it_again(page, server):
    go(page, server, "Classify")
    draw(page, T_SHIRT)
    expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
    said = headline(page).inner_text()
    page.keyboard.press("Control+z")
    expect(headline(page)).to_have_text("Nothing yet", timeout=PATIENCE)
    page.keyboard.press("Control+y")
    expect(headline(page)).to_have_text(said, timeout=PATIENCE)


def test_after_clear_there_is_one_row_of_buttons_and_it_is_alive(page, server):
    go(page, server, "Classify")
    for _ in range(6):
        draw(page, T_SHIRT)
        expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
        page.wait_for_function(f"() => ({TOOLBARS})() === 0", timeout=PATIENCE)
        undo = page.locator(".st-key-classify_sheet").get_by_role("button", name="Undo", exact=True)
        expect(undo.last).to_be_enabled(timeout=PATIENCE)
        press_button(page, "Clear")
        expect(headline(page)).to_have_text("Nothing yet", timeout=PATIENCE)
        settled(page)


SLEEVE = [(40, 40), (60, 120), (120, 120)]


def undo_button(page: Page):
    return page.locator(".st-key-classify_sheet").get_by_role("button", name="Undo", exact=True)


def ink(page: Page) -> int:
    """How many pixels of the canvas itself are dark."""
    return page.evaluate(
        """() => {
          const roots = [...document.querySelectorAll('.st-key-classify_sheet *')].map((one) => one.shadowRoot);
          const canvas = roots.filter(Boolean).map((root) => root.querySelector('canvas.dc-canvas'))
            .filter((one) => one && one.isConnected).at(-1);
          if (!canvas) return -1;
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let dark = 0;
          for (let at = 0; at < pixels.length; at += 4) dark += pixels[at] < 128 && pixels[at + 3] > 127;
          return dark;
        }"""
    )


def has_ink(page: Page, dark: int, about: int = 2) -> None:
    """Wait until the canvas shows that much ink."""
    for _ in range(600):
        if abs(ink(page) - dark) <= about:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{ink(page)} dark pixels instead of {dark}")


def visit(page: Page, name: str) -> None:
    """Change the page as people do, within the session."""
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.locator("h1", has_text="Atelier" if name == "Home" else name)).to_be_visible(
        timeout=PATIENCE
    )
    settled(page)


def test_a_drawing_comes_back_with_its_undo_and_redo_after_a_change_of_page(page, server):
    go(page, server, "Classify")
    draw(page, T_SHIRT)
    expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
    said, shirt = headline(page).inner_text(), ink(page)
    draw(page, SLEEVE)
    expect(undo_button(page).last).to_be_enabled(timeout=PATIENCE)
    settled(page)
    both = ink(page)
    assert both > shirt
    for away, back in (("Train", "Classify"), ("Classify", "Home")):
        visit(page, away)
        visit(page, back)
        has_ink(page, both)
    expect(undo_button(page).last).to_be_enabled(timeout=PATIENCE)
    settled(page)
    press_button(page, "Undo")
    has_ink(page, shirt)
    expect(headline(page)).to_have_text(said, timeout=PATIENCE)
    press_button(page, "Undo")
    expect(headline(page)).to_have_text("Nothing yet", timeout=PATIENCE)
    has_ink(page, 0)
    visit(page, "Classify")
    press_button(page, "Redo")
    has_ink(page, shirt)
    page.keyboard.press("Control+y")
    has_ink(page, both)
    page.get_by_role("radio", name="Line").click()
    settled(page)
    page.keyboard.press("Control+z")
    has_ink(page, shirt)


def test_tools_and_undo_in_haste_leave_the_page_alive(page, server):
    go(page, server, "Classify")
    draw(page, T_SHIRT)
    expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
    shirt = ink(page)
    draw(page, SLEEVE)
    expect(undo_button(page).last).to_be_enabled(timeout=PATIENCE)
    settled(page)
    both = ink(page)
    visit(page, "Train")
    visit(page, "Classify")
    has_ink(page, both)
    for turn in range(8):
        for key, dark in (("Control+z", shirt), ("Control+y", both)):
            tool = "Line" if (turn + (key == "Control+y")) % 2 else "Pen"
            page.get_by_role("radio", name=tool).click()
            page.keyboard.press(key)  # before the page has run for the tool
            has_ink(page, dark)


def corners(page: Page, points: list[tuple[int, int]]) -> None:
    """Set corners with the polygon tool."""
    page.get_by_role("radio", name="Polygon").click()
    expect(page.get_by_text("Click each corner in turn")).to_be_visible(timeout=PATIENCE)
    settled(page)
    sheet = page.locator(".st-key-classify_sheet canvas").last
    box = sheet.bounding_box()
    for x, y in points:
        page.mouse.click(box["x"] + x, box["y"] + y)
    expect(page.get_by_text(f"{len(points)} corners set")).to_be_visible(timeout=PATIENCE)
    settled(page)


@pytest.mark.parametrize("then", ["tool", "width", "move", "page"])
def test_a_half_set_polygon_stays_as_lines(page, server, then):
    go(page, server, "Classify")
    draw(page, SLEEVE)
    expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
    settled(page)
    sleeve = ink(page)
    corners(page, [(100, 200), (200, 200), (200, 280)])
    if then == "tool":
        page.get_by_role("radio", name="Rectangle").click()
    elif then == "width":
        page.get_by_role("slider").first.press("ArrowRight")
    elif then == "move":
        press_button(page, "Move")
    else:
        visit(page, "Train")
        visit(page, "Classify")
    # Two sides of 100 and 80 pixels, 10 wide; the handles of the corners are gone.
    has_ink(page, sleeve + 10 * 180, about=300)
    settled(page)
    press_button(page, "Undo")
    has_ink(page, sleeve)
    press_button(page, "Redo")
    settled(page)
    press_button(page, "Undo")
    has_ink(page, sleeve)


def over_canvas(page: Page, name: str):
    return page.locator(f".st-key-classify_sheet .canvas-container img.{name}")


def test_an_open_place_is_marked_and_an_outline_can_be_traced(page, server):
    go(page, server, "Classify")
    draw(page, T_SHIRT[:-2])
    expect(headline(page)).not_to_have_text("Nothing yet", timeout=PATIENCE)
    expect(over_canvas(page, "gaps")).to_have_count(1, timeout=PATIENCE)
    expect(page.get_by_text("Orange: the outline is open there")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("combobox", name="Outline to trace").click()
    page.get_by_role("option", name="Sandal").click()
    expect(over_canvas(page, "outline")).to_have_count(1, timeout=PATIENCE)
    before = ink(page)
    draw(page, SLEEVE)  # what lies over the canvas is in no pen's way
    expect(undo_button(page).last).to_be_enabled(timeout=PATIENCE)
    settled(page)
    assert ink(page) > before
    press_button(page, "Clear")
    expect(over_canvas(page, "gaps")).to_have_count(0, timeout=PATIENCE)
    expect(over_canvas(page, "outline")).to_have_count(1)
