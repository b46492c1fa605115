"""The learning-rate range test: what is suggested, and what really happens on the sample."""

from __future__ import annotations

import numpy as np

from core.training import range_fit, range_test
from tests.core.training.test_trainer import SMALL


def test_a_tenth_of_the_rate_with_the_lowest_loss_is_suggested():
    rates = range_test.rates()
    losses = 2.3 - np.exp(-((np.log10(rates) + 1) ** 2))  # lowest at 0.1
    found = range_test.judge(rates, losses, 1.0)
    assert 0.008 <= found.suggested <= 0.03 and len(found.rates) == range_test.STEPS


def test_nothing_is_suggested_where_no_loss_fell():
    rates = range_test.rates()
    assert range_test.judge(rates, np.full(len(rates), 2.3), 1.0).suggested is None
    assert range_test.judge(rates[:2], [np.nan, np.nan], 1.0).suggested is None


def test_the_test_ends_where_the_loss_explodes():
    assert not range_test.is_over([2.3, 2.2, 2.1])
    assert range_test.is_over([2.3, 2.2, np.inf]) and range_test.is_over([2.3, 2.2, 900.0])


def test_specs_that_differ_in_rate_and_schedule_only_ask_the_same():
    other = SMALL.replace(learning_rate=0.3, schedule="cosine", name="other")
    assert range_test.question(SMALL) == range_test.question(other)
    assert range_test.question(SMALL) != range_test.question(SMALL.replace(batch=99))


def test_on_the_sample_the_loss_falls_before_it_explodes():
    found = range_fit.test_rates(SMALL)
    assert found.suggested is not None and 1e-5 < found.suggested < 1
    assert np.isfinite(found.losses).all() and min(found.smoothed) < 2.0
    assert found.rates[0] == range_test.LOWEST and len(found.rates) <= range_test.STEPS
