"""What people do in their first minutes, with a mouse, in a real browser, against a real server.

Nothing here depends on how fast the machine is: every step waits for what a person would wait for.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
from collections.abc import Callable

import psutil
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from core.data import fashion_mnist
from tests.conftest import REAL_DATA
from tests.fixtures import SPEC, finished_run, predictions

PATIENCE = 120_000  # milliseconds, for what trains on a busy machine
T_SHIRT = [
    (110, 60),
    (60, 85),
    (30, 135),
    (65, 160),
    (90, 130),
    (90, 265),
    (230, 265),
    (230, 130),
    (255, 160),
    (290, 135),
    (260, 85),
    (210, 60),
    (185, 78),
    (135, 78),
    (110, 60),
]
SHIRTS_MISTAKEN = 5  # for T-shirts, by a run that is laid down


def go(page: Page, server, path: str = "") -> None:
    """Open a page and wait until it has drawn itself."""
    page.goto(f"{server.url}/{path}")
    expect(page.locator("h1")).to_be_visible(timeout=PATIENCE)
    settled(page)


def settled(page: Page) -> None:
    """Wait until the app has nothing left to run, and check that it shows no traceback."""
    page.wait_for_function(
        """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === 'notRunning'""",
        timeout=PATIENCE,
    )
    assert page.locator('[data-testid="stException"]').count() == 0, page.locator(
        '[data-testid="stException"]'
    ).first.inner_text()


def press(page: Page, key: str) -> None:
    """Press a button by its widget key; while a part is drawn anew the old one may still stand
    beside it.
    """
    page.locator(f".st-key-{key} button").first.click()


def draw(page: Page, points: list[tuple[int, int]]) -> None:
    """Draw one stroke with the mouse, in pixels of the sheet."""
    sheet = page.locator(".st-key-classify_sheet canvas").last
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=4)
    page.mouse.up()


def picture_file(name: str, kind: str = "PNG") -> dict:
    """A drawn pair of trousers, as a file that a visitor uploads."""
    image = Image.new("RGB", (300, 400), "white")
    ImageDraw.Draw(image).polygon(
        [(90, 30), (210, 30), (235, 370), (170, 370), (150, 120), (130, 370), (65, 370)],
        fill="navy",
    )
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return {"name": name, "mimeType": f"image/{kind.lower()}", "buffer": buffer.getvalue()}


def test_a_drawn_t_shirt_is_called_one(page, bare_server):
    go(page, bare_server)
    page.get_by_role("link", name="Classify").first.click()
    expect(page.locator("h1", has_text="Classify")).to_be_visible()
    settled(page)
    draw(page, T_SHIRT)
    expect(page.locator(".classify-answer h2")).to_have_text("T-shirt/top", timeout=PATIENCE)
    expect(page.locator(".classify-answer p")).to_contain_text("% confidence")


def test_clearing_the_sheet_takes_the_answer_away(page, bare_server):
    go(page, bare_server, "Classify")
    draw(page, T_SHIRT)
    expect(page.locator(".classify-answer h2")).not_to_have_text("Nothing yet", timeout=PATIENCE)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".classify-answer h2")).to_have_text("Nothing yet", timeout=PATIENCE)


def test_a_scribble_is_not_sure(page, bare_server):
    go(page, bare_server, "Classify")
    draw(page, [(150, 150), (156, 153)])
    expect(page.locator(".classify-answer h2")).to_have_text("Not sure", timeout=PATIENCE)


def test_good_files_are_answered_beside_bad_ones(page, bare_server):
    go(page, bare_server, "Classify?mode=upload")
    page.locator('input[type="file"]').set_input_files(
        [
            picture_file("trousers.png"),
            {"name": "letter.png", "mimeType": "image/png", "buffer": b"%PDF-1.7 not a picture"},
        ]
    )
    expect(
        page.get_by_text("letter.png").and_(page.locator('[data-testid="stAlert"] *')).first
    ).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".classify-answer h2")).to_have_text("Trouser", timeout=PATIENCE)
    settled(page)


def test_without_data_the_sample_is_offered_and_named(page, bare_server):
    go(page, bare_server, "Misclassified")
    expect(page.get_by_text("not on this machine").first).to_be_visible(timeout=PATIENCE)
    # It cannot stand in for the pictures of this run.
    expect(page.get_by_role("button", name="Use the offline sample")).to_have_count(0)
    go(page, bare_server, "Train")
    page.get_by_role("button", name="Use the offline sample").first.click()
    expect(page.locator("[data-testid=stMain]").get_by_text("Offline sample").first).to_be_visible(
        timeout=PATIENCE
    )
    settled(page)


@pytest.mark.parametrize(
    "path",
    [
        "Classify?run=../../etc",
        "Train?run=gone",
        "Misclassified?run=nobody&sort=bogus&page=-3&picture=x",
        "Confusion_matrix?run=%00&epoch=99&truth=77",
    ],
)
def test_an_address_that_leads_nowhere_gets_a_sentence(page, bare_server, path):
    go(page, bare_server, path)
    expect(page.locator('[data-testid="stAlert"]').first).to_be_visible(timeout=PATIENCE)


# --- with runs and, where they were named, the real data ------------------------------------------


@pytest.fixture
def data_name() -> str:
    return "fashion-mnist" if REAL_DATA else "offline-sample"


@pytest.fixture
def lay_down(server, data_name, monkeypatch) -> Callable[..., str]:
    """Puts a finished run into the server's library whose mistakes are known; what a fresh training
    confuses depends on the processor.
    """
    monkeypatch.setenv("ATELIER_HOME", str(server.home))
    monkeypatch.delenv("ATELIER_RUNS")
    if REAL_DATA:
        monkeypatch.setenv("ATELIER_DATA", os.path.abspath(REAL_DATA))

    def lay(name: str = "for-reading") -> str:
        data = fashion_mnist.load(data_name)
        mistakes = {(6, 0): SHIRTS_MISTAKEN, (0, 6): 2, (2, 4): 3}
        return finished_run(
            SPEC.replace(name=name, data=data_name),
            predictions(data.test_labels, mistakes),
            data.test_labels,
            data=data,
        )

    return lay


def press_train(page: Page, server, data_name: str, epochs: int) -> str:
    """Train a small network from the form; returns the run's id as the address says it."""
    go(page, server, "Train?new=1")
    if data_name == "offline-sample":
        page.get_by_role("button", name="Use the offline sample").first.click()
        settled(page)
    for label, text in (("Filters", "8, 16"), ("Epochs", str(epochs))):
        field = page.get_by_label(label, exact=True)
        field.fill(text)
        field.press("Tab")
        settled(page)
    press(page, "train_start")
    page.wait_for_url(re.compile(r"run=2\d{7}-"), timeout=PATIENCE)
    return re.search(r"run=([a-z0-9-]+)", page.url)[1]


def worker_of(server) -> psutil.Process:
    """The process that trains: the engine's descendant with TensorFlow's libraries."""
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get("ATELIER_HOME") == str(server.home):
            try:
                if any("libtensorflow" in entry.path for entry in process.memory_maps()):
                    return process
            except psutil.Error:
                continue
    raise AssertionError("No process of this server has TensorFlow loaded.")


def test_a_training_is_watched_reloaded_killed_and_stopped(page, server, data_name):
    run_id = press_train(page, server, data_name, epochs=60)
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 60")).first).to_be_visible(timeout=PATIENCE)

    page.reload()  # the page finds its job again
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 60")).first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"Epoch ([2-9]|\d\d) of 60")).first).to_be_visible(
        timeout=PATIENCE
    )

    # The epochs so far are kept, and it goes on after them.
    os.kill(worker_of(server).pid, signal.SIGKILL)
    expect(
        page.get_by_text(re.compile(r"Its worker was lost|Starting|Loading the data")).first
    ).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"Epoch ([2-9]|\d\d) of 60")).first).to_be_visible(
        timeout=PATIENCE
    )

    press(page, "train_stop")
    expect(page.get_by_text(re.compile(r"[Ss]topped at epoch \d+")).first).to_be_visible(
        timeout=PATIENCE
    )
    expect(page.get_by_text("Test accuracy").first).to_be_visible(timeout=PATIENCE)
    settled(page)
    assert f'"{run_id}"' in server.core("runs", "--json", check=True).stdout.replace("'", '"')


def test_a_training_whose_engine_was_killed_is_resumed_where_it_was(page, server, data_name):
    press_train(page, server, data_name, epochs=60)
    expect(page.get_by_text(re.compile(r"Epoch ([2-9]|\d\d) of 60")).first).to_be_visible(
        timeout=PATIENCE
    )
    os.kill(json.loads((server.home / "engine.json").read_text())["pid"], signal.SIGKILL)
    page.locator(".st-key-train_resume button").first.wait_for(timeout=PATIENCE)
    expect(page.get_by_text(re.compile(r"[Ii]nterrupted after epoch \d+")).first).to_be_visible()
    press(page, "train_resume")
    expect(page.get_by_text(re.compile(r"Epoch ([2-9]|\d\d) of 60")).first).to_be_visible(
        timeout=PATIENCE
    )
    press(page, "train_stop")
    expect(page.get_by_text(re.compile(r"[Ss]topped at epoch \d+")).first).to_be_visible(
        timeout=PATIENCE
    )


def test_a_cell_of_the_matrix_opens_its_pictures_and_one_of_them_closely(page, server, lay_down):
    run = lay_down()
    go(page, server, f"Confusion_matrix?run={run}&share=truth&truth=0&prediction=1")
    # Shirt mistaken for T-shirt.
    page.locator(".st-key-matrix_chart a[data-row='6'][data-column='0']").click()
    expect(page.get_by_text(f"Shirt → T-shirt/top: {SHIRTS_MISTAKEN}").first).to_be_visible(
        timeout=PATIENCE
    )
    settled(page)
    assert "truth=6" in page.url and "prediction=0" in page.url
    picture = page.locator(".st-key-matrix_gallery").locator("button, a, [role=button]").first
    picture.click()
    page.wait_for_url(re.compile(r"picture=\d+"), timeout=PATIENCE)
    for heading in ("Ten probabilities", "What it saw", "Most similar training pictures"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible(timeout=PATIENCE)
    settled(page)


def test_a_sent_address_shows_the_same_view_to_someone_else(chromium, page, server, lay_down):
    run = lay_down()
    go(page, server, f"Misclassified?run={run}&truth=6&sort=loss")
    address = page.url
    words = page.get_by_text(f"{SHIRTS_MISTAKEN} mistakes of").first.inner_text()
    context = chromium.new_context(viewport={"width": 420, "height": 900})
    other = context.new_page()
    other.goto(address)
    expect(other.get_by_text(words).first).to_be_visible(timeout=PATIENCE)
    context.close()


def test_two_tabs_pressing_train_at_once_make_two_runs(chromium, page, server, data_name):
    second = chromium.new_context(viewport={"width": 1400, "height": 1000})
    other = second.new_page()
    first_id = press_train(page, server, data_name, epochs=40)
    second_id = press_train(other, server, data_name, epochs=40)
    assert first_id != second_id
    expect(other.get_by_text(re.compile("Queued, next")).first).to_be_visible(timeout=PATIENCE)
    press(other, "train_stop")
    other.wait_for_url(re.compile(r"new=1"), timeout=PATIENCE)
    press(page, "train_stop")
    expect(page.get_by_text(re.compile(r"[Ss]topped at epoch \d+")).first).to_be_visible(
        timeout=PATIENCE
    )
    second.close()


def test_a_run_deleted_elsewhere_gets_a_sentence(page, server, lay_down):
    run = lay_down("short-lived")
    go(page, server, f"Train?run={run}")
    server.core("runs", "delete", run, check=True)
    page.reload()
    expect(page.locator('[data-testid="stAlert"]').first).to_contain_text(
        "deleted", timeout=PATIENCE
    )
