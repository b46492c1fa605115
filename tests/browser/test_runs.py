"""What can be done with a run in the list of Train, clicked in a hurry, and how it is undone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from core import runs
from tests.browser.test_journeys import PATIENCE, go, press, settled
from tests.fixtures import SPEC, finished_run


@pytest.fixture
def own(server, monkeypatch):
    """The server's run library, emptied afterwards."""
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    made: list[str] = []

    def make(name: str, accuracy: float = 0.8) -> str:
        made.append(finished_run(SPEC.replace(name=name), scores=scores(accuracy)))
        return made[-1]

    yield make
    runs.restore_champion(None)
    for run_id in made:
        if run_id in {run.id for run in runs.list_runs()}:
            runs.delete(run_id)


def scores(accuracy: float) -> dict[str, float]:
    return {"test_accuracy": accuracy, "test_loss": 0.5, "test_loss_uncalibrated": 0.5}


def present() -> set[str]:
    return {run.id for run in runs.list_runs() if not run.shipped}


def impatiently(page: Page, key: str, times: int) -> None:
    """Click several times at the same spot, whatever lies there by then."""
    button = page.locator(f".st-key-{key} button").first
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    for _ in range(times):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(400)
    settled(page)


def open_list(page: Page) -> None:
    page.locator(".st-key-train_runs summary").click()
    page.wait_for_timeout(500)  # it unfolds
    settled(page)


def choose(page: Page, name: str) -> None:
    """Choose a run in the list by its name."""
    selector = page.locator(".st-key-train_managed input")
    selector.click()
    selector.fill(name)
    page.get_by_role("option", name=name).first.click()
    settled(page)


def test_impatient_clicks_delete_one_run_and_undo_brings_it_back(page, server, own):
    ids = [own(f"kept {number}") for number in range(4)]
    go(page, server, f"Train?run={ids[1]}")
    open_list(page)
    impatiently(page, f"train_delete_{ids[1]}", 3)
    assert set(ids) - present() == {ids[1]}
    expect(page.get_by_text("was moved to the bin")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Undo").last.click()
    page.wait_for_url(f"**run={ids[1]}*", timeout=PATIENCE)
    settled(page)
    assert set(ids) <= present()


def test_opening_twice_promotes_nothing(page, server, own):
    weak = own("rate of 10", 0.1)
    champion = runs.champion().id
    other = own("other")
    go(page, server, f"Train?run={other}")
    open_list(page)
    choose(page, "rate of 10")
    impatiently(page, f"train_open_{weak}", 2)
    assert f"run={weak}" in page.url and runs.champion().id == champion


def test_a_weaker_champion_is_a_question_and_a_choice_that_can_be_undone(page, server, own):
    weak = own("weak", 0.1)
    before = runs.champion().id
    go(page, server, f"Train?run={weak}")
    open_list(page)
    press(page, f"train_promote_{weak}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("10.00 %", timeout=PATIENCE)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0, timeout=PATIENCE)
    assert runs.champion().id == before
    press(page, f"train_promote_{weak}")
    dialog.get_by_role("button", name="all the same").click()
    expect(page.get_by_text("weak is the champion now")).to_be_visible(timeout=PATIENCE)
    assert runs.champion().id == weak
    page.get_by_role("button", name="Undo").last.click()
    expect(page.get_by_text("weak is the champion now")).to_have_count(0, timeout=PATIENCE)
    settled(page)
    assert runs.champion().id == before


def test_the_bin_restores_and_is_emptied_only_after_a_question(page, server, own):
    kept, gone = own("kept"), own("gone")
    runs.delete(kept)
    runs.delete(gone)
    go(page, server, "Train?new=1")
    page.locator(".st-key-train_bin summary").click()
    press(page, f"train_restore_{kept}")
    expect(page.locator(f".st-key-train_restore_{kept}")).to_have_count(0, timeout=PATIENCE)
    assert kept in present() and gone not in present()
    press(page, "train_empty_bin")
    dialog = page.get_by_role("dialog").filter(has_text="for good")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.locator(".st-key-train_bin")).to_have_count(0, timeout=PATIENCE)
    assert not runs.bin.contains(gone)


def test_a_row_of_the_list_is_chosen_by_a_click(page, server, own):
    own("first")
    run_id = own("second")
    go(page, server, f"Train?run={run_id}")
    open_list(page)
    page.locator(".st-key-train_managed svg").first.click()
    expect(page.locator(f".st-key-train_open_{run_id}")).to_have_count(0, timeout=PATIENCE)
    table = page.locator(".st-key-train_runs [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 12, box["y"] + 35 + 17)  # the box before the newest run
    expect(page.locator(f".st-key-train_open_{run_id}")).to_be_visible(timeout=PATIENCE)
