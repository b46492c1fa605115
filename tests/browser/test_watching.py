"""A training as it is watched: from the first batch, to its end or to the sentence why it ended."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from core import runs
from tests.browser.test_continue import LONG, own_engine  # noqa: F401  a fixture
from tests.browser.test_journeys import PATIENCE, go, press, settled
from tests.conftest import REAL_DATA
from tests.fixtures import until


def fill(page: Page, **fields: str) -> None:
    """Type into the form, whose labels are the fields' names with spaces for underscores."""
    for label, text in fields.items():
        field = page.get_by_label(label.replace("_", " "), exact=True)
        field.fill(text)
        field.press("Tab")
        settled(page)


def start(page: Page, server, **fields: str) -> str:
    """Train from the form, on the sample where there is nothing else; returns the run's id."""
    go(page, server, "Train?new=1")
    if not REAL_DATA:
        page.get_by_role("button", name="Use the offline sample").first.click()
        settled(page)
    fill(page, **fields)
    press(page, "train_start")
    page.wait_for_url(re.compile(r"run=2\d{7}-"), timeout=PATIENCE)
    return re.search(r"run=([a-z0-9-]+)", page.url)[1]


def test_a_learning_rate_of_a_thousand_ends_in_a_sentence(page, server, own_engine):  # noqa: F811
    run_id = start(page, server, Filters="4", Learning_rate="1000", Epochs="3")
    told = page.get_by_text(re.compile(r"The training diverged: in epoch 1, batch \d+"))
    expect(told).to_be_visible(timeout=PATIENCE)
    expect(told).to_contain_text("Lower the learning rate (1000); try 100.")
    assert runs.divergence(run_id) and not runs.read(run_id).finished
    page.get_by_role("button", name="Train again with learning rate 100").click()
    expect(page.get_by_label("Learning rate", exact=True)).to_have_value("100")


POINTS = """() => {
  const plot = document.querySelector('.st-key-train_curves_loss .js-plotly-plot');
  const line = (plot?._fullData ?? []).find((trace) => trace.name === 'Training, by batch');
  return line ? Array.from(line.x) : [];
}"""


def test_the_curve_by_batch_grows_before_the_first_epoch_ends(page, server, own_engine):  # noqa: F811
    # Small batches: an epoch of the sample has 900 of them, and one of the real data 27,500.
    run_id = start(page, server, Filters="4", Batch_size="2", Epochs="2")
    page.wait_for_function(f"({POINTS})().length > 1", timeout=PATIENCE)
    first = page.evaluate(POINTS)
    page.wait_for_function(f"({POINTS})().at(-1) > {first[-1]}", timeout=PATIENCE)
    assert first[-1] < 1, "the first points lie in the first epoch"
    if REAL_DATA:  # an epoch of the sample may be over by now
        assert not runs.history(run_id)

    page.locator(".st-key-train_rate label").first.click()
    expect(page.locator(".st-key-train_curves_rate .js-plotly-plot").first).to_be_visible(
        timeout=PATIENCE
    )
    press(page, "train_stop")
    expect(page.get_by_text("Test accuracy").first).to_be_visible(timeout=PATIENCE)
    page.wait_for_function(f"({POINTS})().length > 1", timeout=PATIENCE)  # still there


def test_a_finished_training_is_replayed_epoch_by_epoch(page, server, own_engine):  # noqa: F811
    run_id = own_engine.submit(LONG.replace(name="replayed", epochs=3))
    until(lambda: runs.read(run_id).finished)
    go(page, server, f"Train?run={run_id}&epoch=1")
    title = page.get_by_text(re.compile(r"What it answers after epoch \d"))
    expect(title.last).to_have_text("What it answers after epoch 1", timeout=PATIENCE)
    expect(page.locator(".train-watched figure").first).to_be_visible()
    press(page, "train_play")
    expect(title.last).to_have_text("What it answers after epoch 3", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Play the epochs").first).to_be_visible(timeout=PATIENCE)


def test_a_range_test_suggests_a_rate_that_one_click_takes_over(page, server, own_engine):  # noqa: F811
    go(page, server, "Train?new=1")
    if not REAL_DATA:
        page.get_by_role("button", name="Use the offline sample").first.click()
        settled(page)
    fill(page, Filters="4, 8", Learning_rate="0.5")
    page.get_by_text("Find a learning rate").click()
    press(page, "train_rates")
    use = page.locator(".st-key-train_rates_use button:visible")
    expect(use).to_have_text(re.compile(r"Use [\d.e-]+"), timeout=PATIENCE)
    rate = re.search(r"Use ([\d.e-]+)", use.inner_text())[1]
    use.click()
    expect(page.get_by_label("Learning rate", exact=True)).not_to_have_value("0.5")
    assert float(page.get_by_label("Learning rate", exact=True).input_value()) == float(rate)
