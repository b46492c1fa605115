"""A sweep with a mouse: three short trainings are begun, the first one's point appears, a stop in
the middle keeps it, and it is found again after a reload.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core.experiments import records
from tests.browser.test_journeys import PATIENCE, go, press, settled
from tests.conftest import REAL_DATA


def choose(page, key: str, text: str) -> None:
    """Type into a selector and take what it offers."""
    box = page.locator(f".st-key-{key} input").first
    box.click()
    box.fill(text)
    page.get_by_role("option", name=text, exact=True).first.click()
    settled(page)


def test_a_sweep_is_begun_stopped_in_the_middle_and_found_again(page, bare_server):
    go(page, bare_server, "Experiments")
    press(page, "frame_sample")
    expect(page.get_by_text("Your own")).to_be_visible(timeout=PATIENCE)
    settled(page)
    choose(page, "experiments_sweep_base", "Project MLP")
    choose(page, "experiments_setting_1", "Epochs")
    values = page.locator(".st-key-experiments_values_1_epochs input")
    values.fill("2, 300, 400")
    values.press("Enter")
    expect(page.get_by_text("3 trainings")).to_be_visible(timeout=PATIENCE)
    settled(page)

    press(page, "experiments_sweep_start")
    page.wait_for_url(re.compile(r"experiment="), timeout=PATIENCE)
    expect(
        page.get_by_text("0 of 3 done").or_(page.get_by_text("1 of 3 done")).first
    ).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"1 of 3 done · .*Epoch \d+ of 300"))).to_be_visible(
        timeout=PATIENCE
    )
    expect(page.get_by_text("Best so far: epochs 2")).to_be_visible(timeout=PATIENCE)

    press(page, "experiments_stop")
    # A button with help is there twice, for mouse and for touch.
    go_on = page.locator(".st-key-experiments_go_on button").first
    expect(go_on).to_be_visible(timeout=PATIENCE)
    settled(page)
    page.reload()
    expect(go_on).to_contain_text("Train the remaining 2", timeout=PATIENCE)
    expect(page.get_by_text("Best so far: epochs 2")).to_be_visible(timeout=PATIENCE)
    settled(page)

    press(page, "experiments_best")
    page.wait_for_url(re.compile(r"/Train"), timeout=PATIENCE)
    expect(page.locator(".st-key-train_epochs input")).to_have_value("2", timeout=PATIENCE)


def test_a_published_sweep_is_asked_about_before_it_starts(page, server, monkeypatch):
    if not REAL_DATA:
        pytest.skip("Published sweeps need the real data.")
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    before = records.record_ids()
    go(page, server, "Experiments")
    page.locator("[class*=st-key-experiments_report_] button").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("trainings", timeout=PATIENCE)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE)
    settled(page)
    assert records.record_ids() == before
