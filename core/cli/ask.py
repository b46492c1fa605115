"""`python -m core predict`, `evaluate` and `runs measure`: what a run's exported network answers.

`predict` answers one file after the other and writes each answer at once, so that a thousand files
need no more memory than one; a file that cannot be read gets a sentence instead of an answer and
does not stop the others.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from core import inference, pictures, runs, settings
from core.cli import terminal
from core.errors import AtelierError, UnreadablePicture
from core.inference.answer import PreparationOptions, ask
from core.labels import CLASS_NAMES
from core.pictures.image_files import FORMATS, MOST_BYTES

_ANSWER_KEYS = ("class", "label", "confidence", "probabilities", "sure", "warnings")


def predict(arguments: argparse.Namespace) -> int:
    """Answer each file; the status is 1 if any could not be read."""
    network = inference.load(arguments.run or runs.champion().id)
    failed = False
    for file in arguments.files:
        answer: dict[str, Any] = dict.fromkeys(_ANSWER_KEYS)
        error = None
        try:
            answer = _answer(network, file, arguments)
        except UnreadablePicture as problem:
            failed, error = True, str(problem)
        if arguments.json:
            terminal.emit({"file": file, **answer, "error": error})
        elif error:
            terminal.remark(f"{file}: {error}")
        else:
            for warning in answer["warnings"]:
                terminal.remark(f"{file}: {warning}")
            doubt = "" if answer["sure"] else "  (not sure)"
            confidence = terminal.percent(answer["confidence"])
            print(f"{file}: {answer['label']}, {confidence}{doubt}", flush=True)
    return int(failed)


def _answer(network: inference.Network, file: str, arguments: argparse.Namespace) -> dict[str, Any]:
    options = PreparationOptions(
        polarity=arguments.polarity.replace("-", " "),
        trim=arguments.trim,
        fill=arguments.fill,
        crop=arguments.crop,
    )
    answered = ask(network, pictures.read(_bytes(file), file, arguments.crop), options)
    prediction, warnings = answered.prediction, answered.question.prepared.warnings
    if prediction is None:
        raise UnreadablePicture(" ".join(warnings))
    return {
        "class": prediction.label,
        "label": CLASS_NAMES[prediction.label],
        "confidence": round(prediction.confidence, 6),
        "probabilities": [round(float(share), 6) for share in prediction.probabilities],
        "sure": prediction.sure,
        "warnings": warnings,
    }


def _bytes(file: str) -> bytes:
    """The bytes of a file or of standard input, at most one more than `pictures.read` accepts."""
    try:
        if file == "-":
            return sys.stdin.buffer.read(MOST_BYTES + 1)
        with open(file, "rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = error.strerror if isinstance(error, OSError) else "that cannot be a file's name"
        raise UnreadablePicture(
            f"The file cannot be read ({reason}). Name a picture ({', '.join(FORMATS)})."
        ) from error


def evaluate(arguments: argparse.Namespace) -> int:
    """Let the network answer all pictures of a split, and judge the answers."""
    from core import evaluation
    from core.data import fashion_mnist, splits

    run = runs.read(arguments.run) if arguments.run else runs.champion()
    network = inference.load(run.id)
    data = fashion_mnist.load(arguments.data or run.spec.data)
    pixels, labels = data.test_pixels, data.test_labels
    if arguments.split == "validation" and run.spec.validation != "test":
        held_out = splits.split_for(data.train_labels, run.spec)[1]
        if not len(held_out):
            raise AtelierError(
                f"The run {run.id} was trained without validation pictures. Evaluate it with "
                f"--split test."
            )
        pixels, labels = data.train_pixels[held_out], data.train_labels[held_out]
    result = evaluation.evaluate(network.probabilities(pixels), labels)
    if arguments.json:
        terminal.emit(
            {
                "run": run.id,
                "data": data.name,
                "split": arguments.split,
                "accuracy": result.accuracy,
                "loss": result.loss,
                "n": result.n,
                "confusion": result.confusion,
            }
        )
        return 0
    title = "the offline sample" if data.is_sample else data.title
    print(f"{run.name} ({run.id}) on {result.n:,} {arguments.split} pictures of {title}:")
    print(f"accuracy {terminal.percent(result.accuracy)}, loss {result.loss:.4f}\n")
    rows = [
        (
            row.name,
            *(terminal.percent(share) for share in (row.precision, row.recall, row.f1)),
            f"{row.support:,}",
        )
        for row in result.report
    ]
    terminal.table(("class", "precision", "recall", "F1", "pictures"), rows, right=(1, 2, 3, 4))
    return 0


def measure(arguments: argparse.Namespace) -> int:
    """Measure a run on the held-out drawings, and on photographs if there are some, and keep the
    figures with it.
    """
    from core.outside import measured
    from core.outside.report import HEADER, Report
    from core.outside.report import measure as measure_kind

    run = runs.read(arguments.run) if arguments.run else runs.champion()
    network = inference.load(run.id)
    photographs = arguments.photographs or settings.photographs_folder()
    line = terminal.ProgressLine()
    reports: dict[str, Report] = {}
    pictures = measured.held_out(arguments.count, photographs, settings.people_folders())
    for kind, held_out in pictures.items():

        def show(done: int, count: int, kind: str = kind) -> None:
            line.show(f"{kind} {done} of {count}")

        reports[kind] = measure_kind(network, held_out, progress=show)
        line.clear()
    kept = not run.shipped
    if kept:
        measured.save(run.id, reports)
    if arguments.json:
        for kind, report in reports.items():
            terminal.emit({"run": run.id, "kind": kind, "kept": kept, **report.shares()})
        return 0
    print(f"{run.name} ({run.id}) on pictures from outside its data set:\n")
    rows = [report.row(kind) for kind, report in reports.items()]
    terminal.table(HEADER, rows, right=range(1, len(HEADER)))
    for kind, report in reports.items():
        if report.unreadable:
            names = ", ".join(report.unreadable[:5])
            others = " and others" if len(report.unreadable) > 5 else ""
            count = len(report.unreadable)
            terminal.remark(f"{kind}: {count} could not be read: {names}{others}.")
    if not kept:
        terminal.remark("A shipped run is read-only, so these figures are not kept.")
    return 0
