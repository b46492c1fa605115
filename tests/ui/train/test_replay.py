"""What a training answered after each epoch, as the Train page replays it, and its first steps."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

from core import runs
from core.data import fashion_mnist
from core.engine import Job, JobState
from core.runs import Phase, Progress
from core.training.start_times import Step
from tests import fixtures
from tests.ui.train.test_train_page import SMALL, opened
from ui.train import first_steps


@pytest.fixture(autouse=True)
def fresh_caches():
    """What one test put into the shared caches is nothing to the next."""
    st.cache_resource.clear()
    st.cache_data.clear()


def watched_run() -> str:
    """A finished run of three epochs on the sample: nothing, half and all of its pictures right."""
    data = fashion_mnist.load("offline-sample")
    run_id = fixtures.finished_run(SMALL.replace(epochs=3), rows=fixtures.EPOCHS)
    indices = np.arange(0, 2000, 10)
    labels = data.train_labels[indices]
    runs.write_arrays(run_id, "split.npz", indices=indices.astype(np.int32), labels=labels)
    for epoch, share in ((1, 0.0), (2, 0.5), (3, 1.0)):
        right = np.arange(len(labels)) < share * len(labels)
        runs.write_arrays(
            run_id,
            f"epochs/{epoch:03d}.npz",
            prediction=np.where(right, labels, (labels + 1) % 10).astype(np.uint8),
            confidence=np.full(len(labels), 0.625, np.float16),
        )
        runs.write_arrays(
            run_id, f"epochs/{epoch:03d}.filters.npz", filters=np.ones((3, 3, 1, 4), np.float16)
        )
    return run_id


def shown(app) -> str:
    return " ".join(element.proto.body for element in app.main.get("html"))


def test_the_replay_says_in_words_and_colours_what_became_right():
    app = opened(run=watched_run(), epoch="3")
    html = shown(app)
    assert html.count("<figure class='right'>") == 24
    assert "wrong → right" in html and "✗" not in html and "62 %" in html.replace("\xa0", " ")
    assert "200 validation pictures, 100.0 % right" in html.replace("\xa0", " ")
    assert "The 4 filters of the first layer after epoch 3" in html


def test_slider_and_address_agree_on_the_epoch():
    run_id = watched_run()
    app = opened(run=run_id, epoch="1")
    assert "<figure class='right'>" not in shown(app)
    app.select_slider(key="train_replay_epoch").set_value(2).run()
    assert app.query_params["epoch"] == "2"


def test_playing_goes_through_the_epochs_and_ends_with_the_last():
    app = opened(run=watched_run(), epoch="1")
    app.button(key="train_play").click().run()
    for _ in range(3):
        if app.button(key="train_play").label == "Play the epochs":
            break
        app.run()
    assert app.button(key="train_play").label == "Play the epochs"
    assert app.select_slider(key="train_replay_epoch").value == 3


def test_an_epoch_that_is_not_there_gets_a_sentence():
    app = opened(run=watched_run(), epoch="77")
    assert any("the epoch “77”" in warning.value for warning in app.warning)


@pytest.mark.parametrize(
    ("job", "step"),
    [
        (Job("r", JobState.WAITING, 1), Step.ENGINE),
        (Job("r", JobState.WAITING, 2), None),
        (Job("r", JobState.RUNNING, 0), Step.IMPORT),
        (Job("r", JobState.RUNNING, 0, Progress("r", Phase.LOADING)), Step.DATA),
        (Job("r", JobState.RUNNING, 0, Progress("r", Phase.BUILDING)), Step.NETWORK),
        (Job("r", JobState.RUNNING, 0, Progress("r", Phase.TRAINING)), None),
    ],
)
def test_a_job_is_at_one_of_the_steps_before_its_first_batch(job, step):
    assert first_steps.present_step(job) is step
