"""One run on the Train page: followed while it trains, judged when it is done, resumed if it was
interrupted.

Nothing about training is decided here: whether a run is being trained is asked of the engine
(`jobs.py`), everything else is read from the run library.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import evaluation, runs, wording
from core.errors import EngineUnavailable, RunNotFound
from core.networks import backbones
from core.runs import Epoch, Run, Status
from core.specs import presets
from core.specs.spec import TrainSpec
from core.wording import duration
from ui import cache, frame
from ui.components import charts, layer_table, theme, words
from ui.components.theme import percent
from ui.train import continue_run, form, jobs, published_table, replay, run_curves

LOWER = 10  # what the learning rate of a run that diverged is divided by
NEXT = (
    (frame.MISTAKES, "See its mistakes", ":material/rule:"),
    (frame.MATRIX, "See its confusion matrix", ":material/grid_on:"),
    (frame.CLASSIFY, "Try it on a picture", ":material/draw:"),
)


def show(run_id: str) -> None:
    """Draw the run that the address names, whatever state it is in."""
    try:
        run, history = runs.read(run_id), runs.history(run_id)
    except RunNotFound as missing:
        st.warning(wording.sentence(str(missing)), icon=":material/search_off:")
        new_training_button()
        return
    _show_heading(run)
    if run.finished:
        _show_result(run, history)
        return
    try:
        engine = jobs.find_engine()
        if engine is not None and engine.job(run.id) is not None:
            _follow(run)
        else:
            _show_interrupted(run, history, engine.failure(run.id) if engine else None)
    except EngineUnavailable as problem:  # it may be in training all the same
        st.error(wording.sentence(str(problem)), icon=":material/error:")
        st.button("Look again", key="train_look", icon=":material/refresh:")


def _show_heading(run: Run) -> None:
    """Name and settings of the run, and the way back to the form."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.header(wording.literal(run.name), anchor=False, width="content")
            if run.spec.data == "offline-sample":
                frame.sample_badge(cache.dataset("offline-sample"))
        new_training_button()
    st.caption(_describe(run))


def new_training_button() -> None:
    """Draw the button that leads back to the form."""
    st.button(
        "New training", key="train_new", icon=":material/add:", on_click=jobs.open_run, args=(None,)
    )


def _follow(run: Run) -> None:
    """The run's job and its growing curves."""
    theme.hide_status()
    jobs.show_progress(run.id)
    run_curves.follow(run, run_curves.read_overlays(run))
    replay.follow(run)
    run_curves.pick_overlays(run)


def _show_result(run: Run, history: Sequence[Epoch]) -> None:
    """Scores, what the curves tell, and where to look next."""
    record = run.finished_record
    pictures = (
        "the 10,000 test pictures"
        if run.spec.data == "fashion-mnist"
        else "the offline sample's test pictures"
    )
    loss = record.scores.test_loss
    charts.figures(
        (
            "Test accuracy",
            percent(record.scores.test_accuracy, 2),
            f"Share of {pictures} that it labels correctly.",
        ),
        (
            "Test loss",
            "–" if loss is None else f"{loss:.3f}",
            "Cross-entropy in nats; lower is better.",
        ),
        ("Best epoch", f"{record.best_epoch} of {record.epochs_done}", "Its weights were kept."),
        ("Training time", duration(record.seconds), None),
    )
    diverged = runs.divergence(run.id)
    if diverged is not None:
        _show_divergence(run, diverged)
    elif run.status is Status.STOPPED:
        st.info(
            f"This run was {run.status_text}; the best epoch so far was kept.",
            icon=":material/stop_circle:",
        )
    for sentence in evaluation.observe(history, record):
        st.markdown(f":material/insights: {sentence}")
    continue_run.offer(run)
    published_table.show(run, history)
    for column, (page, label, icon) in zip(st.columns(len(NEXT)), NEXT, strict=True):
        if frame.exists(page):
            column.page_link(
                page, label=label, icon=icon, query_params={"run": run.id}, width="stretch"
            )
    run_curves.show(run, history, record.best_epoch, run_curves.read_overlays(run))
    run_curves.pick_overlays(run)
    replay.show(run)
    _show_details(run)


def _show_interrupted(run: Run, history: Sequence[Epoch], failure: str | None) -> None:
    """Say what happened to an unfinished run without a job, and offer to resume it."""
    diverged = runs.divergence(run.id)
    if diverged is not None:
        _show_divergence(run, diverged)
    else:
        explanation = failure or "What it learned so far is saved; Resume continues from there."
        st.warning(f"This run was {run.status_text}. {explanation}", icon=":material/pause_circle:")
        continue_run.resume_button(run.id)
    if history:
        best_epoch = run_curves.best_so_far(run.id)
        run_curves.show(run, history, best_epoch, run_curves.read_overlays(run))
        run_curves.pick_overlays(run)
    _show_details(run)


def _show_divergence(run: Run, sentence: str) -> None:
    """Say where a run diverged, and offer the form with a lower learning rate."""
    st.error(wording.sentence(sentence), icon=":material/trending_up:")
    rate = run.spec.learning_rate / LOWER
    st.button(
        f"Train again with learning rate {rate:g}",
        key="train_lower",
        type="primary",
        icon=":material/trending_down:",
        on_click=_fill_form,
        args=(run.spec.replace(learning_rate=rate),),
        help="Opens the form with these settings and a tenth of the learning rate.",
    )


def _show_details(run: Run) -> None:
    """Versions, settings and layers, folded away."""
    with st.expander("Network and settings", icon=":material/layers:"), frame.errors(stop=False):
        versions = run.record.versions if run.record else {}
        st.caption(", ".join(f"{name} {version}" for name, version in versions.items()) or run.id)
        preset = presets.matching(run.spec)
        if preset:
            same_length = run.spec.epochs == preset.spec.epochs
            ending = "." if same_length else f", with {_epochs(run.spec)}."
            st.caption(f"The settings of the preset {preset.title}{ending}")
        st.button(
            "Start a new training with these settings",
            key="train_copy",
            icon=":material/content_copy:",
            on_click=_fill_form,
            args=(run.spec,),
        )
        st.caption("; ".join(form.list_settings(run.spec)) + ".")
        layer_table.layer_table(run.spec)


def _fill_form(spec: TrainSpec) -> None:
    form.fill(spec)
    jobs.open_run(None)


def _describe(run: Run) -> str:
    """The run's settings in one line."""
    spec = run.spec
    rate = " then ".join(
        dict.fromkeys(f"{stage.learning_rate:g}" for stage in backbones.stages(spec))
    )
    facts = [
        words.word(spec.backbone if spec.architecture == "transfer" else spec.architecture),
        words.word(spec.optimizer),
        f"learning rate {rate}",
        f"batch {spec.batch}",
        _epochs(spec),
        f"seed {spec.seed}",
    ]
    if run.parameters:
        facts.insert(1, f"{run.parameters:,} parameters")
    if run.note:
        facts.append(wording.literal(run.note))
    return " · ".join(facts)


def _epochs(spec: TrainSpec) -> str:
    return f"{spec.epochs} epoch{'s' * (spec.epochs != 1)}"
