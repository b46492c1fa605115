"""No page or view breaks a rule of axe-core that matters, in either theme, wide or on a phone.

axe-core comes from npm (`npm ci` in this folder); where it is missing, the tests are skipped, and
in CI they fail.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError

from tests.browser.test_journeys import PATIENCE, go, press, settled
from tests.browser.test_matrix import run  # noqa: F401  a fixture
from tests.fixtures import SPEC, finished_run

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"moderate", "serious", "critical"}
VIEWS = (
    "",
    "Classify",
    "Classify?mode=upload",
    "Train?new=1",
    "Train?run={run}",
    "Misclassified?run={run}",
    "Misclassified?run={run}&view=classes",
    "Misclassified?run={run}&picture={picture}",
    "Confusion_matrix?run={run}&truth=6&prediction=0",
    "Confusion_matrix?run={run}&against=shipped",
    "Experiments",
    "Experiments?view=compare",
    "Experiments?view=gradient",
    "Network?run=shipped",
    "Network?run=shipped&view=filters",
    "Network?run=shipped&view=maps",
    "Network?run=shipped&view=steps",
    "Network?run=shipped&view=map",
    "Network?run=shipped&view=learning",
)
PHONE = (
    "",
    "Classify",
    "Train?new=1",
    "Misclassified",
    "Confusion_matrix",
    "Experiments",
    "Network",
)


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        sentence = "axe-core is not installed; `npm ci --prefix tests/browser` installs it."
        if os.environ.get("ATELIER_REQUIRE_BROWSER"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return AXE.read_text(encoding="utf-8")


def visitor(chromium, theme: str, width: int) -> Page:
    """A page of a visitor with this theme and window."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def violations(page: Page, axe: str) -> list[str]:
    """What breaks a rule on the page as it is, a line for each element."""
    page.locator("h1").wait_for()
    page.wait_for_timeout(300)  # what fades in has its colours
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(axe)
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{page.url}: {rule['impact']} {rule['id']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_view_keeps_the_rules(chromium, server, run, axe, theme):  # noqa: F811
    low = {"test_accuracy": 0.1, "test_loss": 2.3, "test_loss_uncalibrated": 2.3}
    weak = finished_run(SPEC.replace(name="weak"), scores=low)
    page = visitor(chromium, theme, 1400)
    broken = []
    for view in VIEWS:
        go(page, server, view.format(run=run, picture=first_mistake(run)))
        broken += violations(page, axe)
    go(page, server, "Classify")
    page.locator(".st-key-classify_how_well summary").click()
    settled(page)
    broken += violations(page, axe)
    go(page, server, f"Misclassified?run={weak}")  # a new run in an address is looked for at once
    go(page, server, f"Train?run={weak}")
    page.locator(".st-key-train_runs summary").click()
    ask(page, f"train_promote_{weak}")
    broken += violations(page, axe)
    page.context.close()
    assert not broken, "\n\n".join(broken)


def ask(page: Page, key: str) -> None:
    """Press a button that opens a dialog; again where the page was just being redrawn under it."""
    dialog = page.get_by_role("dialog")
    for _ in range(4):
        settled(page)
        press(page, key)
        try:
            dialog.wait_for(timeout=PATIENCE / 6)
        except TimeoutError:
            continue
        return
    raise AssertionError(f"{key} opened no dialog")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_keeps_the_rules_on_a_phone(chromium, server, axe, theme):
    page = visitor(chromium, theme, 420)
    broken = []
    for view in PHONE:
        go(page, server, view)
        broken += violations(page, axe)
    page.context.close()
    assert not broken, "\n\n".join(broken)


def first_mistake(run_id: str) -> int:
    """A picture that the fixture's run got wrong."""
    from core import runs

    test = runs.test_predictions(run_id)
    return int((test.probabilities.argmax(axis=1) != test.labels).argmax())
