"""A run's card: what it learnt from, how, how well, and what it cannot do, as a page of Markdown.

Every figure is read from the run's record and its stored answers; the card of the network that
ships is made the same way.

Source: Mitchell et al., Model cards for model reporting, arXiv 1810.03993.
"""

from __future__ import annotations

from core.data.fashion_mnist import TITLES
from core.evaluation import evaluate, most_confused
from core.labels import CLASS_NAMES
from core.networks import backbones
from core.outside.measured import Figures
from core.outside.report import HEADER
from core.runs import Predictions, Run
from core.specs.fields import FIELDS

_LIMITS = """It knows ten classes and answers with one of them whatever it is shown; only its confidence says that something is none.
The pictures it learnt from are 28 × 28 grey photographs of single garments, cut out, filling the frame, bright on black;
white garments were left out by their makers, and at least 64 of the training labels are known to be wrong (arXiv 1912.05283).
Drawings and photographs reach it through Atelier's preparation and are harder for it than the test set."""


def card(run: Run, test: Predictions, outside: Figures | None = None) -> str:
    """Write the card of a finished run.

    Args:
        run: a finished run.
        test: its stored answers to the test pictures.
        outside: what was measured on pictures from outside the data set, if it was.

    Returns:
        Markdown.
    """
    record, scores, spec = run.record, run.record["scores"], run.spec
    result = evaluate(test.probabilities, test.labels)
    title = TITLES[record["dataset"]["name"]]
    lines = [
        f"# {run.name}",
        "",
        *([run.note, ""] if run.note else []),
        "## Data",
        "",
        f"{title} (fingerprint {record['dataset']['fingerprint'][:16]}). {_validation(run)}",
        "",
    ]
    if title == "Fashion-MNIST":
        lines += [
            "Fashion-MNIST is by Zalando Research (Xiao, Rasul and Vollgraf, arXiv 1708.07747), MIT licence.",
            "",
        ]
    if spec.start_from == "imagenet":
        borrowed = backbones.get(spec.backbone)
        lines += [
            f"Before that, others trained its first layers, {borrowed.title} ({borrowed.source}), on the photographs of ImageNet; "
            "these weights are those of keras.applications.",
            "",
        ]
    lines += _lessons(record)
    lines += ["## Training", "", "| setting | value |", "|---|---|"]
    lines += [
        f"| {field.name} | {_shown(getattr(spec, field.name))} |"
        for field in FIELDS
        if field.name != "name"
    ]
    machine, versions = record.get("machine", {}), record.get("versions", {})
    epochs = f"{record['epochs_done']} epoch{'s' * (record['epochs_done'] != 1)}"
    numbers = ", ".join(f"{name} {number}" for name, number in versions.items())
    lines += [
        "",
        f"{record['parameters']:,} parameters, {record['multiply_adds']:,} multiply-adds a picture. "
        f"{run.status_text.capitalize()}: {epochs} in {run.seconds:,.0f} s on {machine.get('cpus')} processors "
        f"({machine.get('system')}); the weights of epoch {run.best_epoch} are kept. Versions: {numbers}.",
        "",
        "## Results",
        "",
        f"Test set, {result.n:,} pictures, never used for a choice: accuracy **{result.accuracy:.2%}**, cross-entropy "
        f"{result.loss:.4f}, expected calibration error {result.calibration.error:.3f} (temperature {record['temperature']:.2f}).",
    ]
    if scores.get("validation_accuracy") is not None:
        lines += [
            f"Validation pictures: accuracy {scores['validation_accuracy']:.2%}, cross-entropy {scores['validation_loss']:.4f}."
        ]
    lines += ["", "| class | precision | recall | F1 | pictures |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.name} | {row.precision:.3f} | {row.recall:.3f} | {row.f1:.3f} | {row.support:,} |"
        for row in result.report
    ]
    confused = [
        f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]} ({count})"
        for truth, prediction, count in most_confused(result.confusion, 3)
    ]
    lines += [
        "",
        f"Most confused: {', '.join(confused)}." if confused else "No picture is mistaken.",
    ]
    lines += [*_outside(outside), "", "## Limits", "", _LIMITS, ""]
    return "\n".join(lines)


def _lessons(record: dict) -> list[str]:
    """What it learnt from beside the data set; nothing where that was nothing."""
    kinds = record.get("outside") or {}
    if not kinds:
        return []
    numbers = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    lines = [
        f"It also learnt from pictures prepared as a visitor's are: {numbers}. Traced ones and composed ones are made of training "
        "pictures, sketches, icons and scribbles by program; the target of a scribble is an even share for all ten classes. Its best "
        "epoch was chosen by the mean of the validation accuracy and the accuracy on such pictures kept apart.",
        "",
    ]
    if "photographs" in kinds:
        lines += [
            "The photographs, in several views each, are of the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0), those "
            "that are neither tuned on nor measured.",
            "",
        ]
    return lines


def _outside(figures: Figures | None) -> list[str]:
    """A table of what was measured on drawings and photographs; nothing where nothing was."""
    if figures is None:
        return []
    lines = [
        "",
        "## Pictures from outside",
        "",
        f"Measured on {figures.measured[:10]} through Atelier's preparation, on pictures kept apart from training. Sketches, icons "
        "and scribbles are drawn by program and more alike than people's own; photographs are of the Clothing dataset (Alexey "
        'Grigorev and contributors, CC0 1.0). "Sure" and "called Bag" are shares of the pictures that show one of the ten.',
        "",
        f"| {' | '.join(HEADER)} |",
        "|---" * len(HEADER) + "|",
    ]
    return lines + [
        f"| {' | '.join(cell or '–' for cell in report.row(kind))} |"
        for kind, report in figures.reports.items()
    ]


def _validation(run: Run) -> str:
    spec = run.spec
    if spec.validation == "none":
        return "All training pictures were trained on; the last epoch was kept."
    if spec.validation == "test":
        return "The best epoch was chosen on the test set, which therefore flatters this network."
    if spec.validation == "fold":
        return f"The best epoch was chosen on fold {spec.fold} of {spec.folds} of the training pictures, which was not trained on."
    share = f"{spec.validation_fraction:.0%} of the training pictures"
    which = {
        "last": f"the last {share}",
        "random": f"a random {share}",
        "stratified": f"a random {share}, equal by class",
    }[spec.validation]
    return f"The best epoch was chosen on {which}, which were not trained on."


def _shown(value) -> str:
    if isinstance(value, tuple):
        return ", ".join(_shown(single) for single in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
