"""Stop is not the end: a stopped run is resumed, a finished one gets more epochs, and what left the
queue by mistake is put back.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from core import engine, runs
from core.specs.spec import TrainSpec
from tests.browser.test_journeys import PATIENCE, go, press
from tests.fixtures import until

LONG = TrainSpec(
    name="long", data="offline-sample", filters=(4,), dense_units=(8,), epochs=400, batch=50
)
SHORT = LONG.replace(name="short", epochs=1, schedule="cosine")


@pytest.fixture
def own_engine(server, monkeypatch):
    """The server's engine, with no jobs and no runs left behind."""
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    before = {run.id for run in runs.list_runs()}
    connection = engine.connect(timeout=60)
    yield connection
    for job in reversed(connection.jobs()):
        connection.stop(job.run_id)
    until(lambda: not connection.jobs())
    for run in runs.list_runs():
        if run.id not in before:
            runs.delete(run.id)


def learned(connection, run_id: str, epochs: int = 1) -> None:
    until(lambda: len(runs.history(run_id)) >= epochs)


def test_a_stopped_run_is_resumed_and_stopped_again(page, server, own_engine):
    run_id = own_engine.submit(LONG)
    learned(own_engine, run_id)
    go(page, server, f"Train?run={run_id}")
    press(page, "train_stop")
    expect(page.get_by_text("the best epoch so far was kept")).to_be_visible(timeout=PATIENCE)
    done = len(runs.history(run_id))

    press(page, "train_resume")
    stop = page.locator(".st-key-train_stop button:visible")
    expect(stop).to_have_count(1, timeout=PATIENCE)
    expect(stop).to_be_enabled(timeout=PATIENCE)
    learned(own_engine, run_id, done + 1)
    assert runs.read(run_id).status_text.startswith("interrupted after epoch")
    press(page, "train_stop")
    expect(page.locator(".st-key-train_resume button:visible")).to_be_visible(timeout=PATIENCE)
    assert runs.read(run_id).status is runs.Status.STOPPED


def test_more_epochs_are_a_copy_and_the_schedule_is_explained(page, server, own_engine):
    run_id = own_engine.submit(SHORT)
    until(lambda: runs.read(run_id).finished)
    before = runs.read(run_id)
    go(page, server, f"Train?run={run_id}")
    page.get_by_role("button", name="Train more epochs").click()
    expect(page.get_by_text("starts the same schedule again")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("button", name="Train 4 more epochs")).to_be_visible()
    more = page.get_by_label("More epochs", exact=True)
    more.fill("1")
    more.press("Enter")
    page.get_by_role("button", name="Train 1 more epoch", exact=False).click()
    page.wait_for_url(lambda url: re.search("run=(?!" + run_id + ")", url), timeout=PATIENCE)
    copy = re.search(r"run=([a-z0-9-]+)", page.url)[1]
    expect(page.get_by_text(re.compile("of 2$")).first).to_be_visible(timeout=PATIENCE)
    assert runs.read(copy).name == "short, 2 epochs" and runs.read(run_id) == before


def test_a_training_removed_from_the_queue_is_put_back(page, server, own_engine):
    first, second = own_engine.submit(LONG), own_engine.submit(LONG.replace(name="second"))
    learned(own_engine, first)
    go(page, server, f"Train?run={second}")
    press(page, "train_stop")
    expect(page.get_by_text("second was removed from the queue.")).to_be_visible(timeout=PATIENCE)
    assert own_engine.job(second) is None
    page.get_by_role("button", name="Undo").last.click()
    page.wait_for_url(f"**run={second}*", timeout=PATIENCE)
    until(lambda: own_engine.job(second) is not None)
    assert runs.read(second).name == "second"
