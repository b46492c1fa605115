"""One run on the Train page: followed while it trains, judged once it is done, resumed if it was
interrupted.

It decides nothing about training: whether a run is in the making is asked of the engine
(`run_live.py`), everything else is read from the run library.
"""

from __future__ import annotations

import streamlit as st

from core import runs as library
from core.errors import EngineUnavailable, RunNotFound
from core.networks import backbones
from core.specs import presets
from core.specs.spec import TrainSpec
from ui import cache, frame
from ui.components import layer_table, run_names, words
from ui.components.theme import percent
from ui.train import form, jobs, published_table, run_curves

NEXT = (
    (frame.MISTAKES, "See its mistakes", ":material/rule:"),
    (frame.MATRIX, "See its confusion matrix", ":material/grid_on:"),
    (frame.CLASSIFY, "Try it on a picture", ":material/draw:"),
)


def show(run_id: str) -> None:
    """Draw the run that the address names, whatever state it is in."""
    try:
        run, rows = library.read(run_id), library.history(run_id)
    except RunNotFound as gone:
        st.warning(str(gone), icon=":material/search_off:")
        new_training_button()
        return
    _heading(run)
    if run.finished:
        _result(run, rows)
        return
    try:
        engine = jobs.engine_if_any()
        if engine is not None and engine.job(run.id) is not None:
            _follow(run)
        else:
            _interrupted(run, rows, engine.failure(run.id) if engine else None)
    except EngineUnavailable as problem:  # it may be training all the same
        st.error(str(problem), icon=":material/error:")
        st.button("Look again", key="train_look", icon=":material/refresh:")


def _heading(run: library.Run) -> None:
    """Name and settings of the run, and the way back to the form."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.subheader(run_names.literal(run.name), anchor=False, width="content")
            if run.spec.data == "offline-sample":
                frame.sample_badge(cache.dataset("offline-sample"))
        new_training_button()
    st.caption(_described(run))


def new_training_button() -> None:
    """Back to the form."""
    st.button(
        "New training", key="train_new", icon=":material/add:", on_click=jobs.open_run, args=(None,)
    )


def _follow(run: library.Run) -> None:
    """The run's job and its growing curves."""
    # Streamlit's running man would come and go with every poll.
    st.html("<style>[data-testid='stStatusWidget'] { visibility: hidden; }</style>")
    jobs.progress(run.id)
    run_curves.follow(run, run_curves.chosen_overlays(run))
    run_curves.overlay_picker(run)


def _result(run: library.Run, rows: list[dict]) -> None:
    """Scores, what the curves tell, and where to look next."""
    from core import evaluation

    asked = (
        "the 10,000 test pictures"
        if run.spec.data == "fashion-mnist"
        else "the offline sample's test pictures"
    )
    jobs.figures(
        ("Test accuracy", percent(run.test_accuracy, 2), f"Share of {asked} it gets right."),
        (
            "Test loss",
            f"{run.test_loss:.3f}" if run.test_loss is not None else "–",
            "Cross-entropy in nats; lower is better.",
        ),
        (
            "Best epoch",
            f"{run.best_epoch} of {run.record.get('epochs_done', len(rows))}",
            "Its weights were kept.",
        ),
        ("Training time", words.duration(run.seconds or 0), None),
    )
    if run.status == "stopped":
        st.info(
            f"This run was {run.status_text}; the best epoch until then was kept.",
            icon=":material/stop_circle:",
        )
    for sentence in evaluation.observe(rows, run.record):
        st.markdown(f":material/insights: {sentence}")
    published_table.show(run, rows)
    for column, (page, label, icon) in zip(st.columns(len(NEXT)), NEXT, strict=True):
        if frame.exists(page):
            column.page_link(
                page, label=label, icon=icon, query_params={"run": run.id}, width="stretch"
            )
    run_curves.draw(run, rows, run.best_epoch, run_curves.chosen_overlays(run))
    run_curves.overlay_picker(run)
    _details(run)


def _interrupted(run: library.Run, rows: list[dict], failure: str | None) -> None:
    """Say what happened to an unfinished run without a job, and offer to go on."""
    st.warning(
        f"This run was {run.status_text}. {failure or 'What it learnt until then is kept; it goes on where it was.'}",
        icon=":material/pause_circle:",
    )
    if st.button("Resume", key="train_resume", type="primary", icon=":material/play_circle:"):
        resume(run.id)
    if rows:
        run_curves.draw(run, rows, run_curves.best_so_far(run.id), run_curves.chosen_overlays(run))
        run_curves.overlay_picker(run)
    _details(run)


def resume(run_id: str) -> None:
    """Send an interrupted run back to the engine and show it."""
    with frame.errors(stop=False):
        cache.engine().resume(run_id)
        cache.forget_runs()
        jobs.open_run(run_id)
        st.rerun()


def _details(run: library.Run) -> None:
    with st.expander("Network and settings", icon=":material/layers:"), frame.errors(stop=False):
        preset = presets.matching(run.spec)
        st.caption(
            ", ".join(f"{name} {value}" for name, value in run.record.get("versions", {}).items())
            or run.id
        )
        if preset:
            st.caption(
                f"The settings of the preset {preset.title}"
                + ("." if run.spec.epochs == preset.spec.epochs else f", with {_epochs(run.spec)}.")
            )
        st.button(
            "Start a new training from these settings",
            key="train_copy",
            icon=":material/content_copy:",
            on_click=_copy,
            args=(run,),
        )
        st.caption("; ".join(form.settings_of(run.spec)) + ".")
        layer_table.layer_table(run.spec)


def _copy(run: library.Run) -> None:
    form.fill(run.spec)
    jobs.open_run(None)


def _described(run: library.Run) -> str:
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
        facts.append(run_names.literal(run.note))
    return " · ".join(facts)


def _epochs(spec: TrainSpec) -> str:
    return f"{spec.epochs} epoch{'s' * (spec.epochs != 1)}"
