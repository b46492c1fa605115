"""What Classify and Network say about a picture: the answer, how the picture was prepared, and why.

The answer comes first and is one small piece of HTML a network, so that it follows a drawing stroke
by stroke without flicker. Everything that takes longer is drawn after it, and the reasons only
while somebody looks at them.

Pictures come from `canvas.py` and `uploads.py`, answers from `core.inference.answer`; nothing is
computed here.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core import wording
from core.errors import DataDamaged, DataUnavailable
from core.inference import Network, answer
from core.inference.answer import Prediction, PreparationOptions
from core.labels import CLASS_NAMES, CLASSES, SIDE
from core.pictures import Kind, Polarity, Prepared
from core.runs import Run
from ui import cache, frame
from ui.classify import uploads
from ui.classify.uploads import Upload
from ui.components import charts, theme, thumbnails

NEIGHBOURS = 8
# Pixels: a step is shown at half of that, and phones have two screen pixels for one.
THUMBNAIL = 240
POLARITIES: dict[Polarity, str] = {
    "auto": "Automatic",
    "light on dark": "Garment is brighter",
    "dark on light": "Garment is darker",
}


@dataclass(frozen=True)
class Contender:
    """A run and its network, open."""

    run: Run
    network: Network


def choose_networks() -> list[Contender]:
    """Let people choose the network that answers, and one to compare it with; the address names
    both.

    Returns:
        one or two; none where there is no finished run, which the page has then said.
    """
    left, right = st.columns(2)
    with left:
        first = frame.choose_run("Network", "classify_run")
    if first is None:
        return []
    with right:
        second = frame.choose_run("Compare with", "classify_with", param="with", optional=True)
    chosen = [first] if second is None or second.id == first.id else [first, second]
    return [Contender(run, cache.network(run.id)) for run in chosen]


def draw_answers(
    contenders: Sequence[Contender],
    pixels: NDArray[np.uint8],
    *,
    truth: int | None = None,
    blank: bool = False,
    doubt: str = "",
    kind: Kind | None = None,
) -> list[Prediction]:
    """Draw what the networks say.

    Args:
        contenders: one or two networks.
        pixels: uint8 `(28, 28)`.
        truth: the label of a picture of the data set, which is answered as the figures of the run
            were measured; None for people's own pictures.
        blank: nothing was found in the picture, so no network is asked.
        doubt: a sentence on why no network can be sure of this picture; empty where there is no
            such reason.
        kind: what the picture turned out to be; None for a picture of the data set.

    Returns:
        what each network said; nothing for a blank picture.
    """
    if blank:
        draw_placeholder("Not sure", "Nothing stands out from the background here.")
        return []
    predictions = [
        answer.predict(
            contender.network, pixels, doubt=doubt, kind=kind, from_data_set=truth is not None
        )
        for contender in contenders
    ]
    titles = [contender.run.name for contender in contenders] if len(contenders) > 1 else [""]
    headlines = [
        headline_html(
            prediction.probabilities, sure=prediction.sure, truth=truth, doubt=doubt, title=title
        )
        for prediction, title in zip(predictions, titles, strict=True)
    ]
    above = headlines[0]
    if len(predictions) > 1:
        above = f'<div class="classify-two">{"".join(headlines)}</div>'
    bars = bars_of(predictions, truth)
    st.html(f'<div class="classify-answer">{above}{bars}</div>')
    return predictions


def bars_of(predictions: Sequence[Prediction], truth: int | None = None) -> str:
    """The probabilities of one or two answers as bars, as HTML."""
    shares = [prediction.probabilities for prediction in predictions]
    if len(shares) == 1:
        return charts.bars_html(shares[0], truth=truth)
    return pairs_html(shares[0], shares[1], truth=truth)


def draw_bars_below(predictions: Sequence[Prediction]) -> None:
    """In a narrow window only the headline is above the sheet; the bars are here, below it."""
    if predictions:
        st.html(f'<div class="classify-below">{bars_of(predictions)}</div>')


def draw_placeholder(headline: str, sentence: str) -> None:
    """Keep the answer's place while there is no picture, and say what to do."""
    st.html(
        f'<div class="classify-answer classify-empty"><section class="unsure">'
        f"<h2>{html.escape(headline)}</h2><p>{html.escape(sentence)}</p></section>"
        f"{charts.bars_html(np.zeros(CLASSES))}</div>"
    )


def headline_html(
    probabilities: NDArray[np.floating],
    *,
    sure: bool,
    truth: int | None = None,
    doubt: str = "",
    title: str = "",
) -> str:
    """An answer in a few words, as HTML.

    Args:
        probabilities: float `(10,)`.
        sure: False makes the headline "Not sure" and names the two most probable classes below.
        truth: the label, compared in words.
        doubt: why it cannot be sure.
        title: a line above, such as the run's name.
    """
    first, second = (int(label) for label in np.argsort(-probabilities, kind="stable")[:2])
    confidence = theme.percent(float(probabilities[first]))
    if sure:
        headline, line = CLASS_NAMES[first], f"{confidence} confidence"
    elif doubt:
        headline, line = "Not sure", f"{doubt} The closest class is {CLASS_NAMES[first]}"
    else:
        headline = "Not sure"
        line = (
            f"{CLASS_NAMES[first]} {confidence}, "
            f"or {CLASS_NAMES[second]} {theme.percent(float(probabilities[second]))}"
        )
    if truth is not None:
        line += " · correct" if truth == first else f" · actually {CLASS_NAMES[truth]}"
    above = f"<small>{html.escape(title)}</small>" if title else ""
    kind = "sure" if sure else "unsure"
    return (
        f'<section role="status" class="{kind}">{above}<h2>{html.escape(headline)}</h2>'
        f"<p>{html.escape(line)}</p></section>"
    )


def pairs_html(
    first: NDArray[np.floating], second: NDArray[np.floating], *, truth: int | None = None
) -> str:
    """Two networks' probabilities `(10,)` as pairs of bars, class by class, as HTML."""
    rows = []
    for label, (name, *shares) in enumerate(zip(CLASS_NAMES, first, second, strict=True)):
        mark = "<small> truth</small>" if label == truth else ""
        bars = "".join(
            f'<i><b style="width:{100 * float(share):.2f}%"></b></i>' for share in shares
        )
        figures = "<br>".join(theme.percent(float(share)) for share in shares)
        rows.append(
            f"<li><span>{html.escape(name)}{mark}</span><div>{bars}</div><em>{figures}</em></li>"
        )
    return f'<ul class="atelier-bars classify-pairs">{"".join(rows)}</ul>'


def draw_overview(contenders: Sequence[Contender], pictures: Sequence[Upload]) -> None:
    """Draw several pictures with their answers; a click chooses one for a closer look.

    Args:
        contenders: one or two networks.
        pictures: at least one.
    """
    pixels = np.stack([upload.pixels for upload in pictures])
    kinds = [upload.kind for upload in pictures]
    answers = [
        _summaries(answer.predict_all(contender.network, pixels, kinds), pictures)
        for contender in contenders
    ]
    lines = [" / ".join(summaries) for summaries in zip(*answers, strict=True)]
    names = [upload.file.name for upload in pictures]
    thumbnails.gallery(
        [
            thumbnails.Item(index, upload.pixels, f"{line} ({name})", f"{name}: {line}")
            for index, (upload, name, line) in enumerate(zip(pictures, names, lines, strict=True))
        ],
        "classify_gallery",
        lambda index: uploads.upload_state().choose(pictures[index].file.file_id),
        cell=112,
    )
    st.caption("As the network sees them. Click one for a closer look.")


def _summaries(predictions: Sequence[Prediction], pictures: Sequence[Upload]) -> list[str]:
    """A few words for each picture."""
    return [
        f"{CLASS_NAMES[prediction.label]}, {theme.percent(prediction.confidence)}"
        if prediction.sure and not upload.blank
        else "Not sure"
        for prediction, upload in zip(predictions, pictures, strict=True)
    ]


def draw_options(*, fill: bool) -> None:
    """Let people change how the picture is prepared.

    Args:
        fill: also offer to fill closed outlines; the sheet has a switch of its own for that.
    """
    st.header("What the network sees")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.segmented_control(
            "Brightness",
            list(POLARITIES),
            format_func=POLARITIES.__getitem__,
            default="auto",
            required=True,
            key="classify_polarity",
            label_visibility="collapsed",
        )
        st.toggle("Trim to the garment", True, key="classify_trim")
        if fill:
            st.toggle(
                "Fill closed outlines",
                True,
                key="classify_fill_file",
                help="Turns a line drawing into a filled shape; photographs stay as they are.",
            )


def chosen_options() -> PreparationOptions:
    """What the switches of `draw_options` say; they are drawn after the answer, and only where
    there is a picture to prepare.
    """
    usual, widgets = answer.DEFAULTS, st.session_state
    return PreparationOptions(
        polarity=widgets.get("classify_polarity", usual.polarity),
        trim=widgets.get("classify_trim", usual.trim),
        fill=widgets.get("classify_fill_file", usual.fill),
    )


def draw_remarks(prepared: Prepared) -> None:
    """Say what makes this picture hard to read as it is."""
    for warning in prepared.warnings:
        st.warning(warning, icon=":material/info:")


def draw_steps(prepared: Prepared) -> None:
    """Draw how a picture became 28 x 28 pixels, one picture a step."""
    figures = []
    for number, step in enumerate(prepared.steps, start=1):
        src, crisp = thumbnail(step.image)
        kind = ' class="crisp"' if crisp else ""
        alt = html.escape(f"{step.name}: {step.caption}", quote=True)
        figures.append(
            f'<figure><div><img{kind} src="{src}" alt="{alt}"></div><figcaption>'
            f"<b>{number}. {html.escape(step.name)}</b> {html.escape(step.caption)}"
            "</figcaption></figure>"
        )
    st.html(f'<div class="classify-steps">{"".join(figures)}</div>')


def thumbnail(image: NDArray[np.uint8]) -> tuple[str, bool]:
    """A step's picture as a `data:` address, and whether its pixels are to be drawn with hard
    edges.

    Args:
        image: uint8 `(h, w)`, `(h, w, 3)` or `(h, w, 4)`; what is larger than 240 pixels is
            reduced.
    """
    if max(image.shape[:2]) <= 2 * SIDE:
        return thumbnails.data_uri(image), True
    reduced = Image.fromarray(image)
    reduced.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return uploads.webp_uri(reduced), False


def draw_reasons(
    contenders: Sequence[Contender],
    pixels: NDArray[np.uint8],
    predictions: Sequence[Prediction],
) -> None:
    """Draw what each answer rests on, and the training pictures that each network finds most
    similar; computed only while the panel is open.

    Args:
        contenders: one or two networks.
        pixels: uint8 `(28, 28)`.
        predictions: what they said; nothing is drawn where they said nothing.
    """
    if not predictions:
        return
    panel = st.expander(
        "Why this answer?", key="classify_why", on_change="rerun", icon=":material/troubleshoot:"
    )
    if not panel.open:
        return
    with panel, frame.errors(stop=False):
        for contender, prediction in zip(contenders, predictions, strict=True):
            if len(contenders) > 1:
                st.markdown(f"**{wording.literal(contender.run.name)}**")
            left, right = st.columns([2, 5], gap="large")
            with left:
                _draw_attribution(contender, pixels, prediction.label)
            with right:
                _draw_neighbours(contender, pixels)


def _draw_attribution(contender: Contender, pixels: NDArray[np.uint8], label: int) -> None:
    from core.explain import attribution

    name = CLASS_NAMES[label]
    heat = attribution.occlusion(contender.network, pixels, label)
    st.markdown(f"What made it say “{name}”")
    thumbnails.show(
        thumbnails.overlay(pixels, heat),
        width=280,
        alt=f"The picture, with the parts that count towards {name} in warm colours",
        caption="Warm parts count most: hide them, and the network is less confident.",
    )


def _draw_neighbours(contender: Contender, pixels: NDArray[np.uint8]) -> None:
    from core.explain import attribution

    st.markdown("Most similar training pictures")
    try:
        data = cache.dataset(contender.run.data_name)
    except (DataUnavailable, DataDamaged) as problem:
        st.info(wording.sentence(str(problem)), icon=":material/database_off:")
        return
    frame.sample_badge(data)
    embedding = contender.network.embeddings(pixels[None])[0]
    nearest, _ = attribution.neighbours(
        contender.network, contender.run, data, embedding, NEIGHBOURS
    )
    names = [CLASS_NAMES[label] for label in data.train_labels[nearest]]
    alts = [
        f"Training picture {index}, labelled {name}"
        for index, name in zip(nearest, names, strict=True)
    ]
    thumbnails.grid(data.train_pixels[nearest], names, alts, columns=NEIGHBOURS // 2)


def style() -> str:
    """The page's style sheet, in the colours of the theme."""
    colours = theme.palette()
    return f"{_STYLE}\n:root {{ --first: {colours.accent}; --second: {colours.worse}; --paper: {colours.paper}; }}"


_STYLE = """
.classify-answer section { min-width: 0; }
.classify-answer h2 { font-size: 1.9rem; line-height: 1.2; padding: 0; margin: 0; }
.classify-answer p { margin: 0.1rem 0 0.9rem; opacity: 0.75; min-height: 1.5rem; font-variant-numeric: tabular-nums; }
.classify-answer .unsure h2 { opacity: 0.6; }
.classify-empty i { opacity: 0.45; }
.classify-empty .best { font-weight: 400; }
.classify-empty em { visibility: hidden; }
.classify-two { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.classify-two section { padding-left: 0.75rem; border-left: 4px solid var(--first); margin-bottom: 0.9rem; }
.classify-two section + section { border-left-color: var(--second); }
.classify-two h2 { font-size: 1.5rem; }
.classify-two p { margin-bottom: 0; }
.classify-two small { display: block; opacity: 0.75; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.classify-pairs li { font-size: 0.8rem; line-height: 1.15; }
.classify-pairs i { height: 0.5rem !important; margin: 0.15rem 0; }
.classify-pairs i b { background: var(--first) !important; }
.classify-pairs i + i b { background: var(--second) !important; }
[data-testid="stLayoutWrapper"]:has(> .st-key-classify_answer) { flex: 1 1 19rem !important; min-width: min(19rem, 100%); }
.classify-steps { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.25rem, 1fr)); gap: 0.75rem; }
.classify-steps figure { margin: 0; }
.classify-steps div { aspect-ratio: 1; border-radius: 6px; overflow: hidden; display: grid; place-items: center; position: relative;
  background: repeating-conic-gradient(#c3c7d1 0 25%, #dfe2e9 0 50%) 0 0 / 1rem 1rem; }
.classify-steps div::after { content: ""; position: absolute; inset: 0; border-radius: 6px;
  box-shadow: inset 0 0 0 1px rgb(128 128 128 / 0.35); }
.classify-steps img { width: 100%; height: 100%; object-fit: contain; display: block; }
.classify-steps img.crisp { image-rendering: pixelated; }
.classify-steps figcaption { font-size: 0.8rem; line-height: 1.35; margin-top: 0.4rem; opacity: 0.8; }
.classify-steps b { display: block; }
.classify-below { display: none; }
/* While one draws in a narrow window the answer is above the sheet and stays in view. */
@media (max-width: 1179px) {
  .classify-below { display: block; }
  [data-testid="stLayoutWrapper"]:has(> .st-key-classify_row) .classify-answer ul { display: none; }
  .st-key-classify_row > [data-testid="stLayoutWrapper"]:has(> .st-key-classify_answer) { order: -1;
    flex-basis: 100% !important; position: sticky; top: 2.6rem; z-index: 4; background: var(--paper); }
  .st-key-classify_row .classify-answer section { min-height: 6.3rem; }
  .st-key-classify_row .classify-answer h2 { font-size: 1.4rem; }
  .st-key-classify_row .classify-answer p { font-size: 0.9rem; margin-bottom: 0; }
}
@media (min-width: 641px) and (max-width: 1179px) {
  .st-key-classify_row .classify-answer section { min-height: 4.8rem; }
}
@media (max-width: 640px) {
  .classify-steps { grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }
  [data-testid="stLayoutWrapper"]:has(> .st-key-classify_networks) { order: 1; }
}
"""
