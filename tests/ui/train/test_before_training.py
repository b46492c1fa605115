"""What the form shows before anything is trained: augmented pictures, and a rate to take over."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from core.training import range_test
from tests.ui.train.test_train_page import with_sample
from ui import cache


@pytest.fixture(autouse=True)
def fresh_caches():
    """What one test put into the shared caches is nothing to the next."""
    st.cache_resource.clear()
    st.cache_data.clear()


def altered(app) -> list[str]:
    bodies = [element.proto.body for element in app.main.get("html")]
    return [body for body in bodies if ", altered" in body]


def test_the_preview_follows_the_settings_and_draws_again():
    app = with_sample()
    for key in ("flip", "shift", "rotate", "erase"):  # whatever the preset has
        field = next(
            one
            for one in (*app.toggle, *app.text_input, *app.number_input)
            if one.key == f"train_{key}"
        )
        field.set_value(False if key == "flip" else type(field.value)(0))
    app.run()
    assert altered(app) == []
    app.text_input(key="train_erase").set_value("1.0").run()
    first = altered(app)
    assert len(first) == 2 and "".join(first).count("<img") == 8
    app.run()
    assert altered(app) == first, "the same draw until another is asked for"
    app.button(key="train_preview_again").click().run()
    assert altered(app) != first


def test_a_suggested_rate_is_taken_over_into_the_form(monkeypatch):
    rates = range_test.rates()
    found = range_test.judge(rates, [2.3 - 0.01 * place for place in range(len(rates))], 3.0)
    done = SimpleNamespace(done=True, result=lambda: found)
    monkeypatch.setattr(cache, "engine", lambda: SimpleNamespace(test_rates=lambda spec: done))
    app = with_sample()
    app.button(key="train_rates").click().run()
    assert not app.exception
    app.button(key="train_rates_use").click().run()
    assert float(app.text_input(key="train_learning_rate").value) == found.suggested == 1.0
    assert app.button(key="train_rates_use"), "the same curve still answers"
