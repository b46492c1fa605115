"""Looking inside a network with a mouse: a drawing is followed through a layer into one of its
maps, and on, step by step.
"""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.test_journeys import PATIENCE, T_SHIRT, draw, go, settled


def test_a_feature_map_of_a_drawing_is_clicked_and_followed_step_by_step(page, bare_server):
    go(page, bare_server, "Network?view=maps")
    expect(page.get_by_text("Choose a picture first").first).to_be_visible(timeout=PATIENCE)
    draw(page, T_SHIRT)
    expect(page.locator(".classify-answer h3")).to_have_text("T-shirt/top", timeout=PATIENCE)

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
    expect(page.locator(".network-walk td")).to_have_count(9, timeout=PATIENCE)
    before = page.locator(".network-walk section").inner_text()
    page.locator(".st-key-network_step_convolution_next button").first.click()
    expect(page.locator(".network-walk section")).not_to_have_text(before, timeout=PATIENCE)
    settled(page)
