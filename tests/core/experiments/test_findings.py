"""The findings of a sweep are counted from its results, and say when they may be chance."""

from __future__ import annotations

import math

from core.experiments import findings
from core.experiments.records import Axis

RATES = Axis("learning_rate", (0.05, 0.01, 0.001))


def told(scores, axis=RATES, *, epochs=1, pictures=3000) -> list[str]:
    return findings.describe(
        axis, scores, score="Validation accuracy", epochs=epochs, pictures=pictures
    )


def test_numbers_are_ordered_by_size_and_words_as_they_were_given():
    assert findings.order(RATES.values) == [2, 1, 0]
    assert findings.order(("relu", "elu")) == [0, 1]
    assert findings.order((True, False)) == [0, 1]


def test_a_ten_times_smaller_rate_costs_what_it_costs():
    first, second = told([88.0, 89.0, 83.9])
    assert first == (
        "A 10 times smaller learning rate (0.001 instead of 0.01) costs 5.1 percentage points of "
        "validation accuracy after 1 epoch."
    )
    noise = 2 * 100 * math.sqrt((0.89 * 0.11 + 0.88 * 0.12) / 3000)
    assert "0.01 is 1.00 points ahead of 0.05" in second
    assert "may be chance" in second and f"up to {noise:.2f} points are noise" in second


def test_a_clear_lead_is_called_one():
    assert "more than the luck of the pictures" in told([60.0, 89.0, 50.0])[1]


def test_words_and_missing_results():
    activations = Axis("activation", ("relu", "tanh"))
    assert told([80.0, 79.0], activations, pictures=0) == [
        "Activation tanh instead of relu costs 1.0 percentage points of validation accuracy after 1 epoch."
    ]
    assert told([80.0, None, None]) == [] and told([1.0, 2.0], Axis("seed", (1, 2))) == []
    assert told([80.0, 80.0, 80.0]) == [
        "Validation accuracy is the same for every learning rate after 1 epoch."
    ]
