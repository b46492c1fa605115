"""A box is dragged over a picture of two garments, and the answer follows it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.test_journeys import PATIENCE, go, settled
from tests.ui.classify.test_crop_box import T_SHIRT, TROUSERS, garments, saved


def bring(page: Page, name: str) -> None:
    """Upload a picture of a T-shirt, and to the right of it trousers."""
    data = saved(garments(T_SHIRT, TROUSERS, scale=8), "JPEG", quality=90)
    page.locator('input[type="file"]').set_input_files(
        [{"name": name, "mimeType": "image/jpeg", "buffer": data}]
    )
    expect(below(page)).to_contain_text(name, timeout=PATIENCE)
    expect(headline(page)).to_be_visible(timeout=PATIENCE)
    settled(page)


def headline(page: Page):
    return page.locator(".classify-answer h2")


def below(page: Page):
    """What stands below the picture: its name, what to do, and the button for the whole of it."""
    return page.locator(".st-key-classify_crop .below")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag with the mouse, in shares of the picture's width and height."""
    stage = page.locator(".st-key-classify_crop .stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()


def test_the_answer_follows_a_box_dragged_over_two_garments(page, bare_server):
    go(page, bare_server, "Classify?mode=upload")
    bring(page, "both.jpg")
    several = page.get_by_text("There seem to be several items")
    expect(several).to_be_visible(timeout=PATIENCE)

    drag(page, (0.01, 0.02), (0.49, 0.98))
    expect(headline(page)).to_have_text("T-shirt/top", timeout=PATIENCE)
    expect(several).to_have_count(0, timeout=PATIENCE)
    drag(page, (0.2, 0.5), (0.71, 0.5))  # from inside the box: it is moved
    expect(headline(page)).to_have_text("Trouser", timeout=PATIENCE)
    settled(page)

    page.mouse.wheel(0, -2000)
    drag(page, (0.02, 0.03), (0.02, 0.03))  # a click beside it
    expect(below(page)).to_contain_text("too small to classify")
    expect(headline(page)).to_have_text("Trouser")
    page.get_by_text("Trim to the garment").click()
    expect(page.locator(".classify-steps").get_by_text("Trim")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".classify-steps").get_by_text("Crop")).to_be_visible()
    settled(page)

    page.get_by_role("button", name="Whole picture").click()
    expect(several).to_be_visible(timeout=PATIENCE)
    expect(below(page)).to_contain_text("Drag a box")
    settled(page)


def test_arrow_keys_make_a_box_and_another_picture_begins_without_one(page, bare_server):
    go(page, bare_server, "Classify?mode=upload")
    bring(page, "both.jpg")
    stage = page.locator(".st-key-classify_crop .stage")
    stage.focus()
    for _ in range(3):
        stage.press("ArrowRight")
    expect(page.locator(".classify-steps").get_by_text("Crop")).to_be_visible(timeout=PATIENCE)
    stage.press("Delete")
    expect(page.locator(".classify-steps").get_by_text("Crop")).to_have_count(0, timeout=PATIENCE)
    stage.press("ArrowLeft")
    expect(page.locator(".classify-steps").get_by_text("Crop")).to_be_visible(timeout=PATIENCE)
    page.get_by_test_id("stFileChipDeleteBtn").first.click()
    expect(below(page)).to_have_count(0, timeout=PATIENCE)
    bring(page, "next.jpg")
    expect(page.locator(".classify-steps").get_by_text("Crop")).to_have_count(0)
    expect(below(page)).to_contain_text("Drag a box")
