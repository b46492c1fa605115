"""The command line as its users meet it: what it prints, where, and with which status it ends."""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from core import engine, labels, pictures, runs
from core.cli import terminal
from core.cli.parser import DATA, _parser, action, main
from core.data import fashion_mnist as dataset
from core.data import idx_files, splits
from core.networks import architectures
from core.outside import measured as outside_figures
from core.outside import sources
from core.settings import ROOT
from core.specs.fields import DataName
from core.specs.presets import PRESETS
from core.specs.spec import TrainSpec
from tests.fixtures import SPEC, finished_run
from tests.small_networks import answers, patterns, template_network

SMALL = [
    "--set",
    "data=offline-sample",
    "--preset",
    "lab3-cnn",
    "--set",
    "filters=4",
    "--set",
    "dense_units=",
    "--set",
    "batch=64",
]
PREDICTED = {"file", "class", "label", "confidence", "probabilities", "sure", "warnings", "error"}


def finished(spec: TrainSpec = SPEC) -> str:
    """A finished run in the library whose network is the hand-written one."""
    return finished_run(spec, scores={"test_accuracy": 0.9, "test_loss": 0.3})


@pytest.fixture
def champion() -> str:
    run_id = finished()
    runs.promote(run_id)
    return run_id


@pytest.fixture
def shirt(tmp_path) -> Path:
    """A dark garment on white, as a file."""
    pixels = np.full((200, 160, 3), 255, np.uint8)
    pixels[40:180, 50:110] = 60
    pixels[40:80, 20:140] = 60
    path = tmp_path / "shirt.png"
    Image.fromarray(pixels).save(path)
    return path


def objects(capsys) -> list[dict]:
    """What was printed, as one JSON object a line; nothing else may be there."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def refused(capsys, *arguments: str) -> str:
    """The one sentence on standard error of a command that ends with status 1 and no answer."""
    assert main(list(arguments)) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and "Traceback" not in err
    return err


def command(*arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "core", *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def read_until(process: subprocess.Popen, start: str) -> str:
    """The first line of standard error that begins so."""
    seen = []
    for line in process.stderr:
        seen.append(line)
        if line.startswith(start):
            return line
    raise AssertionError(f"no line began with {start!r}:\n{''.join(seen)}")


# --- predict --------------------------------------------------------------------------------------


def test_predict_prints_one_object_for_each_file(champion, shirt, tmp_path, capsys):
    other = tmp_path / "other.jpg"
    Image.open(shirt).rotate(90, expand=True, fillcolor="white").save(other)
    assert main(["predict", str(shirt), str(other), "--json"]) == 0
    first, second = objects(capsys)
    assert set(first) == PREDICTED and [first["file"], second["file"]] == [str(shirt), str(other)]
    expected, _ = answers(pictures.prepare(Image.open(shirt)).pixels[None], patterns())
    assert first["probabilities"] == pytest.approx(expected[0].tolist(), abs=1e-5)
    assert (
        first["class"] == int(expected.argmax())
        and first["label"] == labels.CLASS_NAMES[first["class"]]
    )
    assert first["confidence"] == max(first["probabilities"]) and sum(
        first["probabilities"]
    ) == pytest.approx(1, abs=1e-4)
    assert first["sure"] is (first["confidence"] >= 0.5) and first["error"] is None


def test_predict_names_what_it_cannot_read_and_answers_the_rest(champion, shirt, tmp_path, capsys):
    bad = {
        name: tmp_path / name
        for name in (
            "empty.png",
            "document.png",
            "blank.png",
            "folder.png",
            "missing.png",
            "cut.png",
        )
    }
    bad["empty.png"].write_bytes(b"")
    bad["document.png"].write_bytes(b"%PDF-1.7\n")
    Image.new("RGB", (40, 40), "white").save(bad["blank.png"])
    bad["folder.png"].mkdir()
    bad["cut.png"].write_bytes(shirt.read_bytes()[:120])
    assert main(["predict", *map(str, bad.values()), str(shirt), "--json"]) == 1
    *failed, good = objects(capsys)
    assert [entry["file"] for entry in failed] == [str(path) for path in bad.values()]
    for entry in failed:
        assert set(entry) == PREDICTED and len(entry["error"]) > 20
        assert all(entry[key] is None for key in PREDICTED - {"file", "error"})
    assert "PDF" in failed[1]["error"] and "No such file" in failed[4]["error"]
    assert good["error"] is None and good["label"]


def test_predict_without_json_says_it_in_words_and_complains_on_standard_error(
    champion, shirt, tmp_path, capsys
):
    assert main(["predict", str(shirt), str(tmp_path / "no.png")]) == 1
    out, err = capsys.readouterr()
    assert (
        out.startswith(f"{shirt}: ")
        and any(name in out for name in labels.CLASS_NAMES)
        and "%" in out
    )
    assert err.startswith(f"{tmp_path / 'no.png'}: The file cannot be read")


def test_predict_answers_with_the_run_that_is_named(champion, shirt, capsys):
    other = finished()
    runs.write(other, "model.onnx", template_network(patterns(seed=1)))
    assert main(["predict", str(shirt), "--run", other, "--json"]) == 0
    assert main(["predict", str(shirt), "--json"]) == 0
    named, default = objects(capsys)
    assert named["probabilities"] != default["probabilities"]


def test_predict_refuses_a_malformed_id_and_a_missing_run(shirt, capsys):
    assert "cannot be a run's id" in refused(capsys, "predict", str(shirt), "--run", "../etc")
    assert "There is no run 20200101" in refused(capsys, "predict", str(shirt), "--run", "20200101")


def test_predict_takes_options_for_the_preparation(champion, shirt, capsys):
    assert main(
        ["predict", str(shirt), "--polarity", "light-on-dark", "--no-trim", "--no-fill", "--json"]
    ) in (0, 1)
    [entry] = objects(capsys)
    assert set(entry) == PREDICTED


def test_predict_reads_standard_input(champion, shirt):
    process = subprocess.run(
        [sys.executable, "-m", "core", "predict", "-", "--json"],
        cwd=ROOT,
        input=shirt.read_bytes(),
        capture_output=True,
    )
    assert json.loads(process.stdout)["file"] == "-" and process.returncode == 0


def test_predict_imports_neither_tensorflow_nor_what_trains_and_draws(champion, shirt):
    code = (
        "import sys\nfrom core.cli.parser import main\n"
        f"status = main(['predict', {str(shirt)!r}])\n"
        "print(status, *sorted({'tensorflow', 'keras', 'sklearn', 'streamlit', 'distributed', 'pandas'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True)
    assert process.stdout.splitlines()[-1] == "0", process.stderr


def test_a_reader_that_goes_away_causes_no_traceback(champion, shirt):
    process = command("predict", *[str(shirt)] * 50, "--json")
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 141


# --- evaluate and presets -------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["test", "validation"])
def test_evaluate_counts_what_the_network_answers(champion, split, capsys):
    assert main(["evaluate", "--split", split, "--json"]) == 0
    [result] = objects(capsys)
    data = dataset.load("offline-sample")
    pixels, labels = data.test_pixels, data.test_labels
    if split == "validation":
        kept = splits.split(
            data.train_labels, SPEC.validation, SPEC.validation_fraction, SPEC.seed
        )[1]
        pixels, labels = data.train_pixels[kept], data.train_labels[kept]
    expected, _ = answers(pixels, patterns())
    right = expected.argmax(1) == labels
    assert result["n"] == len(labels) == sum(map(sum, result["confusion"]))
    assert (
        result["accuracy"] == pytest.approx(right.mean())
        and sum(result["confusion"][i][i] for i in range(10)) == right.sum()
    )
    of_truth = np.clip(expected[np.arange(len(labels)), labels], 1e-7, 1)  # as Keras cuts it off
    assert result["loss"] == pytest.approx(-np.log(of_truth).mean(), rel=1e-3)
    assert (result["run"], result["data"], result["split"]) == (champion, "offline-sample", split)


def test_evaluate_says_when_it_was_the_offline_sample(champion, capsys):
    assert main(["evaluate"]) == 0
    out = capsys.readouterr().out
    assert "400 test pictures of the offline sample" in out and all(
        name in out for name in labels.CLASS_NAMES
    )


def test_evaluate_on_missing_data_says_how_to_get_them(champion, capsys):
    assert "Download it" in refused(capsys, "evaluate", "--data", "fashion-mnist")


def test_evaluate_on_the_real_data_counts_ten_thousand(champion, fashion_mnist, capsys):
    assert main(["evaluate", "--data", "fashion-mnist", "--json"]) == 0
    [result] = objects(capsys)
    assert result["n"] == 10_000 and [sum(row) for row in result["confusion"]] == [1000] * 10


def test_evaluate_refuses_a_validation_split_that_a_run_did_not_have(capsys):
    run_id = finished(SPEC.replace(validation="none"))
    assert "--split test" in refused(capsys, "evaluate", run_id, "--split", "validation")


def test_evaluate_refuses_a_run_without_a_network(capsys):
    assert "Resume" in refused(capsys, "evaluate", runs.create(SPEC))


def test_presets_come_with_parameters_and_a_spec_that_can_be_read_back(capsys):
    assert main(["presets", "--json"]) == 0
    found = objects(capsys)
    assert [entry["name"] for entry in found] == list(PRESETS)
    for entry in found:
        spec = TrainSpec.from_dict(entry["spec"])
        assert spec == PRESETS[entry["name"]].spec and entry[
            "parameters"
        ] == architectures.parameters(spec)


# --- train ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "nonsense"], "the presets are swift, lab3-cnn"),
        (["--set", "epochs"], "--set takes a setting and its value"),
        (["--set", "speed=9"], "There is no setting called 'speed'; the settings are name, data"),
        (["--epochs", "many"], "whole number from 1 to 500"),
        (["--epochs", "0"], "whole number from 1 to 500"),
        (["--seed", "-1"], "(seed) must be"),
        (["--set", "learning_rate=nan"], "(learning_rate) must be"),
        (["--set", "optimizer=adamm"], "one of adam, adamw, sgd, rmsprop"),
        (["--name", ""], "a name of 1 to 60 characters"),
        (["--resume", "20200101-x"], "There is no run 20200101-x"),
        (["--resume", "../x"], "cannot be a run's id"),
        (["--resume", "20200101-x", "--epochs", "3"], "keeps its settings"),
        (["--bogus"], "Unrecognized arguments: --bogus"),
    ],
)
def test_train_refuses_what_it_cannot_do_before_a_run_is_created(arguments, sentence, capsys):
    assert sentence in refused(capsys, "train", *arguments)
    assert [run for run in runs.list_runs() if not run.shipped] == []


def test_train_without_data_and_without_network_names_the_remedy(monkeypatch, capsys):
    monkeypatch.setattr(idx_files, "SOURCES", ("http://127.0.0.1:9/",))
    assert main(["train", "--local"]) == 1
    assert "ATELIER_DATA" in capsys.readouterr().err
    assert [run for run in runs.list_runs() if not run.shipped] == []


def test_train_in_this_process_prints_the_record_of_a_run_that_then_answers(shirt, capsys):
    assert (
        main(
            [
                "train",
                "--local",
                *SMALL,
                "--epochs",
                "1",
                "--seed",
                "7",
                "--name",
                "by hand",
                "--json",
            ]
        )
        == 0
    )
    out, err = capsys.readouterr()
    record = json.loads(out.splitlines()[-1])
    assert record == runs.read(record["id"]).finished_record.to_dict()
    assert (
        record["status"],
        record["spec"]["seed"],
        record["spec"]["epochs"],
        record["spec"]["name"],
    ) == ("finished", 7, 1, "by hand")
    assert "epoch 1: loss" in err and "validation loss" in err
    assert main(["evaluate", record["id"], "--json"]) == 0
    assert objects(capsys)[0]["accuracy"] == pytest.approx(record["scores"]["test_accuracy"])
    assert main(["predict", str(shirt), "--run", record["id"]]) == 0
    capsys.readouterr()
    assert "nothing to resume" in refused(capsys, "train", "--resume", record["id"])


@pytest.mark.timeout(240)
def test_training_on_the_engine_survives_its_end_and_keeps_what_was_learned_at_ctrl_c(capsys):
    process = command("train", *SMALL, "--epochs", "500", "--json")
    try:
        run_id = read_until(process, "Training ").split()[1].rstrip(",")
        read_until(process, "epoch 1:")
        assert main(["engine", "status", "--json"]) == 0
        [status] = objects(capsys)
        assert status["running"] == 1 and [job["run"] for job in status["jobs"]] == [run_id]
        assert main(["engine", "stop"]) == 0
        rest = process.stderr.read()
        assert (
            process.wait(60) == 1
            and f"--resume {run_id}" in rest.splitlines()[-1]
            and "Traceback" not in rest
        )
        done = len(runs.history(run_id))
        assert not runs.read(run_id).finished and done >= 1

        process = command("train", "--resume", run_id, "--json")
        assert f"{run_id} after epoch {done}" in read_until(process, "Resuming ")
        read_until(process, f"epoch {done + 1}:")
        process.send_signal(signal.SIGINT)
        assert "what was learned is kept" in read_until(process, "Stopping")
        out, _ = process.communicate(timeout=90)
        record = json.loads(out.splitlines()[-1])
        assert (
            process.returncode == 0
            and record["status"] == "stopped"
            and record["epochs_done"] > done
        )
        assert runs.read(run_id).finished
    finally:
        process.kill()
        engine.end_own()


# --- runs -----------------------------------------------------------------------------------------


def test_runs_are_listed_with_the_champion_marked(champion, capsys):
    unfinished = runs.create(SPEC)
    assert main(["runs", "--json"]) == 0
    found = {entry["id"]: entry for entry in objects(capsys)}
    assert found[champion]["champion"] and found[champion]["test_accuracy"] == 0.9
    assert (
        found[unfinished]["status"] == "unfinished" and found[unfinished]["test_accuracy"] is None
    )
    assert main(["runs", "list", "--finished", "--json"]) == 0
    assert unfinished not in {entry["id"] for entry in objects(capsys)}
    assert main(["runs"]) == 0
    assert any(
        line.startswith("*") and champion in line for line in capsys.readouterr().out.splitlines()
    )


def test_a_damaged_run_is_named_and_hides_no_other(champion, capsys):
    broken = finished()
    (Path(os.environ["ATELIER_RUNS"]) / broken / "run.json").write_text("{")
    assert main(["runs", "list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert champion in out and broken not in out and broken in err


def test_a_run_is_renamed_noted_and_shown(champion, capsys):
    assert main(["runs", "rename", champion, "Ärmel"]) == 0
    assert main(["runs", "note", champion, "kept for the lesson"]) == 0
    capsys.readouterr()
    assert main(["runs", "show", champion, "--json"]) == 0
    [shown] = objects(capsys)
    assert (shown["name"], shown["note"]) == ("Ärmel", "kept for the lesson")
    assert shown["record"]["id"] == champion and shown["history"][0]["epoch"] == 1
    assert main(["runs", "show", champion]) == 0
    out = capsys.readouterr().out
    assert "Ärmel" in out and "filters = 4" in out and "kept for the lesson" in out
    assert "a name of 1 to 60 characters" in refused(capsys, "runs", "rename", champion, " ")


def test_promoting_and_deleting_runs_from_the_terminal(champion, capsys):
    other = finished()
    assert main(["runs", "promote", other]) == 0 and runs.champion().id == other
    capsys.readouterr()
    assert main(["runs", "delete", other, champion, "--json"]) == 0
    assert [entry["id"] for entry in objects(capsys)] == [other, champion]
    assert all(run.shipped for run in runs.list_runs())
    assert "There is no run" in refused(capsys, "runs", "delete", other)
    assert "in the bin" in refused(capsys, "runs", "show", other)
    assert "cannot be deleted" in refused(capsys, "runs", "delete", "shipped")
    assert "not finished" in refused(capsys, "runs", "promote", runs.create(SPEC))


def test_the_bin_from_the_terminal(champion, capsys):
    other = finished()
    assert main(["runs", "delete", other, champion]) == 0
    capsys.readouterr()
    assert main(["runs", "bin", "--json"]) == 0
    assert {entry["id"] for entry in objects(capsys)} == {other, champion}
    assert main(["runs", "restore", champion]) == 0 and runs.read(champion).finished
    capsys.readouterr()
    assert "not in the bin" in refused(capsys, "runs", "restore", champion)
    assert main(["runs", "empty-bin", "--json"]) == 0
    assert [entry["deleted"] for entry in objects(capsys)] == [[other]]
    assert main(["runs", "bin"]) == 0
    assert "The bin is empty" in capsys.readouterr().err


def test_a_run_is_exported_as_a_zip_that_overwrites_nothing(
    champion, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["runs", "export", champion, "--json"]) == 0
    [exported] = objects(capsys)
    with zipfile.ZipFile(exported["file"]) as archive:
        assert archive.testzip() is None and f"{champion}/run.json" in archive.namelist()
    assert "already exists" in refused(capsys, "runs", "export", champion)
    assert "cannot be written" in refused(
        capsys, "runs", "export", champion, "--to", str(tmp_path / "no" / "where.zip")
    )
    assert main(["runs", "export", champion, "--folder", str(tmp_path / "shipped")]) == 0
    assert (tmp_path / "shipped" / "run.json").exists()


# --- runs measure ---------------------------------------------------------------------------------


@pytest.fixture
def photographs(tmp_path, shirt) -> Path:
    """A folder of photographs of shirts, hats and one damaged file, among them some that are held
    out.
    """
    for name in ("shirt", "hat"):
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "photographs" / name / f"{number}.png").write_bytes(
                shirt.read_bytes() if number else b"cut off"
            )
    return tmp_path / "photographs"


def test_a_run_is_measured_on_what_is_held_out_and_keeps_its_figures(champion, photographs, capsys):
    assert (
        main(["runs", "measure", "--count", "10", "--photographs", str(photographs), "--json"]) == 0
    )
    measured = {entry["kind"]: entry for entry in objects(capsys)}
    assert set(measured) == {"sketches", "icons", "scribbles", "photographs"}
    kept = outside_figures.load(champion).reports
    for kind, entry in measured.items():
        assert (entry["run"], entry["kept"]) == (champion, True)
        assert entry["accuracy"] == kept[kind].accuracy and entry["pictures"] == kept[kind].pictures
    assert measured["scribbles"]["none_of_the_ten"] == 10 and measured["icons"]["pictures"] == 10
    held_out = sources.list_photographs(photographs, "held-out")
    assert (
        measured["photographs"]["pictures"] + measured["photographs"]["unreadable"]
        == len(held_out)
        > 0
    )


def test_photographs_are_named_by_the_environment_or_left_out(
    champion, photographs, monkeypatch, capsys
):
    assert main(["runs", "measure", champion, "--count", "2"]) == 0
    assert set(outside_figures.load(champion).reports) == {"sketches", "icons", "scribbles"}
    assert "accuracy where sure" in capsys.readouterr().out
    monkeypatch.setenv("ATELIER_PHOTOS", str(photographs))
    assert main(["runs", "measure", champion, "--count", "2", "--json"]) == 0
    assert "photographs" in outside_figures.load(champion).reports
    capsys.readouterr()
    monkeypatch.setenv("ATELIER_PHOTOS", str(photographs / "none"))
    assert "cannot be opened as a folder" in refused(capsys, "runs", "measure", champion)


def test_the_network_that_ships_is_measured_and_left_as_it_is(capsys):
    before = runs.version(runs.SHIPPED)
    assert main(["runs", "measure", runs.SHIPPED, "--count", "2"]) == 0
    out, err = capsys.readouterr()
    assert "sketches" in out and "read-only" in err and runs.version(runs.SHIPPED) == before


# --- data, engine, and the rest -------------------------------------------------------------------


def test_data_status_says_that_data_are_missing_and_how_to_get_them(capsys):
    assert main(["data", "--json"]) == 0
    [status] = objects(capsys)
    assert (
        status["available"] is False
        and status["folder"] is None
        and "offline sample" in status["sentence"]
    )


def test_data_status_names_the_folder_of_the_user(fashion_mnist, capsys):
    assert main(["data", "status", "--json"]) == 0
    [status] = objects(capsys)
    assert status["available"] and status["origin"] == "ATELIER_DATA"


def test_data_download_without_a_network_is_one_sentence(monkeypatch, capsys):
    monkeypatch.setattr(idx_files, "SOURCES", ("http://127.0.0.1:9/",))
    assert "ATELIER_DATA" in refused(capsys, "data", "download")


def test_data_sample_writes_pictures_of_the_test_split(tmp_path, capsys):
    assert (
        main(["data", "sample", str(tmp_path / "some"), "--count", "5", "--seed", "2", "--json"])
        == 0
    )
    written = objects(capsys)
    data = dataset.load("offline-sample")
    assert len(written) == 5 and len(list((tmp_path / "some").iterdir())) == 5
    for entry in written:
        position = int(Path(entry["file"]).stem.rsplit("-", 1)[1])
        assert np.array_equal(np.asarray(Image.open(entry["file"])), data.test_pixels[position])
        assert entry["class"] == data.test_labels[position] and entry["data"] == "offline-sample"
    assert "whole number from 1" in refused(capsys, "data", "sample", "--count", "none")
    (tmp_path / "file").write_text("x")
    assert "cannot be written to" in refused(capsys, "data", "sample", str(tmp_path / "file"))


def test_no_engine_is_an_answer_and_an_unreachable_one_an_error(monkeypatch, capsys):
    assert main(["engine", "--json"]) == 0
    assert objects(capsys) == [{"available": False, "address": None, "jobs": []}]
    assert main(["engine", "stop"]) == 0
    assert "No engine is running" in capsys.readouterr().out
    assert "--foreground" in refused(capsys, "engine", "start", "--workers", "2")
    monkeypatch.setenv("ATELIER_ENGINE", "tcp://127.0.0.1:9")
    assert "ATELIER_ENGINE" in refused(capsys, "engine", "status")
    assert "ATELIER_ENGINE" in refused(capsys, "engine", "stop")


def test_every_command_has_something_that_carries_it_out():
    parser = _parser()

    def commands(parser) -> set[str]:
        own = {parser.get_default("command")} - {None}
        groups = [
            entry for entry in parser._actions if isinstance(entry, argparse._SubParsersAction)
        ]
        return own.union(*(commands(sub) for group in groups for sub in group.choices.values()))

    found = commands(parser)
    assert len(found) == 24 and all(callable(action(command)) for command in found)


def test_the_data_sets_of_the_command_line_are_those_of_a_spec():
    assert get_args(DataName) == DATA


def test_help_imports_neither_numpy_nor_what_carries_out_commands():
    code = (
        "import sys\nfrom core.cli.parser import main\n"
        "status = main([])\n"
        "print(status, *sorted({'numpy', 'fsspec', 'core.runs', 'core.specs'} & set(sys.modules)))"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True)
    assert process.stdout.splitlines()[-1] == "0", process.stderr


def test_no_command_at_all_shows_what_there_is(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(
        word in out
        for word in ("train", "evaluate", "predict", "presets", "runs", "data", "engine")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["cook"],
        ["runs", "cook"],
        ["predict"],
        ["evaluate", "--split", "all"],
        ["runs", "note", "x"],
    ],
)
def test_a_command_line_that_makes_no_sense_is_one_sentence(arguments, capsys):
    assert "--help` lists what there is" in refused(capsys, *arguments)


def test_json_may_stand_before_or_after_the_command(capsys):
    assert main(["--json", "presets"]) == 0 and main(["presets", "--json"]) == 0
    found = objects(capsys)
    assert found[: len(PRESETS)] == found[len(PRESETS) :]


def test_what_is_not_a_number_becomes_null_in_json(capsys):
    terminal.emit(
        {"loss": math.nan, "rows": [np.float32(0.5), np.arange(2), (math.inf,)], "n": np.int64(3)}
    )
    assert objects(capsys) == [{"loss": None, "rows": [0.5, [0, 1], [None]], "n": 3}]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (41, "0:41"), (725, "12:05"), (3753, "1:02:33")]
)
def test_times_read_like_a_clock(seconds, text):
    assert terminal.clock(seconds) == text
