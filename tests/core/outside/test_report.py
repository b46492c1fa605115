"""What is counted of a network's answers to pictures from outside, held against counts done by
hand.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core import pictures as picture
from core import runs, settings
from core.errors import RunDamaged, RunNotFound, StorageProblem, UnreadablePicture
from core.export import archive
from core.inference import Network
from core.outside import measured, sources
from core.outside import report as outside_report
from core.outside.report import Report
from core.outside.sources import OutsidePicture
from tests.fixtures import finished_run
from tests.small_networks import answers, patterns, template_network


def shape(*boxes: tuple[int, int, int, int]) -> Image.Image:
    """Dark rectangles (left, top, right, bottom) on white."""
    pixels = np.full((84, 84), 255, np.uint8)
    for left, top, right, bottom in boxes:
        pixels[top:bottom, left:right] = 40
    return Image.fromarray(pixels)


TALL, WIDE, BLANK = shape((35, 5, 50, 80)), shape((5, 35, 80, 50)), Image.new("L", (84, 84), 255)


def said(image: Image.Image) -> tuple[int, float]:
    """Prediction and confidence of the small network, computed separately."""
    expected = answers(picture.prepare(image, fill=True).pixels[None], patterns())[0][0]
    return int(expected.argmax()), float(expected.max())


def shown(name: str, accepted: tuple[int, ...], image: Image.Image) -> OutsidePicture:
    return OutsidePicture(name, accepted, lambda: image)


def fails(error: Exception):
    def open_it():
        raise error

    return open_it


def network(threshold: float = 0.01) -> Network:
    return Network(template_network(), sure_threshold=threshold)


@pytest.fixture
def run_id() -> str:
    """A finished run with the small network."""
    return finished_run(sure_threshold=0.01)


def test_answers_are_those_of_the_prepared_pictures_and_are_counted_by_truth():
    tall, wide = said(TALL)[0], said(WIDE)[0]
    assert tall != wide
    report = outside_report.measure(
        network(), [shown("a", (tall,), TALL), shown("b", (tall,), WIDE), shown("c", (wide,), WIDE)]
    )
    assert (report.pictures, report.garments, report.right, report.others) == (3, 3, 2, 0)
    assert report.accuracy == pytest.approx(2 / 3)
    assert report.mean_over_classes == pytest.approx((1 / 2 + 1) / 2)
    assert (
        report.matrix[tall][tall] == 1
        and report.matrix[tall][wide] == 1
        and report.matrix[wide][wide] == 1
    )
    assert sum(map(sum, report.matrix)) == 3
    assert [(one.name, one.accepted, one.answer) for one in report.mistakes] == [
        ("b", (tall,), wide)
    ]
    assert report.mistakes[0].confidence == pytest.approx(said(WIDE)[1], abs=1e-4)
    assert report.mistakes[0].seen == outside_report.fingerprint(
        picture.prepare(WIDE, fill=True).pixels
    )


def test_one_of_several_right_answers_is_right_and_stands_under_itself():
    tall, wide = said(TALL)[0], said(WIDE)[0]
    first, second = sorted({*range(10)} - {tall, wide})[:2]
    report = outside_report.measure(
        network(), [shown("a", (first, tall), TALL), shown("b", (first, second), TALL)]
    )
    assert report.matrix[tall][tall] == 1
    assert report.matrix[first][tall] == 1
    assert [(one.accepted, one.pictures, one.right) for one in report.classes] == sorted(
        [((first, tall), 1, 1), ((first, second), 1, 0)]
    )


def test_sure_answers_are_counted_apart():
    tall, wide = said(TALL), said(WIDE)
    threshold = (tall[1] + wide[1]) / 2  # between the two confidences
    certain = tall if tall[1] > wide[1] else wide
    pictures = [shown("a", (tall[0],), TALL), shown("b", (wide[0],), WIDE)]
    report = outside_report.measure(network(threshold), pictures)
    assert (report.sure, report.sure_right, report.sure_accuracy) == (1, 1, 1.0)
    wrong = outside_report.measure(
        network(threshold), [replace(one, accepted=((certain[0] + 1) % 10,)) for one in pictures]
    )
    assert (wrong.sure, wrong.sure_right, wrong.sure_share) == (1, 0, 0.5)


def test_what_is_none_of_the_ten_is_refused_by_doubt_or_by_finding_nothing():
    pictures = [shown("a", (), TALL), shown("b", (), WIDE), shown("c", (), BLANK)]
    certain = outside_report.measure(network(0.01), pictures)
    assert (certain.others, certain.garments, certain.accuracy) == (3, 0, None)
    assert certain.refused_share == pytest.approx(1 / 3)
    assert certain.called[said(TALL)[0]] == certain.called[said(WIDE)[0]] == 1
    assert [one.name for one in certain.mistakes] == ["a", "b"]
    doubting = outside_report.measure(network(1.01), pictures)
    assert doubting.refused_share == 1.0 and sum(doubting.called) == 0 and not doubting.mistakes


def test_a_garment_in_which_nothing_is_found_is_wrong():
    report = outside_report.measure(network(), [shown("a", (3,), BLANK)])
    assert (report.garments, report.right, report.blank, report.sure) == (1, 0, 1, 0)
    assert report.mistakes[0].answer is None and sum(map(sum, report.matrix)) == 0


def test_pictures_that_cannot_be_opened_are_named_and_stop_nothing():
    told = []
    report = outside_report.measure(
        network(),
        [
            OutsidePicture("damaged", (1,), fails(UnreadablePicture("It is damaged."))),
            OutsidePicture("gone", (1,), fails(FileNotFoundError())),
            shown("good", (said(TALL)[0],), TALL),
        ],
        progress=lambda done, of: told.append((done, of)),
    )
    assert report.unreadable == ("damaged", "gone")
    assert (report.pictures, report.accuracy) == (1, 1.0)
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_nothing_to_measure_gives_shares_of_nothing():
    report = outside_report.measure(network(), [])
    assert set(report.shares().values()) == {0, None}
    assert report.row("empty") == ("empty", "0", *[None] * 7)


def test_bags_are_counted_over_all_garments():
    probabilities = np.eye(10, dtype=np.float32)[[8, 8, 1, 8]]
    report = outside_report.of_answers(
        probabilities, np.array([8, 0, 1, 2]), np.array([True, False, True, True])
    )
    assert report.bag_share == 0.75 and report.accuracy == 0.5
    assert (report.sure, report.sure_right) == (3, 2)


def test_a_report_survives_json():
    report = outside_report.measure(
        network(),
        [
            shown("a", (5, 7, 9), TALL),
            shown("b", (3,), BLANK),
            shown("c", (), WIDE),
            OutsidePicture("d", (1,), fails(OSError())),
        ],
    )
    assert Report.from_dict(json.loads(json.dumps(report.to_dict()))) == report


def test_figures_are_kept_with_a_run_and_leave_with_it(run_id):
    assert measured.load(run_id) is None
    with_figures = measured.save(
        run_id,
        {
            "icons": outside_report.measure(
                network(), sources.list_drawings("icons", "held-out", 10)
            )
        },
    )
    assert measured.load(run_id) == with_figures
    files = dict(archive.export_files(run_id))
    assert json.loads(files["outside.json"])["measured"] == with_figures.measured
    share = with_figures.reports["icons"].row("icons")[2]
    assert (
        "## Beyond the test set" in files["CARD.md"].decode()
        and f"| icons | 10 | {share} |" in files["CARD.md"].decode()
    )


def test_a_run_without_figures_has_a_card_without_them(run_id):
    files = dict(archive.export_files(run_id))
    assert "outside.json" not in files and "Beyond the test set" not in files["CARD.md"].decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.pop("reports"),
        lambda values: values.update(reports=[]),
        lambda values: values["reports"].update(icons={}),
        lambda values: values["reports"]["icons"].update(sure="many"),
        lambda values: values["reports"]["icons"].update(called=[1, 2]),
        lambda values: values["reports"]["icons"]["classes"][0].update(accepted=[12]),
        lambda values: values["reports"]["icons"]["classes"][0].update(pictures=0),
    ],
)
def test_figures_that_someone_has_edited_are_damaged_and_say_what_mends_them(run_id, change):
    measured.save(run_id, {"icons": outside_report.measure(network(), [shown("a", (1,), TALL)])})
    path = Path(settings.runs_address()) / run_id / measured.FILE
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(RunDamaged, match=f"python -m core runs measure {run_id}"):
        measured.load(run_id)


def test_figures_are_written_neither_for_a_deleted_run_nor_for_the_one_that_ships(run_id):
    runs.delete(run_id)
    with pytest.raises(RunNotFound):
        measured.save(run_id, {})
    with pytest.raises(StorageProblem):
        measured.save(runs.SHIPPED, {})
