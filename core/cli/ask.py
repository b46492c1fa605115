"""`python -m core evaluate`, `predict` and `runs measure`: what a run's exported network answers.

One idea: a file of pictures is answered one by one and each answer is written at once, so that a
thousand files need no more memory than one, and one that cannot be read stops nothing: its line
says why.
"""

from __future__ import annotations

import argparse
import sys

from core import inference, runs
from core import pictures as picture
from core.cli import terminal
from core.errors import AtelierError, UnreadablePicture
from core.inference.answer import PreparationOptions, ask
from core.labels import CLASS_NAMES
from core.pictures.image_files import FORMATS, MOST_BYTES


def predict(arguments: argparse.Namespace) -> int:
    """Answer each file; the status is 1 if any could not be read."""
    network = inference.load(arguments.run or runs.champion().id)
    failed = False
    for file in arguments.files:
        answer = {"file": file} | dict.fromkeys(
            ("class", "label", "confidence", "probabilities", "sure", "warnings", "error")
        )
        try:
            answer.update(_answer(network, file, arguments))
        except UnreadablePicture as error:
            failed, answer["error"] = True, str(error)
        if arguments.json:
            terminal.emit(answer)
        elif answer["error"]:
            terminal.remark(f"{file}: {answer['error']}")
        else:
            for warning in answer["warnings"]:
                terminal.remark(f"{file}: {warning}")
            doubt = "" if answer["sure"] else "  (not sure)"
            print(
                f"{file}: {answer['label']}, {terminal.percent(answer['confidence'])}{doubt}",
                flush=True,
            )
    return int(failed)


def _answer(network: inference.Network, file: str, arguments: argparse.Namespace) -> dict:
    options = PreparationOptions(
        polarity=arguments.polarity.replace("-", " "),
        trim=arguments.trim,
        fill=arguments.fill,
        crop=arguments.crop,
    )
    answered = ask(network, picture.read(_bytes(file), file, arguments.crop), options)
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
    """The bytes of a file or of standard input; one more than allowed of what is too long, for
    `picture` to refuse.
    """
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
    """Let the network answer a whole split anew, and judge the answers."""
    from core import evaluation
    from core.data import fashion_mnist, splits

    run = runs.read(arguments.run) if arguments.run else runs.champion()
    network = inference.load(run.id)
    data = fashion_mnist.load(arguments.data or run.spec.data)
    pixels, labels = data.test_pixels, data.test_labels
    if arguments.split == "validation" and run.spec.validation != "test":
        kept = splits.split_for(data.train_labels, run.spec)[1]
        if not len(kept):
            raise AtelierError(
                f"The run {run.id} was trained without validation pictures. Evaluate it with --split test."
            )
        pixels, labels = data.train_pixels[kept], data.train_labels[kept]
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
    """Measure a run on the held-out drawings, and on photographs where there are some, and keep the
    figures with it.
    """
    from core import settings
    from core.outside import measured
    from core.outside import report as outside_report

    run = runs.read(arguments.run) if arguments.run else runs.champion()
    network = inference.load(run.id)
    line, reports = terminal.ProgressLine(), {}
    pictures = measured.held_out(
        arguments.count, arguments.photographs or settings.photographs_folder()
    )
    for kind, which in pictures.items():
        reports[kind] = outside_report.measure(
            network, which, progress=lambda done, of, kind=kind: line.show(f"{kind} {done} of {of}")
        )
        line.clear()
    keeps = not run.shipped
    if keeps:
        measured.save(run.id, reports)
    if arguments.json:
        for kind, report in reports.items():
            terminal.emit({"run": run.id, "kind": kind, "kept": keeps, **report.shares()})
        return 0
    print(f"{run.name} ({run.id}) on pictures from outside its data set:\n")
    terminal.table(
        outside_report.HEADER,
        [report.row(kind) for kind, report in reports.items()],
        right=range(1, len(outside_report.HEADER)),
    )
    for kind, report in reports.items():
        if report.unreadable:
            terminal.remark(
                f"{kind}: {len(report.unreadable)} could not be read: {', '.join(report.unreadable[:5])}"
                f"{' and others' if len(report.unreadable) > 5 else ''}."
            )
    if not keeps:
        terminal.remark(
            "A network that ships is read-only, so these figures are shown and not kept."
        )
    return 0
