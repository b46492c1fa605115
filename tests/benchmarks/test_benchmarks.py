"""The arithmetic behind the benchmarks' tables, and whether what they compare is comparable; times
are not tested.
"""

from __future__ import annotations

import importlib
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import evaluation as mistakes_benchmark
from benchmarks import outside as outside_benchmark
from benchmarks import time_to_accuracy
from benchmarks.report import Row, percentile
from benchmarks.workplace import workplace
from core import evaluation, runs
from core.data import fashion_mnist
from core.outside import generated
from core.specs.spec import TrainSpec

COMMANDS = (
    "app",
    "compare_runs",
    "evaluation",
    "inference",
    "network_page",
    "outside",
    "training_overhead",
    "time_to_accuracy",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_benchmark_explains_its_options(name, capsys):
    with pytest.raises(SystemExit) as end:
        importlib.import_module(f"benchmarks.{name}").main(["--help"])
    assert end.value.code == 0
    assert f"python -m benchmarks.{name}" in capsys.readouterr().out


def test_a_percentile_is_the_smallest_measurement_that_enough_others_do_not_exceed():
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([3.0, 1.0, 2.0], 0.95) == 3.0
    assert percentile([7.0], 0.95) == 7.0


def test_a_target_is_compared_with_the_figure_it_is_about():
    values = [0.1] * 90 + [9.0] * 10
    assert Row("x", values, "s", 0.5).met
    assert not Row("x", values, "s", 0.5, "p95").met
    assert not Row("x", [0.1] * 99 + [9.0], "s", 0.5, "max").met
    assert Row("x", [0.5], "s", 0.5).met
    assert Row("x", values, "s").met is None


def test_all_epochs_count_start_and_end_once():
    trained = SimpleNamespace(total=100.0, whole_epochs=[40.0])
    assert time_to_accuracy.all_epochs(trained) == 100.0 + 18 * 40.0


def test_the_last_line_has_mean_deviation_and_ratio_of_times():
    summary = time_to_accuracy.summarise([0.90, 0.92], [50.0, 70.0], [500.0, 700.0], {"swift": 0.4})
    assert summary["accuracy_mean"] == pytest.approx(0.91)
    assert summary["accuracy_std"] == pytest.approx(0.02 / 2**0.5)
    assert summary["seconds"] == 60.0
    assert summary["ratio"] == pytest.approx(0.1)
    assert time_to_accuracy.summarise([0.9], [1.0], [10.0], {})["accuracy_std"] == 0.0


def test_blurred_answers_leave_a_thousand_mistakes_after_every_filter():
    labels = np.arange(10_000) % 10
    sure = np.full((10_000, 10), 0.01, np.float32)
    sure[np.arange(10_000), labels] = 0.91
    blurred = mistakes_benchmark.blur(sure, labels)
    assert np.allclose(blurred.sum(axis=1), 1, atol=1e-5)
    for options in mistakes_benchmark.FILTERS:
        assert (
            len(evaluation.find_mistakes(blurred, labels, **options)) >= mistakes_benchmark.MISTAKES
        )


def test_a_blurred_run_is_one_that_the_library_reads(own_folders):
    data = fashion_mnist.load("offline-sample")
    answers = np.full((len(data.test_labels), 10), 0.1, np.float32)
    run_id = mistakes_benchmark.keep(runs.read(runs.SHIPPED), answers, data)
    run = runs.read(run_id)
    assert run.finished
    assert run.test_accuracy == pytest.approx((data.test_labels == 0).mean())
    assert np.array_equal(runs.test_predictions(run_id).probabilities, answers)
    assert runs.test_predictions(run_id).dataset == "offline-sample"


def test_a_workplace_is_empty_and_removed_afterwards(own_folders, monkeypatch):
    monkeypatch.setenv("ATELIER_RUNS", str(own_folders / "mine"))
    home = os.environ["ATELIER_HOME"]
    with workplace() as place:
        assert [run.id for run in runs.list_runs(finished_only=True) if not run.shipped] == []
        assert os.environ["ATELIER_HOME"] == str(place.home) != home
        assert "ATELIER_RUNS" not in os.environ
        assert place.data_name == "offline-sample"
    assert not place.home.exists()
    assert os.environ["ATELIER_HOME"] == home
    assert os.environ["ATELIER_RUNS"] == str(own_folders / "mine")


def test_a_bare_fit_learns_what_atelier_learns(own_folders):
    from benchmarks import bare_fit
    from core.training import trainer

    spec = TrainSpec(
        name="tiny",
        data="offline-sample",
        filters=(8,),
        dense_units=(16,),
        dropout=(0.0,),
        epochs=2,
        batch=100,
        seed=3,
    )
    bare = bare_fit.fit(spec)
    run_id = runs.create(spec)
    trainer.train(run_id)
    assert bare["val_accuracy"] == pytest.approx(runs.history(run_id)[-1].val_accuracy, abs=0.02)
    assert len(bare["epochs"]) == 2 and len(bare["whole_epochs"]) == 1
    assert bare["until_last"] > sum(bare["epochs"]) > 0


def test_a_folder_is_measured_class_by_class_and_its_last_line_is_json(own_folders, capsys):
    for name in ("1_trouser", "8_bag", "none_hats"):
        (own_folders / "pictures" / name).mkdir(parents=True)
        for number in range(2):
            kind, label = ("scribbles", 0) if name == "none_hats" else ("icons", int(name[0]))
            generated.draw(kind, label, np.random.default_rng(number)).save(
                own_folders / "pictures" / name / f"{number}.png"
            )
    (own_folders / "pictures" / "8_bag" / "broken.png").write_bytes(b"cut off")
    assert outside_benchmark.main([str(own_folders / "pictures")]) == 0
    out = capsys.readouterr().out
    found = json.loads(out.splitlines()[-1])
    assert (found["pictures"], found["none_of_the_ten"], found["unreadable"]) == (6, 2, 1)
    assert [(one["accepted"], one["pictures"]) for one in found["classes"]] == [([1], 2), ([8], 2)]
    assert (
        found["accuracy"]
        == sum(one["right"] for one in found["classes"]) / 4
        == np.trace(found["matrix"]) / 4
    )
    assert "8_bag/broken.png" in out and "load at start" in out


def test_a_folder_without_pictures_gets_a_sentence(own_folders, capsys):
    assert outside_benchmark.main([str(own_folders / "nothing")]) == 1
    assert "cannot be opened as a folder" in capsys.readouterr().err
