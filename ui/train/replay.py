"""What a network answers after each epoch: two dozen validation pictures, the confusion matrix of
all of them, the filters of its first layer; live while it trains, and replayed afterwards.

Which pictures these are is decided in `core.evaluation.watched`; everything drawn here was written
down by the training.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core import evaluation, runs
from core.evaluation.watched import Watched
from core.labels import CLASS_NAMES
from core.runs import EpochPredictions, Run
from ui import cache, frame, state
from ui.components import heat, matrix_image, theme, thumbnails
from ui.components.theme import percent

LIVE_SECONDS = 2.0
STEP_SECONDS = 0.8  # of each epoch while playing
SHOWN = "train_replay_epoch"  # key of the slider
MOST_FILTERS = 64


@dataclass
class Player:
    """Whether this visitor has a replay running, and of which run."""

    run_id: str = ""
    playing: bool = False


@st.fragment(run_every=LIVE_SECONDS)
def follow(run: Run) -> None:
    """Draw the answers after the latest epoch, again every other second; none before the first."""
    with frame.errors(stop=False):
        epochs = runs.validation_epochs(run.id)
        if epochs:
            # Not from the cache: its entries would be outdated by the training's next file.
            _show_epoch(run, epochs, epochs[-1], runs.validation_predictions)


def show(run: Run) -> None:
    """Draw the answers after an epoch, with a slider and a button that plays all of them."""
    epochs = runs.validation_epochs(run.id)
    if not epochs:
        return
    player = state.page_state(Player)
    if player.run_id != run.id:
        player.run_id, player.playing = run.id, False
    every = STEP_SECONDS if player.playing else None
    st.fragment(_replay, run_every=every)(run, epochs, player)


def _replay(run: Run, epochs: Sequence[int], player: Player) -> None:
    best = next((epoch for epoch in epochs if epoch == run.best_epoch), epochs[-1])
    names: dict[str, int] = {str(epoch): epoch for epoch in epochs}
    with frame.errors(stop=False):
        state.follow(
            "epoch", SHOWN, state.one_of(names, "the epoch"), best, valid=lambda one: one in epochs
        )
        if player.playing:
            _step(epochs, player)
        epoch = st.session_state[SHOWN]
        if len(epochs) > 1:
            with st.container(horizontal=True, vertical_alignment="bottom"):
                if st.button(
                    "Pause" if player.playing else "Play the epochs",
                    key="train_play",
                    icon=":material/pause:" if player.playing else ":material/play_arrow:",
                ):
                    player.playing = not player.playing
                    st.rerun()
                epoch = st.select_slider("Epoch", epochs, key=SHOWN)
        if not player.playing:  # each address is an entry in the browser's history
            state.publish("epoch", SHOWN, None if epoch == best else str(epoch))
        _show_epoch(run, epochs, epoch, cache.validation_predictions)


def _step(epochs: Sequence[int], player: Player) -> None:
    """Go to the next epoch, from the last one to the first; the replay ends with the last."""
    place = epochs.index(st.session_state[SHOWN]) + 1
    st.session_state[SHOWN] = epochs[place % len(epochs)]
    if place == len(epochs) - 1:
        player.playing = False
        st.rerun()


def _show_epoch(
    run: Run,
    epochs: Sequence[int],
    epoch: int,
    predictions: Callable[[str, int], EpochPredictions],
) -> None:
    """Draw pictures, matrix and filters after one epoch, next to how they were the epoch before."""
    now = predictions(run.id, epoch)
    earlier = [one for one in epochs if one < epoch]
    before = predictions(run.id, earlier[-1]) if earlier else None
    watched = cache.watched_pictures(run.id, run.spec.data, run.spec.validation == "test")
    st.subheader(f"What it answers after epoch {epoch}", anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_pictures(run, watched, now, before)
    with right:
        _show_matrix(now)
        _show_filters(run.id, epoch)


def _show_pictures(
    run: Run, watched: Watched, now: EpochPredictions, before: EpochPredictions | None
) -> None:
    """The same pictures after every epoch, each with its truth, the answer and what changed."""
    data = cache.dataset(run.spec.data)
    pixels = data.test_pixels if run.spec.validation == "test" else data.train_pixels
    figures, right, gained, lost = [], 0, 0, 0
    for place, hard in zip(watched.positions, watched.hard, strict=True):
        truth, answer = int(now.labels[place]), int(now.prediction[place])
        is_right = answer == truth
        was_right = None if before is None else int(before.prediction[place]) == truth
        right += is_right
        gained += is_right and was_right is False
        lost += was_right is True and not is_right
        figures.append(
            _figure(
                pixels[now.indices[place]],
                truth,
                answer,
                float(now.confidence[place]),
                _change(is_right, was_right) + (" · hard" if hard else ""),
            )
        )
    changes = f" {gained} became right, {lost} became wrong." if before is not None else ""
    st.caption(
        f"{right} of {len(figures)} right.{changes} The same validation pictures every time: of each class "
        "the one that the included network found easiest and the one that it found hardest, and a "
        "few more hard ones."
    )
    st.html(f"{_style()}<div class='train-watched'>{''.join(figures)}</div>")


def _change(is_right: bool, was_right: bool | None) -> str:
    if was_right is None or was_right == is_right:
        return "right" if is_right else "wrong"
    return "wrong → right" if is_right else "right → wrong"


def _figure(
    pixels: NDArray[np.uint8], truth: int, answer: int, confidence: float, words: str
) -> str:
    """One picture with its truth, the answer and its confidence, and how that changed."""
    mark, kind = ("✓", "right") if answer == truth else ("✗", "wrong")
    said = f"{CLASS_NAMES[answer]} {percent(confidence, 0)}"
    alt = html.escape(f"{CLASS_NAMES[truth]}, called {said}: {words}", quote=True)
    return (
        f"<figure class='{kind}'><img src='{thumbnails.data_uri(pixels)}' alt='{alt}'>"
        f"<figcaption><span>{html.escape(CLASS_NAMES[truth])}</span>"
        f"<b>{mark} {html.escape(said)}</b><span>{words}</span></figcaption></figure>"
    )


def _show_matrix(now: EpochPredictions) -> None:
    """The confusion matrix of all validation pictures, small."""
    counts = evaluation.confusion(now.labels, now.prediction.astype(np.int64))
    values = counts.astype(np.float64)
    fills = matrix_image.fills(
        values, matrix_image.top_of([values]), theme.palette(), logarithmic=True
    )
    head = "".join(f"<th scope='col'><span>{html.escape(name)}</span></th>" for name in CLASS_NAMES)
    rows = []
    for truth, name in enumerate(CLASS_NAMES):
        cells = "".join(
            f"<td style='background:rgb({r},{g},{b});color:{matrix_image.readable_on((r, g, b))}'>"
            f"{counts[truth, answer] or ''}</td>"
            for answer, (r, g, b) in enumerate(fills[truth].tolist())
        )
        rows.append(f"<tr><th scope='row'>{html.escape(name)}</th>{cells}</tr>")
    accuracy = float((now.labels == now.prediction).mean())
    st.html(
        f"<table class='train-matrix'><caption>Truth in rows, answers in columns: "
        f"{len(now.labels):,} validation pictures, {percent(accuracy)} right</caption>"
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _show_filters(run_id: str, epoch: int) -> None:
    """The filters of the first layer, if it has any that are pictures."""
    kernel = runs.epoch_filters(run_id, epoch)
    if kernel is None:
        return
    count = kernel.shape[3]
    thumbnails.show(
        heat.mosaic(kernel[:, :, 0, :], most=MOST_FILTERS),
        alt=f"The {count} filters of the first layer after epoch {epoch}",
        caption=f"{count} filters of the first layer. {heat.WORDS}",
    )


def _style() -> str:
    colours = theme.palette()
    return (
        "<style>"
        ".train-watched{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fill,minmax(5.6rem,1fr))}"
        ".train-watched figure{margin:0;border-radius:6px;padding:3px;border:2px solid}"
        f".train-watched .right{{border-color:{colours.better}}}"
        f".train-watched .wrong{{border-color:{colours.worse};border-style:dashed}}"
        ".train-watched img{display:block;width:100%;aspect-ratio:1;image-rendering:pixelated;"
        "background:#000;border-radius:3px}"
        ".train-watched figcaption{display:flex;flex-direction:column;font-size:.75rem;"
        "line-height:1.3;margin-top:.2rem}"
        f".train-watched .right b{{color:{colours.better}}} .train-watched .wrong b{{color:{colours.worse}}}"
        ".train-matrix{border-collapse:separate;border-spacing:2px;width:100%;table-layout:fixed;"
        "font-size:.65rem;font-variant-numeric:tabular-nums}"
        ".train-matrix caption{text-align:left;font-size:.8rem;padding-bottom:.3rem}"
        ".train-matrix td{text-align:center;padding:.25rem 0;border-radius:3px}"
        ".train-matrix thead td{width:4.6rem}"
        ".train-matrix th{font-weight:400;text-align:right;white-space:nowrap;padding-right:.3rem}"
        ".train-matrix thead th{vertical-align:bottom;height:4.6rem;padding:0;text-align:center}"
        ".train-matrix thead span{writing-mode:vertical-rl;transform:rotate(180deg)}"
        "</style>"
    )
