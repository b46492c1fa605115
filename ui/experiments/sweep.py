"""What came of a sweep: score and seconds along one setting or over two, the table, and the best
training.

The score is what a run may be chosen by (`run_figures.Figures.score`), never the test accuracy
where pictures were kept back.
"""

from __future__ import annotations

import streamlit as st

from core.experiments import records, summary
from core.experiments.queue import DONE, RUNNING, STOPPED, WAITING, PointState
from core.experiments.records import Experiment
from core.experiments.summary import Figures
from core.specs.spec import TrainSpec
from ui import frame
from ui.components import run_names
from ui.components.theme import percent
from ui.experiments import series_charts
from ui.train import form, jobs


def draw(experiment: Experiment, found: list[PointState]) -> None:
    """Charts, best and table.

    Args:
        found: how far each point is, in the order of the experiment's points.
    """
    lines = [summary.of_run(one.run) if one.state in (DONE, STOPPED) else None for one in found]
    scores = [
        _percent(line.score) if line and one.state == DONE else None
        for line, one in zip(lines, found, strict=True)
    ]
    seconds = [
        line.seconds if line and one.state == DONE else None
        for line, one in zip(lines, found, strict=True)
    ]
    report = records.report_of(experiment)
    published = (
        {}
        if report is None
        else {
            records.axis(report[1].setting, [value]).texts[0]: 100 - error
            for value, error in zip(report[1].values, report[1].errors_percent, strict=True)
        }
    )
    _charts(experiment, scores, seconds, published)
    if published:
        st.caption(
            f"Published: {report[0].published.source}, which gives the error on the test set; drawn is 100 % less the error. Its "
            "machine, library and seed are others, and it varied each setting once."
        )
    _best(experiment, scores)
    _table(experiment, found, lines, scores, published)


def score_words(spec: TrainSpec) -> str:
    """What the trainings of a spec are ranked by."""
    return {"test": "Test accuracy, last epoch", "none": "Test accuracy"}.get(
        spec.validation, "Validation accuracy"
    )


def words_of(one: PointState) -> str:
    """A point's state for a table."""
    if one.state in (RUNNING, WAITING):
        return jobs.state_text(one.job)
    if one.run is None:
        return "Not trained"
    return "Done" if one.state == DONE else one.problem or one.run.status_text.capitalize()


def open_in_train(spec: TrainSpec) -> None:
    """Put a spec into the form of the Train page and go there."""
    form.fill(spec)
    st.switch_page(frame.TRAIN, query_params={"new": "1"})


def _charts(
    experiment: Experiment, scores: list, seconds: list, published: dict[str, float]
) -> None:
    axes, told = experiment.axes, score_words(experiment.base)
    done = sum(value is not None for value in scores)
    left, right = st.columns([3, 2])
    if len(axes) == 1:
        label, texts = axes[0].field.label, axes[0].texts
        figures = (
            series_charts.along(label, texts, scores, title=told, unit=" %", published=published),
            series_charts.bars(label, texts, seconds, title="Training time"),
        )
    else:
        labels, texts = tuple(axis.field.label for axis in axes), tuple(axis.texts for axis in axes)
        wide = len(axes[1].values)
        figures = tuple(
            series_charts.over(
                labels,
                texts,
                [values[at : at + wide] for at in range(0, len(values), wide)],
                title=title,
                unit=unit,
                more_is_better=better,
            )
            for values, title, unit, better in (
                (scores, told, " %", True),
                (seconds, "Training time, seconds", " s", False),
            )
        )
    with left:
        series_charts.show(
            figures[0],
            key="experiments_score",
            alt=f"{told} of {done} trainings; the table below has the figures",
        )
    with right:
        series_charts.show(
            figures[1],
            key="experiments_seconds",
            alt=f"Seconds of {done} trainings; the table below has the figures",
        )


def _best(experiment: Experiment, scores: list[float | None]) -> None:
    """The best of what is done, and the way to train it again."""
    ranked = [place for place, score in enumerate(scores) if score is not None]
    if not ranked:
        return
    place = max(ranked, key=lambda one: scores[one])
    values = ", ".join(
        f"{axis.field.label.lower()} {text}"
        for axis, text in zip(experiment.axes, experiment.places[place], strict=True)
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Best {'so far' if len(ranked) < len(scores) else 'of all'}: {run_names.literal(values)}** with "
            f"{percent(scores[place] / 100, 2)}.",
            width="content",
        )
        if st.button("Open in Train", key="experiments_best", icon=":material/model_training:"):
            open_in_train(experiment.points[place])
        st.page_link(
            frame.TRAIN,
            label="See this run",
            icon=":material/monitoring:",
            query_params={"run": experiment.run_ids[place]},
        )
    remarks = []
    if experiment.base.validation == "test":
        remarks.append(
            "Every epoch was judged on the test set, and so is this choice: the best of several looks better than it is."
        )
    if [axis.setting for axis in experiment.axes] == ["seed"] and len(ranked) > 1:
        mean, deviation = summary.spread([scores[one] for one in ranked])
        remarks.append(
            f"Over {len(ranked)} seeds: {mean:.2f} ± {deviation:.2f} %. A difference between settings that is not larger than "
            "this says nothing."
        )
    elif len(ranked) > 1:
        remarks.append(
            "One training each: what another seed would change is seen by varying the seed."
        )
    st.caption(" ".join(remarks))


def _table(
    experiment: Experiment,
    found: list[PointState],
    lines: list[Figures | None],
    scores: list,
    published: dict[str, float],
) -> None:
    told = score_words(experiment.base)
    rows = []
    for place, (one, line) in enumerate(zip(found, lines, strict=True)):
        row = {
            axis.field.label: text
            for axis, text in zip(experiment.axes, experiment.places[place], strict=True)
        }
        row |= {"State": words_of(one), told: scores[place]}
        if published:
            row["Published"] = published.get(experiment.places[place][0])
        if told != "Test accuracy":
            name = "Test accuracy" if told == "Validation accuracy" else "Test accuracy, best epoch"
            row[name] = _percent(line.test_accuracy) if line else None
        row |= {
            "Best epoch": line.best_epoch if line else None,
            "Parameters": line.parameters if line else None,
            "Seconds": line.seconds if line else None,
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


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
