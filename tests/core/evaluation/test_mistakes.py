"""Which pictures went wrong, in which order, and as a table."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from core.evaluation import confusion
from core.evaluation.mistakes import (
    find_mistakes,
    measure,
    mistakes_csv,
    one_of_every_class,
    pictures_of,
)
from core.labels import CLASS_NAMES


def answer(**shares: float) -> list[float]:
    """Ten probabilities from `c3=0.6, c5=0.4`."""
    return [shares.get(f"c{label}", 0.0) for label in range(10)]


# truth 6 mistaken for 0 three times, 0 for 6 once, 9 for 7 once, and two correct ones
LABELS = np.array([6, 6, 0, 9, 3, 6, 1])
ANSWERS = np.array(
    [
        answer(c0=0.6, c6=0.4),
        answer(c0=0.9, c6=0.05, c2=0.05),
        answer(c6=0.7, c0=0.1, c2=0.2),
        answer(c7=0.55, c9=0.45),
        answer(c3=1.0),
        answer(c0=0.9, c6=0.1),
        answer(c1=0.5, c3=0.3, c4=0.2),
    ],
    np.float32,
)


def test_mistakes_come_most_confident_first_and_equal_ones_in_dataset_order():
    assert find_mistakes(ANSWERS, LABELS).tolist() == [1, 5, 2, 0, 3]
    assert find_mistakes(ANSWERS, LABELS, descending=False).tolist() == [3, 0, 2, 1, 5]


def test_mistakes_by_loss_and_by_margin():
    assert find_mistakes(ANSWERS, LABELS, sort="loss").tolist() == [1, 2, 5, 0, 3]
    assert find_mistakes(ANSWERS, LABELS, sort="margin").tolist() == [1, 5, 2, 0, 3]
    np.testing.assert_allclose(
        measure(ANSWERS, LABELS, "loss")[:2], -np.log([0.4, 0.05]), rtol=1e-5
    )
    np.testing.assert_allclose(
        measure(ANSWERS, LABELS, "margin"), [0.2, 0.85, 0.6, 0.1, 0, 0.8, 0], atol=1e-6
    )


def test_filters_of_truth_prediction_and_confidence_add_up():
    assert find_mistakes(ANSWERS, LABELS, truth={6}).tolist() == [1, 5, 0]
    assert find_mistakes(ANSWERS, LABELS, prediction={6, 7}).tolist() == [2, 3]
    assert find_mistakes(ANSWERS, LABELS, truth={6}, confidence=(0.0, 0.7)).tolist() == [0]
    assert find_mistakes(ANSWERS, LABELS, truth={6, 9}, prediction={7}).tolist() == [3]
    assert find_mistakes(ANSWERS, LABELS, truth=set()).tolist() == []
    assert find_mistakes(ANSWERS, LABELS, truth={3}).tolist() == []


def test_both_ends_of_the_confidence_range_belong_to_it():
    assert find_mistakes(ANSWERS, LABELS, confidence=(0.9, 1.0)).tolist() == [1, 5]
    assert find_mistakes(ANSWERS, LABELS, confidence=(0.6, 0.7)).tolist() == [2, 0]
    above_one = np.array([answer(c0=np.nextafter(np.float32(1), np.float32(2)))], np.float32)
    assert find_mistakes(above_one, np.array([1])).tolist() == [0]


def test_an_unknown_order_is_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match="confidence, loss, margin; received 'colour'"):
        find_mistakes(ANSWERS, LABELS, sort="colour")


def test_one_of_every_class_takes_the_first_of_each_in_label_order():
    assert list(one_of_every_class(ANSWERS, LABELS).items()) == [(0, 2), (6, 1), (9, 3)]
    assert one_of_every_class(ANSWERS, LABELS, descending=False)[6] == 0
    assert one_of_every_class(ANSWERS[4:5], LABELS[4:5]) == {}


def test_the_pictures_of_all_cells_are_all_pictures_once():
    prediction = ANSWERS.argmax(axis=1)
    matrix = confusion(LABELS, prediction)
    cells = {
        (row, column): pictures_of(LABELS, prediction, row, column)
        for row in range(10)
        for column in range(10)
    }
    assert all(len(found) == matrix[cell] for cell, found in cells.items())
    assert sorted(np.concatenate(list(cells.values())).tolist()) == list(range(7))
    assert cells[6, 0].tolist() == [0, 1, 5]
    assert pictures_of(LABELS, prediction, 6, 0, ANSWERS.max(axis=1)).tolist() == [1, 5, 0]


def test_filters_agree_with_a_loop_on_many_pictures():
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(10), 3000).astype(np.float32)
    labels = random.integers(0, 10, 3000)
    expected = [
        index
        for index, (row, label) in enumerate(zip(probabilities, labels, strict=True))
        if row.argmax() != label
        and label in (2, 4)
        and row.argmax() in (0, 6)
        and 0.2 <= row.max() <= 0.5
    ]
    expected.sort(key=lambda index: -probabilities[index].max())
    assert len(expected) > 20
    assert (
        find_mistakes(
            probabilities, labels, truth={2, 4}, prediction={0, 6}, confidence=(0.2, 0.5)
        ).tolist()
        == expected
    )


def test_mistakes_as_csv_read_back_with_names_and_ten_probabilities():
    text = mistakes_csv(find_mistakes(ANSWERS, LABELS), ANSWERS, LABELS)
    lines = list(csv.DictReader(io.StringIO(text)))
    assert list(lines[0]) == ["index", "truth", "prediction", "confidence", *CLASS_NAMES]
    assert [int(line["index"]) for line in lines] == [1, 5, 2, 0, 3]
    assert (lines[0]["truth"], lines[0]["prediction"]) == ("Shirt", "T-shirt/top")
    assert float(lines[0]["confidence"]) == float(lines[0]["T-shirt/top"]) == 0.9
    assert all(
        sum(float(line[name]) for name in CLASS_NAMES) == pytest.approx(1, abs=1e-5)
        for line in lines
    )
    assert '"T-shirt/top"' in text and '"Ankle boot"' in text


def test_no_mistakes_make_a_csv_with_a_heading_only():
    assert mistakes_csv(np.array([], int), ANSWERS, LABELS).count("\n") == 1
