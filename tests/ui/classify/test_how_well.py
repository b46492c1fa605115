"""Classify shows how well its network does on people's own pictures, from stored figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import runs, settings
from core.inference import Network
from core.labels import CLASS_NAMES
from core.outside import measured as outside_figures
from core.outside import report as outside_report
from core.outside import sources
from core.outside.report import Mistake, Report
from core.settings import ROOT
from tests.fixtures import SPEC, finished_run
from tests.small_networks import patterns, template_network
from ui import frame
from ui.classify import how_well


@pytest.fixture
def run_id() -> str:
    """The champion: a finished run whose small network is sure of everything, with its answers to
    thirty test pictures.
    """
    labels = np.arange(30) % 10
    made = finished_run(
        SPEC.replace(name="Small *one*"),
        np.eye(10)[np.where(labels == 3, 4, labels)],
        labels,
        network=template_network(patterns(4)),
        sure_threshold=0.1,
    )
    runs.promote(made)
    return made


@pytest.fixture
def photographs(tmp_path, monkeypatch) -> Path:
    """A folder of dark rectangles that somebody calls shoes and hats, named by ATELIER_PHOTOS."""
    for name in ("shoes", "hat"):
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for number in range(20):
            pixels = np.full((84, 84), 255, np.uint8)
            pixels[5:80, 20 + number : 60] = 40
            Image.fromarray(pixels).save(tmp_path / "photographs" / name / f"{number}.png")
    monkeypatch.setenv("ATELIER_PHOTOS", str(tmp_path / "photographs"))
    return tmp_path / "photographs"


def measured(run_id: str, folder: Path | None = None, count: int = 20) -> dict[str, Report]:
    network = Network(template_network(patterns(4)), sure_threshold=0.1)
    reports = {
        kind: outside_report.measure(network, pictures)
        for kind, pictures in outside_figures.held_out(count, folder).items()
    }
    outside_figures.save(run_id, reports)
    return reports


def open_panel() -> AppTest:
    app = AppTest.from_file(str(ROOT / frame.HOME), default_timeout=60)
    app.switch_page(frame.CLASSIFY)
    app.session_state["classify_how_well"] = True
    return app.run()


def texts(app: AppTest) -> str:
    return "\n".join(
        element.value for element in (*app.caption, *app.markdown, *app.info, *app.header)
    )


def figures(app: AppTest) -> list[str]:
    """The captions of the mistakes that are shown."""
    return re.findall(
        r"<figcaption>([^<]* → [^<]*)</figcaption>",
        "".join(element.proto.body for element in app.get("html")),
    )


def table(app: AppTest, column: str):
    return next(
        frame.value.set_index(frame.value.columns[0])
        for frame in app.dataframe
        if column in frame.value
    )


def test_a_closed_panel_reads_nothing(run_id):
    (Path(settings.runs_address()) / run_id / outside_figures.FILE).write_text("{")
    app = AppTest.from_file(str(ROOT / frame.HOME), default_timeout=60)
    app.switch_page(frame.CLASSIFY).run()
    assert "How well does this work?" in [box.label for box in app.expander]
    assert not app.error and not app.exception and not app.dataframe


def test_without_figures_the_command_that_measures_is_named(run_id):
    app = open_panel()
    assert "has not been measured" in texts(app)
    assert [code.value for code in app.code] == [f"python -m core runs measure {run_id}"]
    assert not app.exception and not app.error


def test_the_figures_are_shown_next_to_those_of_the_test_set(run_id):
    reports = measured(run_id)
    app = open_panel()
    assert not app.exception and not app.error
    kinds = table(app, "Correct when sure")
    assert list(kinds.index) == ["Test set", "Generated sketches", "Generated icons"]
    assert kinds["Correct"].tolist() == pytest.approx(
        [90.0, 100 * reports["sketches"].accuracy, 100 * reports["icons"].accuracy]
    )
    classes = table(app, "Generated icons")
    assert list(classes.index) == list(CLASS_NAMES)
    assert classes["Test set"].tolist() == [
        0.0 if name == "Dress" else 100.0 for name in CLASS_NAMES
    ]
    assert classes["Generated icons"].tolist() == pytest.approx(
        [100 * one.accuracy for one in reports["icons"].classes]
    )
    assert r"Small \*one\*" in texts(app) and "Clothing dataset" in texts(app)


def test_pictures_outside_the_ten_classes_are_summed_up_in_a_sentence(run_id):
    report = measured(run_id)["scribbles"]
    assert (
        f"**Generated scribbles**: {100 * report.refused_share:.1f}\N{NO-BREAK SPACE}% of 20 were rejected."
        in texts(open_panel())
    )


def test_mistakes_are_shown_by_kind_and_are_those_that_were_measured(run_id, photographs):
    reports = measured(run_id, photographs)
    app = open_panel()
    for kind in ("sketches", "photographs", "scribbles"):
        app.segmented_control(key="classify_how_well_kind").set_value(kind).run()
        expected = how_well.select_examples(reports[kind].mistakes)
        assert len(figures(app)) == len(expected) > 0
        truth = (
            outside_report.class_name(expected[0].accepted)
            if expected[0].accepted
            else "Outside the ten classes"
        )
        assert figures(app)[0].startswith(f"{truth} → ")
    assert not app.exception and not app.error


def test_photographs_that_are_not_here_are_said_to_be_missing(run_id, photographs, monkeypatch):
    measured(run_id, photographs)
    monkeypatch.delenv("ATELIER_PHOTOS")
    app = open_panel()
    app.segmented_control(key="classify_how_well_kind").set_value("photographs").run()
    assert figures(app) == [] and "The photographs are not on this machine" in texts(app)
    assert "Photographs" in table(app, "Generated icons") and not app.exception


def test_a_picture_whose_preparation_has_changed_since_is_not_shown(run_id):
    reports = measured(run_id)
    path = Path(settings.runs_address()) / run_id / outside_figures.FILE
    values = json.loads(path.read_text())
    for one in values["reports"]["sketches"]["mistakes"]:
        one["seen"] += 1
    path.write_text(json.dumps(values))
    app = open_panel()
    assert figures(app) == []
    assert (
        f"{len(how_well.select_examples(reports['sketches'].mistakes))} more cannot be shown"
        in texts(app)
    )


def test_figures_that_someone_edited_are_a_sentence_and_the_page_goes_on(run_id):
    (Path(settings.runs_address()) / run_id / outside_figures.FILE).write_text('{"reports": 3}')
    app = open_panel()
    assert any("outside.json" in error.value for error in app.error) and not app.exception


def test_the_mistakes_shown_are_the_most_confident_of_every_class_in_turn():
    made = [
        Mistake(f"{label}/{place}", (label,), 9, 0.9 - place / 10 - label / 100, None)
        for label in range(3)
        for place in range(4)
    ]
    assert [one.name for one in how_well.select_examples(made, 5)] == [
        "0/0",
        "1/0",
        "2/0",
        "0/1",
        "1/1",
    ]
    none = [
        Mistake("a", (), 8, 0.9, None),
        Mistake("b", (), 8, 0.95, None),
        Mistake("c", (), 1, 0.5, None),
    ]
    assert [one.name for one in how_well.select_examples(none, 2)] == ["b", "c"]


def test_shoes_that_nobody_told_apart_have_a_row_of_their_own(photographs):
    network = Network(template_network())
    reports = {
        "icons": outside_report.measure(network, sources.list_drawings("icons", "held-out", 10)),
        "photographs": outside_report.measure(
            network, sources.list_photographs(photographs, "held-out")
        ),
    }
    rows = how_well.class_rows(reports)
    assert [row["Class"] for row in rows] == [*CLASS_NAMES, "Sandal, Sneaker or Ankle boot"]
    assert np.isnan(rows[-1]["Generated icons"]) and np.isnan(rows[0]["Photographs"])
    marks = re.findall(r"<i>(.*?)</i>", how_well.accuracy_marks(reports))
    assert [mark.count('class="icons"') for mark in marks] == [1] * 10 + [0]
    assert [mark.count('class="photographs"') for mark in marks] == [0] * 10 + [1]
