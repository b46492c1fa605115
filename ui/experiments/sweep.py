"""The results of a sweep: score and seconds along one setting or over two, the table, and the best
training.

The score is what a run may be chosen by (`summary.Figures.score`), never the test accuracy where
pictures were held out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from core import runs, wording
from core.errors import AtelierError
from core.experiments import findings, records, summary
from core.experiments.queue import DONE, RUNNING, STOPPED, WAITING, PointState
from core.experiments.records import Experiment
from core.experiments.summary import Figures
from core.runs import Run
from core.specs.spec import TrainSpec
from ui import cache, frame
from ui.components.curves import Overlay
from ui.components.theme import percent
from ui.experiments import series_charts
from ui.train import form, jobs

Values = Sequence[float | None]  # one for each training, None where there is none yet


def show(experiment: Experiment, states: Sequence[PointState]) -> None:
    """Draw charts, best training and table.

    Args:
        states: how far each training is, in the order of the experiment's points.
    """
    figures = [figures_of(state) for state in states]
    scores: list[float | None] = []
    seconds: list[float | None] = []
    for known, state in zip(figures, states, strict=True):
        done = known if state.state == DONE else None
        scores.append(in_percent(done.score) if done else None)
        seconds.append(done.seconds if done else None)
    report = records.sweep_report(experiment)
    published: dict[str, float] = {}
    if report:
        texts = records.axis(report[1].setting, report[1].values).texts
        published = {
            text: 100 - error for text, error in zip(texts, report[1].errors_percent, strict=True)
        }
    tests = [in_percent(known.test_accuracy) if known else None for known in figures]
    _findings(experiment, states, scores)
    _charts(experiment, scores, seconds, published)
    _more_charts(experiment, states, scores, tests)
    if report and report[0].published:
        st.caption(
            f"Published: {report[0].published.source}, which gives the error on the test set; the "
            "chart shows 100 % minus that error. Hardware, library and seed differ from yours, and "
            "each value was trained once."
        )
    _best(experiment, scores)
    _table(experiment, states, figures, scores, published)


def figures_of(state: PointState) -> Figures | None:
    """The figures of a training that has a network, None for any other."""
    if state.run is None or state.state not in (DONE, STOPPED):
        return None
    return summary.of_run(state.run)


def score_name(spec: TrainSpec) -> str:
    """What the trainings of a spec are ranked by."""
    if spec.validation == "test":
        return "Test accuracy, last epoch"
    return "Test accuracy" if spec.validation == "none" else "Validation accuracy"


def state_text(state: PointState) -> str:
    """How far a training is, for a table."""
    if state.job is not None and state.state in (RUNNING, WAITING):
        return jobs.state_text(state.job)
    if state.run is None:
        return "Not trained"
    if state.state == DONE:
        return "Done"
    return state.problem or state.run.status_text.capitalize()


def in_percent(share: float | None) -> float | None:
    """A share in 0..1 in percent; None stays None."""
    return None if share is None else 100 * share


def open_in_train(spec: TrainSpec) -> None:
    """Put a spec into the form of the Train page and go there."""
    form.fill(spec)
    st.switch_page(frame.TRAIN, query_params={"new": "1"})


def _charts(
    experiment: Experiment, scores: Values, seconds: Values, published: Mapping[str, float]
) -> None:
    name = score_name(experiment.base)
    done = sum(value is not None for value in scores)
    if len(experiment.axes) == 1:
        axis = experiment.axes[0]
        places = findings.order(axis.values)
        label, texts = axis.field.label, [axis.texts[place] for place in places]
        sizes = findings.numbers([axis.values[place] for place in places])
        left_chart = series_charts.along(
            label,
            texts,
            [scores[place] for place in places],
            title=name,
            unit=" %",
            published=published,
            sizes=sizes if sizes and findings.spans_decades(sizes) else None,
        )
        right_chart = series_charts.bars(
            label, texts, [seconds[place] for place in places], title="Training time"
        )
    else:
        left_chart = _over(experiment, scores, name, " %", more_is_better=True)
        right_chart = _over(
            experiment, seconds, "Training time, seconds", " s", more_is_better=False
        )
    left, right = st.columns([3, 2])
    with left:
        series_charts.show(
            left_chart,
            key="experiments_score",
            alt=f"{name} of {done} trainings; the table below has the figures",
        )
    with right:
        series_charts.show(
            right_chart,
            key="experiments_seconds",
            alt=f"Seconds of {done} trainings; the table below has the figures",
        )


def _findings(experiment: Experiment, states: Sequence[PointState], scores: Values) -> None:
    """Say what a sweep over one setting found."""
    if len(experiment.axes) > 1:
        return
    runs_done = [state.run for state in states if state.state == DONE and state.run is not None]
    sentences = findings.describe(
        experiment.axes[0],
        scores,
        score=score_name(experiment.base).removesuffix(", last epoch"),
        epochs=experiment.base.epochs,
        pictures=_judged_on(runs_done[0]) if runs_done else 0,
    )
    if sentences:
        st.markdown(wording.literal(" ".join(sentences)))


def _judged_on(run: Run) -> int:
    """How many pictures a run's score was counted on; 0 where that was not kept."""
    try:
        if run.spec.validation in ("none", "test"):
            return len(cache.test_predictions(run.id).labels)
        return len(cache.validation_predictions(run.id, 1).labels)
    except AtelierError:
        return 0


def _more_charts(
    experiment: Experiment, states: Sequence[PointState], scores: Values, tests: Values
) -> None:
    """Draw validation next to test, and the curves of all trainings."""
    if len(experiment.axes) == 1:
        axis = experiment.axes[0]
        places = findings.order(axis.values)
        name = score_name(experiment.base)
        bars = {name: [scores[place] for place in places]}
        if name == "Validation accuracy":
            bars["Test accuracy"] = [tests[place] for place in places]
            series_charts.show(
                series_charts.compared(
                    axis.field.label, [axis.texts[place] for place in places], bars
                ),
                key="experiments_validation_test",
                alt="Validation and test accuracy of every training; the table has the figures",
            )
    overlays = []
    for values, state in zip(experiment.values, states, strict=True):
        if state.run is not None:
            with frame.errors(stop=False):
                overlays.append(Overlay(", ".join(values), runs.history(state.run.id)))
    overlays = [overlay for overlay in overlays if overlay.history]
    if not overlays:
        return
    series_charts.show_overlaid(overlays, key="experiments_sweep", things="trainings")


def _over(
    experiment: Experiment, values: Values, title: str, unit: str, *, more_is_better: bool
) -> go.Figure:
    """A chart over the two settings of a sweep."""
    down, across = experiment.axes
    width = len(across.values)
    return series_charts.over(
        (down.field.label, across.field.label),
        (down.texts, across.texts),
        [values[start : start + width] for start in range(0, len(values), width)],
        title=title,
        unit=unit,
        more_is_better=more_is_better,
    )


def _best(experiment: Experiment, scores: Values) -> None:
    """Show the best training so far, and the way to train with its settings."""
    ranked = {point: score for point, score in enumerate(scores) if score is not None}
    if not ranked:
        return
    point = max(ranked, key=ranked.__getitem__)
    values = ", ".join(
        f"{axis.field.label.lower()} {text}"
        for axis, text in zip(experiment.axes, experiment.values[point], strict=True)
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Best {'so far' if len(ranked) < len(scores) else 'overall'}: "
            f"{wording.literal(values)}** at {percent(ranked[point] / 100, 2)}.",
            width="content",
        )
        if st.button(
            "Train with these settings", key="experiments_best", icon=":material/model_training:"
        ):
            open_in_train(experiment.points[point])
        st.page_link(
            frame.TRAIN,
            label="Open this run",
            icon=":material/monitoring:",
            query_params={"run": experiment.run_ids[point] or ""},
        )
    remarks = []
    if experiment.base.validation == "test":
        remarks.append(
            "Every epoch was judged on the test set, and this choice was made on it too: the best "
            "of several looks better than it is."
        )
    elif experiment.base.validation == "none":
        remarks.append(
            "Without validation pictures, this choice was made on the test set: the best of "
            "several looks better than it is."
        )
    if [axis.setting for axis in experiment.axes] == ["seed"] and len(ranked) > 1:
        mean, deviation = summary.spread(list(ranked.values()))
        remarks.append(
            f"Over {len(ranked)} seeds: {mean:.2f} ± {deviation:.2f} %. A difference between "
            "settings that is not larger than this may well be chance."
        )
    elif len(ranked) > 1:
        remarks.append(
            "Each value was trained once. To see how much chance matters, vary the seed."
        )
    st.caption(" ".join(remarks))


def _table(
    experiment: Experiment,
    states: Sequence[PointState],
    figures: Sequence[Figures | None],
    scores: Values,
    published: Mapping[str, float],
) -> None:
    name = score_name(experiment.base)
    rows = []
    for values, state, known, score in zip(experiment.values, states, figures, scores, strict=True):
        row: dict[str, str | float | None] = {
            axis.field.label: text for axis, text in zip(experiment.axes, values, strict=True)
        }
        row |= {"State": state_text(state), name: score}
        if published:
            row["Published"] = published.get(values[0])
        if name != "Test accuracy":
            best_epoch = "" if name == "Validation accuracy" else ", best epoch"
            row[f"Test accuracy{best_epoch}"] = in_percent(known.test_accuracy) if known else None
        row |= {
            "Best epoch": known.best_epoch if known else None,
            "Parameters": known.parameters if known else None,
            "Seconds": known.seconds if known else None,
        }
        rows.append(row)
    shares = [name for name in rows[0] if "accuracy" in name or name == "Published"]
    st.dataframe(
        {name: [row[name] for row in rows] for name in rows[0]},
        key="experiments_table",
        hide_index=True,
        height="content",
        placeholder="–",
        alt=f"{len(rows)} trainings with scores and seconds",
        column_config={
            **{name: st.column_config.NumberColumn(format="%.2f %%") for name in shares},
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Seconds": st.column_config.NumberColumn(format="%.0f"),
        },
    )
