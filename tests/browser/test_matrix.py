"""The confusion matrix by mouse, keys and finger."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from core import runs
from core.data import fashion_mnist
from tests.browser.test_journeys import go, settled
from tests.conftest import REAL_DATA
from tests.fixtures import SPEC, finished_run, predictions


@pytest.fixture
def run(server, monkeypatch) -> str:
    """A finished run with known mistakes in the server's library."""
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    name = "offline-sample"
    if REAL_DATA:
        monkeypatch.setenv("ATELIER_DATA", os.path.abspath(REAL_DATA))
        name = "fashion-mnist"
    data = fashion_mnist.load(name)
    given = predictions(data.test_labels, {(6, 0): 5, (0, 6): 2, (2, 4): 3})
    spec = SPEC.replace(name="grid", data=name, epochs=2, validation="last")
    run_id = finished_run(spec, given, data.test_labels, data=data)
    indices, labels = np.arange(100, dtype=np.int32), data.train_labels[:100].astype(np.uint8)
    runs.write_arrays(run_id, "split.npz", indices=indices, labels=labels)
    for epoch, guesses in ((1, (labels + 1) % 10), (2, labels)):
        confidence = np.full(100, 0.9, np.float32)
        runs.write_arrays(
            run_id, f"epochs/{epoch:03d}.npz", prediction=guesses, confidence=confidence
        )
    return run_id


def cell(page: Page, truth: int, prediction: int):
    return page.locator(f".st-key-matrix_chart a[data-row='{truth}'][data-column='{prediction}']")


def swipe_up(page: Page, x: int, y: int) -> None:
    """Move a finger upwards from a point, without lifting it on the way."""
    touch = page.context.new_cdp_session(page)
    touch.send(
        "Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    )
    for way in range(10, 130, 10):
        points = [{"x": x, "y": y - way}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_back_returns_from_a_cell_to_the_cell_before(page, server, run):
    go(page, server, f"Confusion_matrix?run={run}&truth=6&prediction=0")
    cell(page, 2, 4).click()
    page.wait_for_url(re.compile("truth=2&prediction=4"))
    settled(page)
    cell(page, 0, 6).click()
    page.wait_for_url(re.compile("truth=0&prediction=6"))
    settled(page)
    page.go_back()
    page.wait_for_url(re.compile("truth=2&prediction=4"))
    expect(page.get_by_text("Pullover → Coat: 3").first).to_be_visible()
    page.go_back()
    page.wait_for_url(re.compile("truth=6&prediction=0"))


def test_arrow_keys_walk_and_enter_opens(page, server, run):
    go(page, server, f"Confusion_matrix?run={run}&truth=2&prediction=3")
    cell(page, 2, 3).focus()
    page.keyboard.press("ArrowRight")
    expect(cell(page, 2, 4)).to_be_focused()
    expect(cell(page, 2, 4)).to_have_attribute("aria-label", "Pullover mistaken for Coat: 3")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("truth=2&prediction=4"))
    page.keyboard.press("Home")
    expect(cell(page, 2, 0)).to_be_focused()


@pytest.mark.parametrize("width", [420, 820, 1280])
def test_one_tap_opens_a_square_cell_and_a_swipe_scrolls(chromium, server, run, width):
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    go(page, server, f"Confusion_matrix?run={run}&truth=6&prediction=0")
    target = cell(page, 2, 4)
    target.scroll_into_view_if_needed()
    # The grid takes its place in two steps: its columns are stacked once their style is there.
    page.wait_for_function(
        "cell => cell.getBoundingClientRect().width > 24", arg=target.element_handle()
    )
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert abs(box["width"] - box["height"]) < 1 and box["width"] > 24
    main = page.get_by_test_id("stMain")
    before = main.evaluate("element => element.scrollTop")
    swipe_up(page, int(box["x"] + 10), int(box["y"] + 10))
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMain]').scrollTop > before", arg=before
    )
    target.tap()
    page.wait_for_url(re.compile("truth=2&prediction=4"))
    link = page.locator(".st-key-matrix_jump button")
    if width < 1280:
        link.tap()
        expect(page.get_by_text("Pullover → Coat: 3").first).to_be_in_viewport()
    else:
        expect(link).to_be_hidden()
    context.close()


def test_order_and_scale_are_in_the_address(page, server, run):
    go(page, server, f"Confusion_matrix?run={run}&order=similarity&scale=log")
    names = page.locator(".st-key-matrix_chart .rowheader .full")
    expect(names).to_have_count(10)
    shown = names.all_text_contents()
    assert abs(shown.index("Shirt") - shown.index("T-shirt/top")) == 1
    assert abs(shown.index("Pullover") - shown.index("Coat")) == 1


def test_the_epochs_play_to_their_end_and_leave_one_entry(page, server, run):
    go(page, server, f"Confusion_matrix?run={run}&on=validation&epoch=1")
    length = page.evaluate("history.length")
    page.get_by_role("button", name="Play the epochs").click()
    expect(page.get_by_text("after epoch 2").first).to_be_visible()
    settled(page)
    assert page.evaluate("history.length") == length + 1
