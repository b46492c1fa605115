"""Looking inside a network with a mouse: a drawing is followed through a layer into one of its
maps, and on, step by step.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core import runs
from core.data import fashion_mnist
from tests.browser.test_journeys import PATIENCE, T_SHIRT, draw, go, press, settled
from tests.browser.test_matrix import swipe_up
from tests.fixtures import finished_run, predictions


def test_a_feature_map_of_a_drawing_is_clicked_and_followed_step_by_step(page, bare_server):
    go(page, bare_server, "Network?view=maps")
    expect(page.get_by_text("Choose a picture first").first).to_be_visible(timeout=PATIENCE)
    draw(page, T_SHIRT)
    expect(page.locator(".classify-answer h2")).to_have_text("T-shirt/top", timeout=PATIENCE)

    page.locator(".st-key-network_overview a", has_text="conv_1").first.click()
    page.wait_for_url(re.compile(r"layer=conv_1"), timeout=PATIENCE)
    maps = page.locator(".st-key-network_maps a")
    expect(maps).to_have_count(16, timeout=PATIENCE)
    settled(page)

    maps.nth(4).click()
    page.wait_for_url(re.compile(r"channel=4"), timeout=PATIENCE)
    expect(page.get_by_role("heading", name="conv_1, map 4")).to_be_visible(timeout=PATIENCE)
    page.locator(".st-key-network_follow button").first.click()
    page.wait_for_url(re.compile(r"filter=4"), timeout=PATIENCE)
    expect(page.locator(".st-key-network_walk_convolution td")).to_have_count(9, timeout=PATIENCE)
    settled(page)


def box(page, layer: str):
    return page.locator(f".st-key-network_diagram a[data-layer='{layer}']")


def test_a_box_of_the_drawn_network_opens_by_mouse_and_back_returns(page, bare_server):
    go(page, bare_server, "Network?source=draw")
    expect(page.locator(".st-key-network_diagram .skip")).to_have_count(4)
    draw(page, T_SHIRT)
    expect(box(page, "conv_3").locator("img")).to_be_visible(timeout=PATIENCE)
    box(page, "add_3").click()
    page.wait_for_url(re.compile(r"view=maps.*layer=add_3"), timeout=PATIENCE)
    expect(page.locator(".st-key-network_maps a")).to_have_count(64, timeout=PATIENCE)
    page.go_back()
    expect(box(page, "add_3")).to_be_visible(timeout=PATIENCE)
    settled(page)


def test_arrow_keys_walk_through_the_drawn_network(page, bare_server):
    go(page, bare_server, "Network?source=draw")
    box(page, "picture").focus()
    page.keyboard.press("ArrowRight")
    expect(box(page, "conv_1")).to_be_focused()
    expect(box(page, "conv_1")).to_have_attribute("tabindex", "0")
    expect(box(page, "picture")).to_have_attribute("tabindex", "-1")
    page.keyboard.press("End")
    expect(box(page, "probabilities")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"view=maps.*layer=probabilities"), timeout=PATIENCE)
    settled(page)


def test_on_a_phone_a_wide_block_scrolls_by_itself_and_a_tap_opens_a_box(chromium, bare_server):
    context = chromium.new_context(
        viewport={"width": 420, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    go(page, bare_server, "Network?source=draw")
    overflows = "main => main.scrollWidth - main.clientWidth"
    assert page.get_by_test_id("stMain").evaluate(overflows) == 0
    small = page.locator(".st-key-network_diagram a").evaluate_all(
        "links => links.filter((link) => Math.min(link.offsetWidth, link.offsetHeight) < 32).length"
    )
    assert small == 0
    box(page, "conv_8").scroll_into_view_if_needed()
    box(page, "conv_8").tap()
    page.wait_for_url(re.compile(r"view=maps.*layer=conv_8"), timeout=PATIENCE)
    settled(page)
    context.close()


def test_choosing_a_view_folds_picture_and_answer_and_the_drawing_goes_on(page, bare_server):
    go(page, bare_server, "Network?source=draw")
    draw(page, T_SHIRT)
    headline = page.locator(".classify-answer h2")
    expect(headline).to_have_text("T-shirt/top", timeout=PATIENCE)
    page.get_by_role("radio", name="Filters").click()
    page.wait_for_url(re.compile("view=filters"), timeout=PATIENCE)
    line = page.locator(".network-line")
    expect(line).to_contain_text("The network: T-shirt/top", timeout=PATIENCE)
    expect(headline).to_be_hidden()
    assert page.locator(".st-key-network_line").bounding_box()["height"] < 80
    press(page, "network_fold")
    expect(headline).to_be_visible(timeout=PATIENCE)
    expect(line).to_have_count(0)
    settled(page)
    bars = page.locator(".classify-answer .atelier-bars")
    before = bars.inner_text()
    draw(page, [(130, 200), (190, 240)])
    expect(bars).not_to_have_text(before, timeout=PATIENCE)
    settled(page)


@pytest.fixture
def walk(page, bare_server):
    """The walk of a hand-designed filter over a drawing."""
    go(page, bare_server, "Network?source=draw&view=steps&filter=vertical-edges")
    draw(page, T_SHIRT)
    found = page.locator(".st-key-network_walk_convolution")
    expect(found.locator("td")).to_have_count(9, timeout=PATIENCE)
    settled(page)
    return found


def test_a_walk_plays_to_its_end_and_only_when_it_is_asked_to(page, walk):
    page.emulate_media(reduced_motion="reduce")
    place, slider = walk.locator("output"), walk.get_by_role("slider", name="Step")
    begun = place.inner_text()
    slider.evaluate("input => { input.value = 780; input.dispatchEvent(new Event('input')); }")
    expect(place).to_have_text("Row 28, column 24")
    assert begun != "Row 28, column 24"
    walk.get_by_role("button", name="Play").click()
    expect(place).to_have_text("Row 28, column 28")
    expect(walk.get_by_role("button", name="Play")).to_be_visible()
    walk.get_by_role("button", name="Play").click()
    walk.get_by_role("button", name="Pause").click()
    expect(place).to_have_text(re.compile("Row 1, "))


def test_pointing_at_a_pixel_previews_its_step_and_a_click_chooses_it(page, walk):
    place, frame = walk.locator("output"), walk.locator(".output div")
    before = place.inner_text()
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    middle = [box["x"] + box["width"] * 4.5 / 28, box["y"] + box["height"] * 9.5 / 28]
    page.mouse.move(*middle)
    expect(place).to_have_text("Row 10, column 5")
    page.mouse.move(box["x"] + 10, box["y"] - 30)
    expect(place).to_have_text(before)
    page.mouse.click(*middle)
    page.mouse.move(box["x"] + 10, box["y"] - 30)
    expect(place).to_have_text("Row 10, column 5")
    walk.get_by_role("button", name="Row down").click()
    expect(place).to_have_text("Row 11, column 5")
    walk.get_by_role("slider", name="Step").press("ArrowRight")
    expect(place).to_have_text("Row 11, column 6")


def test_the_sum_is_that_of_the_products(page, walk):
    walk.get_by_role("button", name="Row down").click()
    products = [
        float(text.split("\n")[-1].replace("−", "-"))
        for text in walk.locator("td").all_inner_texts()
    ]
    shown = float(walk.locator("p b").first.inner_text().replace("−", "-"))
    assert abs(sum(products) - shown) < 0.06 and any(products)


def test_a_tap_on_the_picture_moves_the_window_there(chromium, bare_server):
    context = chromium.new_context(
        viewport={"width": 420, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    go(page, bare_server, "Network?source=draw&view=steps&op=pooling")
    draw(page, T_SHIRT)
    frame = page.locator(".st-key-network_walk_pooling .input div")
    expect(frame).to_be_visible(timeout=PATIENCE)
    settled(page)
    # At the lower end of the window, so that there is page left to scroll.
    frame.evaluate("frame => frame.scrollIntoView({ block: 'end' })")
    box = frame.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 20.5 / 28, box["y"] + box["height"] * 4.5 / 28)
    place = page.locator(".st-key-network_walk_pooling output")
    expect(place).to_have_text("Row 3, column 11")
    before = page.get_by_test_id("stMain").evaluate("main => main.scrollTop")
    swipe_up(page, int(box["x"] + 60), int(box["y"] + 60))
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMain]').scrollTop > before", arg=before
    )
    expect(place).to_have_text("Row 3, column 11")
    context.close()


@pytest.fixture
def mapped(server, monkeypatch) -> str:
    """The address of a map of the offline sample, by the network that is included."""
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    data, shipped = fashion_mnist.load("offline-sample"), runs.read(runs.SHIPPED)
    run_id = finished_run(
        shipped.spec.replace(name="mapped", data="offline-sample"),
        predictions(data.test_labels),
        data.test_labels,
        data=data,
        network=runs.onnx_bytes(runs.SHIPPED),
    )
    return f"Network?run={run_id}&picture=0&view=map"


def place_of(page, number: int) -> tuple[float, float]:
    """Where a point lies in the window, by the rule that the canvas draws by."""
    spot = page.locator(".st-key-network_points canvas").evaluate(
        """(canvas, number) => {
          const { x, y } = canvas.getBoundingClientRect();
          const [left, top] = canvas.places[number];
          return [x + left, y + top];
        }""",
        number,
    )
    return spot[0], spot[1]


def test_pointing_at_the_map_shows_a_picture_and_a_click_opens_it(page, server, mapped):
    go(page, server, mapped)
    canvas = page.locator(".st-key-network_points canvas")
    expect(canvas).to_have_attribute("data-points", re.compile("[0-9]{3,4}"), timeout=PATIENCE)
    canvas.scroll_into_view_if_needed()
    tip = page.locator(".st-key-network_points .tip")
    expect(tip).to_be_hidden()
    page.mouse.move(*place_of(page, 5))
    expect(tip).to_be_visible()
    expect(tip.locator("i")).to_have_css("background-image", re.compile("^url"))
    page.mouse.click(*place_of(page, 5))
    page.wait_for_url(re.compile("picture=[1-9]"), timeout=PATIENCE)
    settled(page)
    page.go_back()
    page.wait_for_url(re.compile("picture=0"), timeout=PATIENCE)
    settled(page)


def test_arrow_keys_walk_over_the_map_and_names_hide_points(page, server, mapped):
    go(page, server, mapped)
    canvas = page.locator(".st-key-network_points canvas")
    expect(canvas).to_have_attribute("data-points", re.compile("[0-9]{3,4}"), timeout=PATIENCE)
    every = int(canvas.get_attribute("data-points"))
    page.locator(".st-key-network_points .legend button", has_text="Bag").click()
    fewer = int(canvas.get_attribute("data-points"))
    assert 0 < fewer < every
    page.get_by_role("button", name="Zoom in").click()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    tip = page.locator(".st-key-network_points .tip")
    expect(tip).to_be_visible()
    expect(tip).not_to_contain_text("Bag")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("picture=[1-9]"), timeout=PATIENCE)
    settled(page)
    assert int(canvas.get_attribute("data-points")) == fewer


def test_a_swipe_on_the_map_scrolls_and_a_tap_opens_a_picture(chromium, server, mapped):
    context = chromium.new_context(
        viewport={"width": 420, "height": 800}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    go(page, server, mapped)
    canvas = page.locator(".st-key-network_points canvas")
    expect(canvas).to_have_attribute("data-points", re.compile("[0-9]{3,4}"), timeout=PATIENCE)
    canvas.evaluate("canvas => canvas.scrollIntoView({ block: 'center' })")
    box = canvas.bounding_box()
    main = page.get_by_test_id("stMain")
    before = main.evaluate("main => main.scrollTop")
    swipe_up(page, int(box["x"] + 150), int(box["y"] + 250))
    page.wait_for_function(
        "before => document.querySelector('[data-testid=stMain]').scrollTop > before", arg=before
    )
    stands = """() => {
      const was = window.stood;
      window.stood = document.querySelector("[data-testid=stMain]").scrollTop;
      return was === window.stood;
    }"""
    page.wait_for_function(stands, polling=200)
    page.touchscreen.tap(*place_of(page, 5))
    page.wait_for_url(re.compile("picture=[1-9]"), timeout=PATIENCE)
    settled(page)
    context.close()
