"""How well a network does on people's own pictures: its figures on drawings and photographs next to
those on the test set, and its mistakes.

Everything shown was measured before and lies in the run's folder (`core.outside.measured`); only
the few pictures of the mistakes are generated or opened again, by their names. Measuring takes a
minute, so a command does it, not the page.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import streamlit as st

from core import settings, wording
from core.labels import CLASS_NAMES
from core.outside import measured
from core.outside import report as outside_report
from core.outside.measured import PHOTOGRAPHS, OutsideFigures
from core.outside.report import Mistake, Report, class_name
from core.runs import Run
from ui import cache, frame
from ui.classify import result
from ui.components import charts, theme, thumbnails

# People's own pictures first: computer-generated ones vary less.
TITLES = {
    "test": "Test set",
    "drawings": "People's drawings",
    "pictograms": "People's icons",
    PHOTOGRAPHS: "Photographs",
    "snapshots": "More photographs",
    "sketches": "Generated sketches",
    "icons": "Generated icons",
    "scribbles": "Generated scribbles",
}
# The pictures of a kind that show none of the ten classes, where that is not all of them.
OTHERS = {
    "drawings": "People's drawings of other things",
    "pictograms": "People's icons of other things",
    PHOTOGRAPHS: "Photographs of hats, shorts and skirts",
    "snapshots": "More photographs of hats, shorts and skirts",
}
EXAMPLES = 12
WHERE = (
    "the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0) is at "
    "github.com/alexeygrigorev/clothing-dataset-small; name its folder `train` in `ATELIER_PHOTOS`"
)
# What is said where the pictures of a kind are not on this machine.
MISSING: dict[str, str] = {
    kind: f"These are not on this machine: `{variable}` names their folder."
    for kind, variable in settings.PEOPLE_VARIABLES.items()
}
MISSING[PHOTOGRAPHS] = f"The photographs are not on this machine: {WHERE}."


def draw(run: Run) -> None:
    """Draw the panel with the figures of a run; they are read only while it is open."""
    colours = theme.palette()
    marks = {
        "test": f"border-color: {colours.muted}; background: transparent; rotate: 45deg;",
        "drawings": f"background: {colours.accent}; border-radius: 50%;",
        "pictograms": f"background: {colours.better};",
        PHOTOGRAPHS: f"background: {colours.worse}; clip-path: polygon(50% 0, 100% 100%, 0 100%);",
        "snapshots": f"background: {colours.worse}; clip-path: polygon(0 0, 100% 0, 50% 100%);",
        "sketches": f"border-color: {colours.accent}; border-radius: 50%;",
        "icons": f"border-color: {colours.better};",
    }
    shapes = "".join(f".how-well-marks b.{kind} {{ {look} }}\n" for kind, look in marks.items())
    st.html(f"<style>{_STYLE}{shapes}</style>")
    with st.container(key="classify_measured"):
        _draw_panel(run)


@st.fragment
def _draw_panel(run: Run) -> None:
    panel = st.expander(
        "How well does this work?",
        key="classify_how_well",
        on_change="rerun",
        icon=":material/monitoring:",
    )
    if not panel.open:
        return
    with panel, frame.errors(stop=False):
        figures = measured.load(run.id)
        if figures is None:
            _offer_measuring(run)
            return
        measured_kinds = _in_order(figures.reports)
        reports = {"test": _report_of_test_set(run), **measured_kinds}
        _draw_overview(run, figures, reports)
        _draw_rejections(measured_kinds)
        with_classes = {kind: report for kind, report in reports.items() if report.classes}
        st.header("Class by class", anchor=False)
        st.html(accuracy_marks(with_classes))  # the table below says the same to a screen reader
        charts.table(
            class_rows(with_classes),
            key="classify_how_well_classes",
            shares=[TITLES.get(kind, kind) for kind in with_classes],
            alt="Share of correct answers by class and kind of picture",
        )
        _draw_examples(run, measured_kinds)


def _in_order(reports: Mapping[str, Report]) -> dict[str, Report]:
    """The same reports, people's own pictures first."""
    known = [kind for kind in TITLES if kind in reports]
    return {kind: reports[kind] for kind in [*known, *(set(reports) - set(known))]}


def _offer_measuring(run: Run) -> None:
    sentence = (
        "The shipped network has no figures yet on drawings and photographs. "
        "This command measures and prints them."
        if run.shipped
        else "This network has not been measured on drawings and photographs yet. "
        "This command does it in a minute or two."
    )
    st.info(sentence, icon=":material/straighten:")
    st.code(f"python -m core runs measure {run.id}", language="sh")


def _report_of_test_set(run: Run) -> Report:
    """The run's answers to its test pictures, counted like the others."""
    test = cache.test_predictions(run.id)
    sure = cache.network(run.id).sure(test.probabilities)
    return outside_report.of_answers(test.probabilities, test.labels, sure)


def _draw_overview(run: Run, figures: OutsideFigures, reports: Mapping[str, Report]) -> None:
    """One row for each kind of picture that has a right answer."""
    st.caption(
        f"{wording.literal(run.name)}, measured on {figures.measured[:10]} on pictures that no "
        "training uses, prepared like yours. What is called generated was drawn by the computer "
        "and varies less than what people draw. “95 % range”: where the share of correct answers "
        "among all such pictures lies, judged by so many of them (Wilson's interval)."
    )
    rows: list[dict[str, str | float]] = [
        {
            "": TITLES.get(kind, kind),
            "Pictures": report.garments,
            "Correct": _or_nan(report.accuracy),
            "95 % range": wilson_text(report),
            "Mean over classes": _or_nan(report.mean_over_classes),
            "Sure": _or_nan(report.sure_share),
            "Correct when sure": _or_nan(report.sure_accuracy),
            "Predicted Bag": _or_nan(report.bag_share),
        }
        for kind, report in reports.items()
        if report.garments
    ]
    charts.table(
        rows,
        key="classify_how_well_kinds",
        shares=("Correct", "Mean over classes", "Sure", "Correct when sure", "Predicted Bag"),
        alt="Figures for each kind of picture",
    )
    if PHOTOGRAPHS not in figures.reports:
        st.caption(f"Photographs were not measured: {WHERE}, and measure again.")
    for kind, report in figures.reports.items():
        if report.unreadable:
            st.caption(
                f"{TITLES.get(kind, kind)}: {len(report.unreadable)} could not be read and are "
                "left out."
            )


def wilson_text(report: Report) -> str:
    """The 95 % range of the share of correct answers, as text."""
    low, high = report.accuracy_range
    return f"{theme.percent(low, 0)} to {theme.percent(high, 0)}"


def _or_nan(share: float | None) -> float:
    return np.nan if share is None else share


def _draw_rejections(reports: Mapping[str, Report]) -> None:
    """What the network said about pictures outside the ten classes, a sentence for each kind."""
    sentences = [
        rejection_sentence(OTHERS.get(kind, TITLES.get(kind, kind)), report)
        for kind, report in reports.items()
        if report.others
    ]
    if not sentences:
        return
    st.header("Pictures outside the ten classes", anchor=False)
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    st.caption(
        "“Not sure” is the correct answer here. On the sheet, tangles of lines are also recognised "
        "by their shape and never answered with confidence; that is not counted."
    )


def rejection_sentence(title: str, report: Report) -> str:
    """How many pictures outside the ten classes were rejected, and what the rest were called.

    Args:
        title: what the pictures are called.
        report: with at least one such picture.
    """
    counts = {label: count for label, count in enumerate(report.called) if count}
    labels = sorted(counts, key=lambda label: -counts[label])
    common = ", ".join(f"{CLASS_NAMES[label]} ({counts[label]})" for label in labels[:3])
    more = " and others" if len(labels) > 3 else ""
    rest = f" The rest were confidently called {common}{more}." if common else ""
    share = theme.percent(report.refused_share or 0.0)
    return f"**{title}**: {share} of {report.others:,} were rejected.{rest}"


def class_rows(reports: Mapping[str, Report]) -> list[dict[str, str | float]]:
    """One row a class with its accuracy for each kind of picture; NaN where a kind has none of that
    class.
    """
    accuracies = {
        kind: {count.name: count.accuracy for count in report.classes}
        for kind, report in reports.items()
    }
    rows: list[dict[str, str | float]] = []
    for name in _class_names(reports.values()):
        row: dict[str, str | float] = {"Class": name}
        row |= {
            TITLES.get(kind, kind): known.get(name, np.nan) for kind, known in accuracies.items()
        }
        rows.append(row)
    return rows


def _class_names(reports: Iterable[Report]) -> list[str]:
    """Names of all classes that occur, in label order; several together after the last of them."""
    names = {count.accepted: count.name for report in reports for count in report.classes}
    return [
        names[accepted] for accepted in sorted(names, key=lambda labels: (labels[-1], len(labels)))
    ]


def accuracy_marks(reports: Mapping[str, Report]) -> str:
    """A line for each class, with a mark for each kind of picture at its share of correct answers,
    as HTML. It is there at once, where a chart would load five megabytes first.
    """
    by_name: dict[str, list[str]] = {name: [] for name in _class_names(reports.values())}
    for kind, report in reports.items():
        title = TITLES.get(kind, kind)
        for count in report.classes:
            words = (
                f"{count.name}, {title.lower()}: {count.right:,} of {count.pictures:,} correct "
                f"({theme.percent(count.accuracy)})"
            )
            by_name[count.name].append(
                f'<b class="{html.escape(kind)}" style="left:{100 * count.accuracy:.2f}%" '
                f'title="{html.escape(words)}"></b>'
            )
    legend = "".join(
        f'<span><b class="{html.escape(kind)}"></b>{html.escape(TITLES.get(kind, kind))}</span>'
        for kind in reports
    )
    rows = "".join(
        f"<li><span>{html.escape(name)}</span><i>{''.join(marks)}</i></li>"
        for name, marks in by_name.items()
    )
    axis = "".join(f'<em style="left:{share}%">{share} %</em>' for share in (0, 50, 100))
    return (
        f'<div class="how-well-marks" aria-hidden="true"><p>{legend}</p><ul>{rows}'
        f'<li><span></span><i class="axis">{axis}</i></li></ul></div>'
    )


def _draw_examples(run: Run, reports: Mapping[str, Report]) -> None:
    """Some mistakes, as the pictures are and as the network saw them."""
    kinds = [kind for kind, report in reports.items() if report.mistakes]
    if not kinds:
        return
    st.header("What goes wrong", anchor=False)
    kind = st.segmented_control(
        "Mistakes among",
        kinds,
        key="classify_how_well_kind",
        default=kinds[0],
        required=True,
        format_func=lambda kind: f"{TITLES.get(kind, kind)} ({len(reports[kind].mistakes):,})",
        label_visibility="collapsed",
    )
    available = {
        *settings.people_folders(),
        *([PHOTOGRAPHS] if settings.photographs_folder() else []),
    }
    if kind in MISSING and kind not in available:
        st.caption(MISSING[kind])
        return
    examples = select_examples(reports[kind].mistakes)
    figures = [figure for mistake in examples if (figure := _figure_html(mistake))]
    if figures:
        st.html(f'<div class="classify-steps how-well">{"".join(figures)}</div>')
        st.caption(
            "The most confident mistakes of every class; to the right of each picture, what the "
            "network saw of it."
        )
    if len(figures) < len(examples):
        st.caption(
            f"{len(examples) - len(figures)} more cannot be shown: their files are missing, or the "
            f"preparation has changed since. `python -m core runs measure {run.id}` measures again."
        )


def select_examples(mistakes: Sequence[Mistake], most: int = EXAMPLES) -> list[Mistake]:
    """Some mistakes to show: the most confident of every class, then the second of every class,
    until there are enough.

    Pictures outside the ten classes count to the class that they were mistaken for.
    """
    groups: dict[object, list[Mistake]] = {}
    for mistake in sorted(mistakes, key=lambda mistake: -mistake.confidence):
        groups.setdefault(mistake.accepted or mistake.answer, []).append(mistake)
    ranked = [
        (rank, -mistake.confidence, mistake)
        for group in groups.values()
        for rank, mistake in enumerate(group)
    ]
    return [mistake for _, _, mistake in sorted(ranked, key=lambda entry: entry[:2])[:most]]


def _figure_html(mistake: Mistake) -> str:
    """A mistake as HTML: the picture, what the network saw of it, and what it said; empty if the
    picture is not to be had as it was.
    """
    truth = class_name(mistake.accepted) if mistake.accepted else "Outside the ten classes"
    prediction = (
        "nothing was found"
        if mistake.answer is None
        else f"{CLASS_NAMES[mistake.answer]}, {theme.percent(mistake.confidence, 0)}"
    )
    words = html.escape(f"{truth} → {prediction}")
    views = cache.outside_picture(mistake.name)
    if views is None or mistake.seen not in (None, outside_report.fingerprint(views[1])):
        return ""
    picture, pixels = views
    return (
        f'<figure><div><img src="{result.thumbnail(picture)[0]}" alt="{words}">'
        f'<img class="crisp" src="{thumbnails.data_uri(pixels)}" alt="What the network saw"></div>'
        f"<figcaption>{words}</figcaption></figure>"
    )


_STYLE = """
.how-well-marks ul { list-style: none; margin: 0 !important; padding: 0 !important; font-size: 0.9rem; }
.how-well-marks li { display: grid; grid-template-columns: 9.5rem 1fr; gap: 0.8rem; align-items: center;
  margin: 0 !important; padding: 0.3rem 0.6rem 0.3rem 0 !important; }
.how-well-marks i { position: relative; height: 1.1rem; border-radius: 3px; font-style: normal;
  background: color-mix(in srgb, currentColor 7%, transparent); }
.how-well-marks i.axis { background: none; }
.how-well-marks em { position: absolute; translate: -50% 0; font-style: normal; white-space: nowrap; }
.how-well-marks b { display: inline-block; box-sizing: border-box; width: 0.75rem; height: 0.75rem;
  border: 2px solid transparent; }
.how-well-marks i b { position: absolute; top: 50%; translate: -50% -50%; }
.how-well-marks p { display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem; margin: 0 0 0.5rem; font-size: 0.9rem; }
.how-well-marks p span { display: inline-flex; gap: 0.5rem; align-items: center; }
.how-well { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)) !important; }
.how-well div { aspect-ratio: 2 !important; grid-template-columns: 1fr 1fr; }
.how-well .crisp { background: #000; }
@media (max-width: 640px) {
  .how-well { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)) !important; }
  .how-well-marks li { grid-template-columns: 6rem 1fr; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-classify_measured) { order: 2; }
}
"""
