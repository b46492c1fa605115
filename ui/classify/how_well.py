"""How well a network does on people's own pictures: its figures on drawings and photographs next to
those on the test set, and its mistakes.

Everything shown was measured before and lies in the run's folder (`core.outside.measured`); only
the few pictures of the mistakes are generated or opened again, by their names. Measuring takes a
minute, so a command does it, not the page.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core import settings
from core.labels import CLASS_NAMES
from core.outside import measured
from core.outside import report as outside_report
from core.outside.measured import PHOTOGRAPHS, OutsideFigures
from core.outside.report import Mistake, Report, class_name
from core.runs import Run
from ui import cache, frame
from ui.classify import result
from ui.components import charts, run_names, theme, thumbnails

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TITLES = {
    "test": "Test set",
    "sketches": "Sketches",
    "icons": "Icons",
    "scribbles": "Scribbles",
    PHOTOGRAPHS: "Photographs",
}
# The pictures of a kind that show none of the ten classes, where that is not all of them.
OTHERS = {PHOTOGRAPHS: "Photographs of hats, shorts and skirts"}
SYMBOLS = {
    "test": "diamond-open",
    "sketches": "circle",
    "icons": "square",
    PHOTOGRAPHS: "triangle-up",
}
EXAMPLES = 12
ROW_PIXELS = 34  # of a class in the chart
WHERE = (
    "the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0) is at "
    "github.com/alexeygrigorev/clothing-dataset-small; name its folder `train` in `ATELIER_PHOTOS`"
)


def draw(run: Run) -> None:
    """Draw the panel with the figures of a run; they are read only while it is open."""
    st.html(f"<style>{_STYLE}</style>")
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
        reports = {"test": _report_of_test_set(run), **figures.reports}
        _draw_overview(run, figures, reports)
        _draw_rejections(figures.reports)
        with_classes = {kind: report for kind, report in reports.items() if report.classes}
        st.subheader("Class by class", anchor=False)
        st.plotly_chart(
            accuracy_figure(with_classes),
            key="classify_how_well_chart",
            width="stretch",
            config={"displayModeBar": False},
            alt="Share of correct answers by class, with a mark for each kind of picture; the table "
            "below has the figures.",
        )
        charts.table(
            class_rows(with_classes),
            key="classify_how_well_classes",
            shares=[TITLES.get(kind, kind) for kind in with_classes],
            alt="Share of correct answers by class and kind of picture",
        )
        _draw_examples(run, figures.reports)


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
        f"{run_names.literal(run.name)}, measured on {figures.measured[:10]} on pictures that no "
        "training uses, prepared like yours. Sketches, icons and scribbles are computer-generated "
        "and less varied than real drawings."
    )
    rows: list[dict[str, str | float]] = [
        {
            "": TITLES.get(kind, kind),
            "Pictures": report.garments,
            "Correct": _or_nan(report.accuracy),
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
    st.subheader("Pictures outside the ten classes", anchor=False)
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


def accuracy_figure(reports: Mapping[str, Report]) -> Figure:
    """A mark for each class and kind of picture at its share of correct answers."""
    import plotly.graph_objects as go  # a tenth of a second, and only where it is looked at

    colours = theme.palette()
    by_kind = {
        "test": colours.muted,
        "sketches": colours.accent,
        "icons": colours.better,
        PHOTOGRAPHS: colours.worse,
    }
    figure = go.Figure()
    for kind, report in reports.items():
        title = TITLES.get(kind, kind)
        figure.add_scatter(
            x=[100 * count.accuracy for count in report.classes],
            y=[_in_two_lines(count.name) for count in report.classes],
            mode="markers",
            name=title,
            marker={
                "size": 11,
                "symbol": SYMBOLS.get(kind, "circle"),
                "color": by_kind.get(kind, colours.muted),
            },
            customdata=[[count.right, count.pictures] for count in report.classes],
            hovertemplate=f"%{{y}}, {title.lower()}<br>%{{customdata[0]:,}} of "
            "%{customdata[1]:,} correct (%{x:.1f} %)<extra></extra>",
        )
    names = [_in_two_lines(name) for name in _class_names(reports.values())]
    figure.update_xaxes(
        range=[-3, 103], ticksuffix=" %", title=None, fixedrange=True, zeroline=False, dtick=25
    )
    figure.update_yaxes(
        categoryorder="array",
        categoryarray=names[::-1],
        fixedrange=True,
        automargin=True,
        showgrid=True,
    )
    figure.update_layout(
        height=90 + ROW_PIXELS * len(names),
        margin={"l": 0, "r": 8, "t": 8, "b": 8},
        dragmode=False,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def _in_two_lines(name: str) -> str:
    """Several classes in two lines, so that they leave room for the marks on a phone."""
    return name.replace(" or ", "<br>or ")


def _draw_examples(run: Run, reports: Mapping[str, Report]) -> None:
    """Some mistakes, as the pictures are and as the network saw them."""
    kinds = [kind for kind, report in reports.items() if report.mistakes]
    if not kinds:
        return
    st.subheader("What goes wrong", anchor=False)
    kind = st.segmented_control(
        "Mistakes among",
        kinds,
        key="classify_how_well_kind",
        default=kinds[0],
        required=True,
        format_func=lambda kind: f"{TITLES.get(kind, kind)} ({len(reports[kind].mistakes):,})",
        label_visibility="collapsed",
    )
    if kind == PHOTOGRAPHS and settings.photographs_folder() is None:
        st.caption(f"The photographs are not on this machine: {WHERE}.")
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
.how-well { grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)) !important; }
.how-well div { aspect-ratio: 2 !important; grid-template-columns: 1fr 1fr; }
.how-well .crisp { background: #000; }
@media (max-width: 640px) {
  .how-well { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)) !important; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-classify_measured) { order: 2; }
}
"""
