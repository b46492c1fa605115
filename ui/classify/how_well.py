"""How well a network does on what people bring: its figures on drawings and photographs beside the
test set's, and its mistakes.

One idea: everything shown was measured before and lies in the run's folder
(`core.outside.measured`); only the few pictures of the mistakes are drawn or opened again, by their
names.

Nothing is measured here: that takes a minute, and a command does it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

import numpy as np
import streamlit as st

from core import settings
from core.labels import CLASS_NAMES
from core.outside import measured
from core.outside import report as outside_report
from core.outside.measured import PHOTOGRAPHS, Figures
from core.outside.report import Mistake, Report, class_name
from core.runs import Run
from ui import cache, frame
from ui.classify import result
from ui.components import charts, run_names, theme, thumbnails

TITLES = {
    "test": "Test set",
    "sketches": "Sketches",
    "icons": "Icons",
    "scribbles": "Scribbles",
    PHOTOGRAPHS: "Photographs",
}
REFUSED = {PHOTOGRAPHS: "Photographs of hats, shorts and skirts"}
SYMBOLS = {
    "test": "diamond-open",
    "sketches": "circle",
    "icons": "square",
    PHOTOGRAPHS: "triangle-up",
}
EXAMPLES = 12
ROW_PIXELS = 34  # of a class in the chart
WHERE = (
    "the Clothing dataset (Alexey Grigorev and contributors, CC0 1.0) is at github.com/alexeygrigorev/clothing-dataset-small; "
    "name its folder `train` in `ATELIER_PHOTOS`"
)


def panel(run: Run) -> None:
    """Draw the figures of a run; they are read only while the panel is open."""
    st.html(f"<style>{_STYLE}</style>")
    with st.container(key="classify_measured"):
        _panel(run)


@st.fragment
def _panel(run: Run) -> None:
    box = st.expander(
        "How well does this work?",
        key="classify_how_well",
        on_change="rerun",
        icon=":material/monitoring:",
    )
    if not box.open:
        return
    with box, frame.errors(stop=False):
        figures = measured.kept(run.id)
        if figures is None:
            _not_measured(run)
            return
        reports = {"test": _of_test(run), **figures.reports}
        _overview(run, figures, reports)
        _none_of_the_ten(figures.reports)
        with_classes = {kind: report for kind, report in reports.items() if report.classes}
        st.subheader("Class by class", anchor=False)
        st.plotly_chart(
            chart(with_classes),
            key="classify_how_well_chart",
            width="stretch",
            config={"displayModeBar": False},
            alt="Share of right answers for each class, a mark for each kind of pictures; the table below has the figures.",
        )
        charts.table(
            class_rows(with_classes),
            key="classify_how_well_classes",
            shares=[TITLES[kind] for kind in with_classes],
            alt="Share of right answers for each class and kind of pictures",
        )
        _examples(run, figures.reports)


def _not_measured(run: Run) -> None:
    said = (
        "This network ships without figures on drawings and photographs; this command shows them."
        if run.shipped
        else "This network has not been measured on drawings and photographs. This command does it, in a minute or two."
    )
    st.info(said, icon=":material/straighten:")
    st.code(f"python -m core runs measure {run.id}", language="sh")


def _of_test(run: Run) -> Report:
    """The run's answers to its test pictures, counted like the others."""
    found = cache.test_predictions(run.id)
    return outside_report.of_answers(
        found.probabilities, found.labels, cache.network(run.id).sure(found.probabilities)
    )


def _overview(run: Run, figures: Figures, reports: dict[str, Report]) -> None:
    """One row for each kind of pictures with a right answer."""
    st.caption(
        f"{run_names.literal(run.name)}, measured on {figures.measured[:10]} on pictures kept apart from training, prepared as "
        "yours are. Sketches, icons and scribbles are drawn by program and more alike than people's own."
    )
    rows = [
        {
            "": TITLES.get(kind, kind),
            "Pictures": report.garments,
            "Right": report.accuracy,
            "Mean over classes": report.mean_over_classes,
            "Sure": report.sure_share,
            "Right where sure": np.nan if report.sure_accuracy is None else report.sure_accuracy,
            "Called Bag": report.bag_share,
        }
        for kind, report in reports.items()
        if report.garments
    ]
    charts.table(
        rows,
        key="classify_how_well_kinds",
        shares=("Right", "Mean over classes", "Sure", "Right where sure", "Called Bag"),
        alt="Figures for each kind of pictures",
    )
    if PHOTOGRAPHS not in figures.reports:
        st.caption(f"Photographs were not measured: {WHERE}, and measure again.")
    for kind, report in figures.reports.items():
        if report.unreadable:
            st.caption(
                f"{TITLES.get(kind, kind)}: {len(report.unreadable)} could not be read and are left out."
            )


def _none_of_the_ten(reports: dict[str, Report]) -> None:
    """What became of pictures that show none of the ten classes, a sentence for each kind."""
    sentences = [
        refusal(REFUSED.get(kind, TITLES.get(kind, kind)), report)
        for kind, report in reports.items()
        if report.others
    ]
    if not sentences:
        return
    st.subheader("What is none of the ten", anchor=False)
    st.markdown("\n".join(f"- {sentence}" for sentence in sentences))
    st.caption(
        "“Not sure” is the right answer here. On the sheet, tangles of lines are also refused by their shape, whatever the network "
        "says; that is not counted."
    )


def refusal(title: str, report: Report) -> str:
    """In a sentence, what was said of pictures that show none of the ten.

    Args:
        title: what the pictures are called.
        report: with at least one such picture.
    """
    taken = sorted(
        (label for label, count in enumerate(report.called) if count),
        key=lambda label: -report.called[label],
    )
    said = ", ".join(f"{CLASS_NAMES[label]} ({report.called[label]})" for label in taken[:3])
    others = (
        f" The rest was surely called {said}{' and others' if len(taken) > 3 else ''}."
        if said
        else ""
    )
    return f"**{title}**: {theme.percent(report.refused_share)} of {report.others:,} were refused.{others}"


def class_rows(reports: dict[str, Report]) -> list[dict]:
    """The share of right answers of every class for a table; NaN where a kind has no pictures of
    it.

    Args:
        reports: by kind, each with classes.
    """
    known = {
        kind: {one.name: one.accuracy for one in report.classes} for kind, report in reports.items()
    }
    return [
        {
            "Class": name,
            **{TITLES.get(kind, kind): shares.get(name, np.nan) for kind, shares in known.items()},
        }
        for name in _class_names(reports.values())
    ]


def _class_names(reports: Iterable[Report]) -> list[str]:
    """Names of all classes that occur, in label order; several together after the last of them."""
    found = {one.accepted: one.name for report in reports for one in report.classes}
    return [
        found[accepted] for accepted in sorted(found, key=lambda labels: (labels[-1], len(labels)))
    ]


def chart(reports: dict[str, Report]):
    """A mark for each class and kind at its share of right answers, as a
    `plotly.graph_objects.Figure`.
    """
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
            x=[100 * one.accuracy for one in report.classes],
            y=[_broken(one.name) for one in report.classes],
            mode="markers",
            name=title,
            marker={
                "size": 11,
                "symbol": SYMBOLS.get(kind, "circle"),
                "color": by_kind.get(kind, colours.muted),
            },
            customdata=[[one.right, one.pictures] for one in report.classes],
            hovertemplate=f"%{{y}}, {title.lower()}<br>%{{customdata[0]:,}} of %{{customdata[1]:,}} right (%{{x:.1f}} %)<extra></extra>",
        )
    names = [_broken(name) for name in _class_names(reports.values())]
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


def _broken(name: str) -> str:
    """Several classes in two lines, so that they leave room for the marks on a phone."""
    return name.replace(" or ", "<br>or ")


def _examples(run: Run, reports: dict[str, Report]) -> None:
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
        format_func=lambda one: f"{TITLES.get(one, one)} ({len(reports[one].mistakes):,})",
        label_visibility="collapsed",
    )
    if kind == PHOTOGRAPHS and settings.photographs_folder() is None:
        st.caption(f"The photographs are not on this machine: {WHERE}.")
        return
    chosen = telling(reports[kind].mistakes)
    figures = [figure for mistake in chosen if (figure := _figure(mistake))]
    if figures:
        st.html(f'<div class="classify-steps how-well">{"".join(figures)}</div>')
        st.caption(
            "The surest mistakes of every class; on the right of each picture what the network saw of it."
        )
    if len(figures) < len(chosen):
        st.caption(
            f"{len(chosen) - len(figures)} more cannot be shown: they are not here, or are drawn or prepared differently by now. "
            f"`python -m core runs measure {run.id}` measures anew."
        )


def telling(mistakes: Sequence[Mistake], most: int = EXAMPLES) -> list[Mistake]:
    """Some mistakes to show: the surest of every class, then the second surest, until there are
    enough.

    What is none of the ten has no class of its own; there the class that it was taken for counts.
    """
    groups: dict[object, list[Mistake]] = {}
    for one in sorted(mistakes, key=lambda one: -one.confidence):
        groups.setdefault(one.accepted or one.answer, []).append(one)
    ranked = [
        (place, -one.confidence, one)
        for group in groups.values()
        for place, one in enumerate(group)
    ]
    return [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2])[:most]]


def _figure(mistake: Mistake) -> str:
    """A mistake as HTML: the picture, what the network saw of it, and what was said; nothing if the
    picture cannot be had as it was.
    """
    truth = class_name(mistake.accepted) if mistake.accepted else "None of the ten"
    answer = (
        "nothing was found"
        if mistake.answer is None
        else f"{CLASS_NAMES[mistake.answer]}, {theme.percent(mistake.confidence, 0)}"
    )
    words = html.escape(f"{truth} → {answer}")
    found = cache.outside_picture(mistake.name)
    if found is None or mistake.seen not in (None, outside_report.fingerprint(found[1])):
        return ""
    brought, pixels = found
    return (
        f'<figure><div><img src="{result.thumbnail(brought)[0]}" alt="{words}">'
        f'<img class="crisp" src="{thumbnails.data_uri(pixels)}" alt="What the network saw of it"></div>'
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
