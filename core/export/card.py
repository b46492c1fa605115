"""A run's card: what it learned from, how, how well, and what it cannot do, as a page of Markdown.

Every figure is read from the run's record and its stored predictions; the cards of the shipped runs
are made in the same way.

Source: Mitchell et al., Model cards for model reporting, arXiv 1810.03993.
"""

from __future__ import annotations

from collections.abc import Sequence

from core import wording
from core.data.fashion_mnist import TITLES
from core.evaluation import Evaluation, evaluate, most_confused
from core.labels import CLASS_NAMES
from core.networks import backbones
from core.outside.measured import OutsideFigures
from core.outside.report import HEADER
from core.runs import Predictions, Record, Run
from core.settings import PEOPLE_VARIABLES
from core.specs.fields import FIELDS
from core.specs.spec import TrainSpec

_LIMITS = """The network knows ten classes and answers with one of them whatever it is shown; only its confidence shows when a
picture shows something else. The pictures it learned from are 28 × 28 grey photographs of single garments, cut out,
filling the frame, bright on black. The makers of the data set left white garments out, and at least 64 of the training
labels are known to be wrong (arXiv 1912.05283). Drawings and photographs reach the network through Atelier's
preparation and are harder for it than the test set."""


_ABOUT_SOURCES = (
    "photographs are from the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0), "
    "snapshots too and from DreamBooth's data (Google, CC BY 4.0), drawings from Quick, Draw! "
    "(Google, CC BY 4.0), pictograms from open icon sets (MIT, Apache 2.0, CC BY 4.0, CC0, OFL and "
    "public domain). "
)


def card(run: Run, test: Predictions, outside: OutsideFigures | None = None) -> str:
    """Write the card of a finished run.

    Args:
        test: its stored predictions for the test pictures.
        outside: what was measured on pictures from outside the data set, if it was.

    Returns:
        Markdown.

    Raises:
        RunDamaged: if the run is not finished.
    """
    record = run.finished_record
    result = evaluate(test.probabilities, test.labels)
    sections = (
        [f"# {run.name}", *([run.note] if run.note else [])],
        ["## Data", *_data(record)],
        ["## Training", *_training(record)],
        ["## Results", *_results(record, result)],
        _outside(outside),
        ["## Limits", _LIMITS],
    )
    return "\n\n".join(paragraph for section in sections for paragraph in section) + "\n"


def _data(record: Record) -> list[str]:
    title = TITLES[record.dataset.name]
    fingerprint = record.dataset.fingerprint[:16]
    paragraphs = [f"{title} (fingerprint {fingerprint}). {_validation(record.spec)}"]
    if title == "Fashion-MNIST":
        paragraphs.append(
            "Fashion-MNIST is by Zalando Research (Xiao, Rasul and Vollgraf, arXiv 1708.07747), MIT "
            "licence."
        )
    if record.spec.start_from == "imagenet":
        backbone = backbones.get(record.spec.backbone)
        paragraphs.append(
            f"Its first layers, {backbone.title} ({backbone.source}), were pretrained by others on "
            f"the photographs of ImageNet; these weights are those of keras.applications."
        )
    return paragraphs + _auxiliary(record)


def _validation(spec: TrainSpec) -> str:
    """How the epoch was chosen, as a sentence."""
    share = f"{wording.percent(spec.validation_fraction, 0)} of the training pictures"
    match spec.validation:
        case "none":
            return "All training pictures were trained on; the last epoch was kept."
        case "test":
            return "The best epoch was chosen on the test set, which makes this network look better than it is."
        case "fold":
            fold = f"fold {spec.fold} of {spec.folds} of the training pictures"
            return f"The best epoch was chosen on {fold}, which was held out."
        case "last" | "random" | "stratified":
            held_out = {
                "last": f"the last {share}",
                "random": f"a random {share}",
                "stratified": f"a random {share}, stratified by class",
            }[spec.validation]
            return f"The best epoch was chosen on {held_out}, which were held out."


def _auxiliary(record: Record) -> list[str]:
    """What it learned from in addition to the data set; nothing if that was nothing."""
    if not record.auxiliary:
        return []
    numbers = ", ".join(f"{count:,} {kind}" for kind, count in record.auxiliary.items())
    paragraphs = [
        f"It also learned from auxiliary data, prepared like uploads: {numbers}. "
        f"Traced and composed pictures are made from training pictures; sketches, icons and "
        f"scribbles are computer-generated. The target of a scribble is an equal share for all ten "
        f"classes. The best epoch was chosen by the mean of the validation accuracy and the "
        f"accuracy on other pictures of these kinds, which were set aside for this.",
    ]
    if {"photographs", *PEOPLE_VARIABLES} & set(record.auxiliary):
        paragraphs.append(
            f"Of people's own pictures, {_ABOUT_SOURCES}Each is used in several views; those that "
            f"networks are chosen by or measured on are not among them. A picture of none of the "
            f"ten classes has an equal share for all as its target."
        )
    return paragraphs


def _training(record: Record) -> list[str]:
    settings = [
        (field.name, wording.value_text(getattr(record.spec, field.name)) or "none")
        for field in FIELDS
        if field.name != "name"
    ]
    epochs = f"{record.epochs_done} epoch{'s' * (record.epochs_done != 1)}"
    versions = ", ".join(f"{name} {number}" for name, number in record.versions.items())
    return [
        _table(("setting", "value"), settings),
        f"{record.parameters:,} parameters, {record.multiply_adds:,} multiply-adds per picture. "
        f"{record.status_text.capitalize()}: {epochs} in {record.seconds:,.0f} s on "
        f"{record.machine.cpus} processors ({record.machine.system}); the weights of epoch "
        f"{record.best_epoch} are kept. Versions: {versions}.",
    ]


def _results(record: Record, result: Evaluation) -> list[str]:
    unused = "" if record.spec.validation == "test" else ", never used for a choice"
    scores = (
        f"Test set, {result.n:,} pictures{unused}: accuracy "
        f"**{wording.percent(result.accuracy, 2)}**, cross-entropy {result.loss:.4f}, expected "
        f"calibration error {result.calibration.error:.3f} (temperature {record.temperature:.2f})."
    )
    accuracy, loss = record.scores.validation_accuracy, record.scores.validation_loss
    if accuracy is not None:
        after = "" if loss is None else f", cross-entropy {loss:.4f}"
        scores += f"\nValidation pictures: accuracy {wording.percent(accuracy, 2)}{after}."
    rows = [
        (row.name, f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}")
        for row in result.report
    ]
    confused = ", ".join(
        f"{CLASS_NAMES[truth]} → {CLASS_NAMES[prediction]} ({count})"
        for truth, prediction, count in most_confused(result.confusion, 3)
    )
    return [
        scores,
        _table(("class", "precision", "recall", "F1", "pictures"), rows),
        f"Most confused: {confused}." if confused else "There are no mistakes.",
    ]


def _outside(figures: OutsideFigures | None) -> list[str]:
    """A section on drawings and photographs; nothing if nothing was measured."""
    if figures is None:
        return []
    rows = [report.row(kind) for kind, report in figures.reports.items()]
    return [
        "## Beyond the test set",
        f"Measured on {figures.measured[:10]} through Atelier's preparation, on held-out pictures. "
        f"Sketches, icons and scribbles are computer-generated and vary less than what people draw; "
        f"{_ABOUT_SOURCES}"
        f'"Sure" and "called Bag" are shares of the pictures that show one of the ten classes.',
        _table(HEADER, rows),
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """A table in Markdown; an empty cell is shown as a dash."""
    lines = [f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(cell or '–' for cell in row)} |" for row in rows]
    return "\n".join(lines)
