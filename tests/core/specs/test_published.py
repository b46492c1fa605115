"""The presets of published reports against what the reports say, and the comparison of a run with
them.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from core.data import splits
from core.labels import CLASS_NAMES
from core.networks.architectures import blueprint
from core.runs.record import Epoch, Scores
from core.specs.presets import PRESETS, matching
from core.specs.published import Published, compare
from core.specs.spec import TrainSpec

REPORTS = {name: preset for name, preset in PRESETS.items() if preset.published}
EPOCHS = [
    Epoch(1, 0.5, 0.8, val_accuracy=0.93, val_loss=0.30),
    Epoch(2, 0.4, 0.9, val_accuracy=0.90, val_loss=0.35),
]
SCORES = Scores(
    test_accuracy=0.91, test_loss=0.25, test_loss_uncalibrated=0.27, validation_accuracy=0.93
)


def layers(name: str) -> list[str]:
    """The layers of a preset in words, without those that have nothing to choose."""
    words = {
        "Conv2D": "conv",
        "MaxPooling2D": "pool",
        "Dense": "dense",
        "Dropout": "dropout",
        "Activation": "to",
    }
    described = []
    for layer in blueprint(PRESETS[name].spec):
        if layer.kind in words:
            options = layer.options
            value = (
                f"{options['filters']} {options['padding']}"
                if layer.kind == "Conv2D"
                else str(options.get("units", options.get("rate", options.get("activation", ""))))
            )
            described.append(f"{words[layer.kind]} {value}".strip())
    return described


def test_layers_stand_in_the_order_of_the_reports():
    assert layers("project-cnn-3") == [
        "conv 64 valid",
        "to relu",
        "pool",
        "conv 128 same",
        "to relu",
        "pool",
        "conv 64 same",
        "to relu",
        "dense 128",
        "to relu",
        "dropout 0.25",
        "dense 256",
        "to relu",
        "dropout 0.5",
        "dense 256",
        "to relu",
        "dropout 0.25",
        "dense 128",
        "to relu",
        "dropout 0.1",
        "dense 10",
        "to softmax",
    ]
    assert layers("project-cnn-2")[6:] == [
        "dense 128",
        "to relu",
        "dropout 0.25",
        "dense 256",
        "to relu",
        "dropout 0.25",
        "dense 128",
        "to relu",
        "dense 10",
        "to softmax",
    ]
    assert layers("assignment6-cnn")[-7:] == [
        "pool",
        "dropout 0.4",
        "dense 128",
        "to leaky_relu",
        "dropout 0.3",
        "dense 10",
        "to softmax",
    ]
    assert layers("notebook-cnn") == [
        "conv 28 valid",
        "to relu",
        "pool",
        "conv 56 valid",
        "to relu",
        "dense 56",
        "to relu",
        "dense 10",
        "to softmax",
    ]
    assert layers("project-mlp") == [
        "dense 50",
        "to tanh",
        "dense 50",
        "to tanh",
        "dense 10",
        "to softmax",
    ]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lab3-cnn", ("adam", 0.001, 64, 20, "last", 0.2)),
        ("project-cnn-1", ("adam", 0.001, 512, 10, "random", 0.2)),
        ("project-cnn-2", ("adam", 0.001, 512, 20, "random", 0.2)),
        ("project-cnn-3", ("adam", 0.001, 512, 50, "random", 0.2)),
        ("project-mlp", ("sgd", 0.001, 128, 100, "random", 0.2)),
        ("assignment6-cnn", ("adam", 0.001, 64, 20, "last", 0.2)),
        ("lab-sgd-cnn", ("sgd", 0.01, 32, 5, "test", 0.1)),
        ("lab-sgd-best", ("sgd", 0.001, 32, 20, "test", 0.1)),
        ("notebook-cnn", ("adam", 0.001, 32, 10, "last", 0.2)),
    ],
)
def test_training_follows_the_report(name, settings):
    spec = PRESETS[name].spec
    assert (
        spec.optimizer,
        spec.learning_rate,
        spec.batch,
        spec.epochs,
        spec.validation,
        spec.validation_fraction,
    ) == settings
    assert spec.name == name


def test_the_split_of_the_project_is_scikit_learns_with_random_state_2020():
    spec = PRESETS["project-cnn-1"].spec
    train, held_out = splits.split(
        np.zeros(60_000, np.int64), spec.validation, spec.validation_fraction, spec.seed
    )
    drawn = np.random.RandomState(2020).permutation(60_000)  # what train_test_split draws
    assert np.array_equal(held_out, drawn[:12_000]) and np.array_equal(train, drawn[12_000:])


def test_the_last_12_000_are_held_out_where_a_report_says_so():
    spec = PRESETS["notebook-cnn"].spec
    assert np.array_equal(
        splits.split(np.zeros(60_000), spec.validation, spec.validation_fraction, 0)[1],
        np.arange(48_000, 60_000),
    )


def test_no_two_presets_could_be_confused():
    for name, preset in PRESETS.items():
        assert matching(preset.spec.replace(name="mine", seed=7, epochs=3)).name == name
    assert matching(TrainSpec(batch=33)) is None


@pytest.mark.parametrize("name", REPORTS)
def test_published_figures_agree_with_each_other(name):
    published = REPORTS[name].published
    assert published.source
    for accuracy in (
        published.test_accuracy,
        published.validation_accuracy,
        published.best_validation_accuracy,
    ):
        assert accuracy is None or 0.8 < accuracy < 0.95
    for sweep in published.sweeps:
        assert len(sweep.values) == len(sweep.errors_percent) == 5
        for value in sweep.values:
            assert REPORTS[name].spec.replace(**{sweep.setting: value})
    if published.report:
        assert [line.name for line in published.report] == list(CLASS_NAMES)
        for line in published.report:  # of two figures that were rounded to a hundredth
            assert line.f1 == pytest.approx(
                2 * line.precision * line.recall / (line.precision + line.recall), abs=0.012
            )
        assert statistics.mean(line.recall for line in published.report) == pytest.approx(
            published.test_accuracy, abs=0.005
        )
    if published.folds:
        accuracies = [100 * accuracy for accuracy in published.folds.accuracies]
        assert statistics.mean(accuracies) == pytest.approx(published.folds.mean_percent, abs=0.005)
        assert statistics.pstdev(accuracies) == pytest.approx(
            published.folds.deviation_percent, abs=0.005
        )
        assert REPORTS[name].spec.replace(**published.folds.changes)


def test_every_figure_is_compared_with_its_like():
    published = Published(
        "a report", 0.92, 0.30, validation_accuracy=0.91, best_validation_accuracy=0.925
    )
    found = {
        one.figure: (one.published, one.ours)
        for one in compare(published, SCORES, EPOCHS, leaks=False)
    }
    assert found == {
        "test accuracy": (0.92, 0.91),
        "test loss": (0.30, 0.27),
        "validation accuracy, last epoch": (0.91, 0.90),
        "validation accuracy, best epoch": (0.925, 0.93),
    }
    assert [
        one.difference for one in compare(published, SCORES, EPOCHS, leaks=False)
    ] == pytest.approx([-0.01, -0.03, -0.01, 0.005])


def test_an_epoch_that_was_chosen_on_the_test_set_is_not_compared():
    found = compare(Published("a report", 0.92, 0.30), SCORES, EPOCHS, leaks=True)
    assert [(one.figure, one.ours) for one in found] == [
        ("test accuracy, last epoch", 0.90),
        ("test loss, last epoch", 0.35),
    ]


def test_a_report_without_figures_is_compared_with_nothing():
    assert compare(Published("a report"), SCORES, EPOCHS, leaks=False) == ()


def test_a_figure_that_a_run_lacks_has_no_difference():
    published = Published("a report", test_loss=0.3, best_validation_accuracy=0.9)
    missing = compare(published, Scores(test_accuracy=0.9), [], leaks=False)
    assert [one.difference for one in missing] == [None, None]
    assert compare(Published("a report", 0.9), SCORES, [], leaks=True)[0].difference is None


def test_an_uncalibrated_loss_that_was_not_recorded_is_the_loss():
    published = Published("a report", test_loss=0.3)
    assert compare(published, Scores(0.9, test_loss=0.25), [], leaks=False)[0].ours == 0.25
