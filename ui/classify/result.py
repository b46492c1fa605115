"""What the Classify page says about a picture: the answer, how the picture was prepared, and why.

One idea: the answer comes first and is one small piece of HTML per network, so that it follows a
drawing stroke by stroke without flicker; everything that takes longer is drawn after it, and the
reasons only while somebody looks at them.

How pictures come in is the business of `canvas.py` and `brought.py`; nothing is computed here that
`core` does not compute.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from core.errors import DataDamaged, DataUnavailable
from core.inference import Answer, Network
from core.labels import CLASS_NAMES, SIDE
from core.pictures import Prepared
from core.runs import Run
from ui import cache, frame
from ui.classify.uploads import PreparationOptions, Upload, desk
from ui.components import charts, theme, thumbnails

NEIGHBOURS = 8
# Pixels: a step is shown at half of that, and screens of phones have two pixels for one.
THUMBNAIL = 240
POLARITIES = {
    "auto": "Automatic",
    "light on dark": "Garment is brighter",
    "dark on light": "Garment is darker",
}


@dataclass(frozen=True)
class Contender:
    """A run and its network, open."""

    run: Run
    network: Network


def choose() -> list[Contender]:
    """Let people choose the network that answers, and one to compare it with; both stand in the
    address.

    Returns:
        one or two; none where no finished run exists, which the page has then said.
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


def answers(
    asked: Sequence[Contender],
    pixels: np.ndarray,
    *,
    truth: int | None = None,
    blank: bool = False,
    doubt: str = "",
) -> list[Answer]:
    """Draw what the networks say.

    Args:
        asked: one or two networks.
        pixels: uint8 `(28, 28)`.
        truth: the true class where somebody knows it.
        blank: nothing was found in the picture; then no network is asked.
        doubt: a sentence on why no network can be sure of this picture; empty where there is no
            such reason.

    Returns:
        what each said, `n` = 1, for the reasons; nothing of a blank picture.
    """
    if blank:
        nothing("Not sure", "Nothing stands out from the background here.")
        return []
    given = [one.network.answer(pixels[None]) for one in asked]
    # A picture of the data set is answered as the run's figures were; one that somebody brought is
    # looked at both ways round.
    said = [
        (answer.probabilities if truth is not None else one.network.both_ways(pixels[None]))[0]
        for one, answer in zip(asked, given, strict=True)
    ]
    sure = [
        not doubt and bool(one.network.sure(row[None])[0])
        for one, row in zip(asked, said, strict=True)
    ]
    if len(asked) == 1:
        st.html(
            f'<div class="classify-answer">{headline_html(said[0], sure=sure[0], truth=truth, doubt=doubt)}'
            f"{charts.bars_html(said[0], truth=truth)}</div>"
        )
    else:
        titles = [
            headline_html(row, sure=certain, truth=truth, doubt=doubt, title=one.run.name)
            for one, row, certain in zip(asked, said, sure, strict=True)
        ]
        st.html(
            f'<div class="classify-answer"><div class="classify-two">{"".join(titles)}</div>{pairs_html(*said, truth=truth)}</div>'
        )
    return given


def nothing(headline: str, sentence: str) -> None:
    """Hold the answer's place while there is no picture, and say what to do."""
    st.html(
        f'<div class="classify-answer classify-empty"><section class="unsure"><h3>{html.escape(headline)}</h3>'
        f"<p>{html.escape(sentence)}</p></section>{charts.bars_html(np.zeros(len(CLASS_NAMES)))}</div>"
    )


def headline_html(
    probabilities: np.ndarray,
    *,
    sure: bool,
    truth: int | None = None,
    doubt: str = "",
    title: str = "",
) -> str:
    """An answer in a few words, as HTML.

    Args:
        probabilities: float `(10,)`.
        sure: False makes the headline "Not sure" and names the two likeliest classes below.
        truth: the true class, compared in words.
        doubt: why it cannot be sure.
        title: a line above, such as the run's name.
    """
    first, second = (int(label) for label in np.argsort(-probabilities, kind="stable")[:2])
    confidence = theme.percent(float(probabilities[first]))
    if sure:
        headline, line = CLASS_NAMES[first], f"{confidence} sure"
    elif doubt:
        headline, line = "Not sure", f"{doubt} {CLASS_NAMES[first]} comes nearest"
    else:
        headline = "Not sure"
        line = f"{CLASS_NAMES[first]} {confidence}, or {CLASS_NAMES[second]} {theme.percent(float(probabilities[second]))}"
    if truth is not None:
        line += " · right" if truth == first else f" · in truth {CLASS_NAMES[truth]}"
    above = f"<small>{html.escape(title)}</small>" if title else ""
    kind = "sure" if sure else "unsure"
    return (
        f'<section role="status" class="{kind}">{above}<h3>{html.escape(headline)}</h3>'
        f"<p>{html.escape(line)}</p></section>"
    )


def pairs_html(first: np.ndarray, second: np.ndarray, *, truth: int | None = None) -> str:
    """Two networks' probabilities `(10,)` as pairs of bars, class by class, as HTML."""
    rows = []
    for label, (name, *shares) in enumerate(zip(CLASS_NAMES, first, second, strict=True)):
        mark = "<small> truth</small>" if label == truth else ""
        bars = "".join(
            f'<i><b style="width:{100 * float(share):.2f}%"></b></i>' for share in shares
        )
        says = "<br>".join(theme.percent(float(share)) for share in shares)
        rows.append(
            f"<li><span>{html.escape(name)}{mark}</span><div>{bars}</div><em>{says}</em></li>"
        )
    return f'<ul class="atelier-bars classify-pairs">{"".join(rows)}</ul>'


def overview(asked: Sequence[Contender], found: Sequence[Upload]) -> None:
    """Draw several pictures with their answers; a click looks at one closely.

    Args:
        asked: one or two networks.
        found: pictures that could be read.
    """
    pixels = np.stack([one.pixels for one in found])
    said = [_brief(one.network, one.network.both_ways(pixels), found) for one in asked]
    lines = [" / ".join(texts) for texts in zip(*said, strict=True)]
    thumbnails.gallery(
        [
            thumbnails.Item(
                index, one.pixels, f"{line} ({one.file.name})", f"{one.file.name}: {line}"
            )
            for index, (one, line) in enumerate(zip(found, lines, strict=True))
        ],
        "classify_gallery",
        lambda index: desk().choose(found[index].file.file_id),
        cell=112,
    )
    st.caption("As the network sees them. Choose one to look at it closely.")


def _brief(network: Network, probabilities: np.ndarray, found: Sequence[Upload]) -> list[str]:
    """A few words for each picture."""
    return [
        f"{CLASS_NAMES[int(row.argmax())]}, {theme.percent(float(row.max()))}"
        if sure and not one.blank
        else "Not sure"
        for row, sure, one in zip(probabilities, network.sure(probabilities), found, strict=True)
    ]


def adjust(*, fill: bool) -> None:
    """Let people overrule how the picture is prepared.

    Args:
        fill: offer to fill closed outlines too (a canvas has its own switch for that).
    """
    st.subheader("What the network sees")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.segmented_control(
            "Brightness",
            list(POLARITIES),
            format_func=POLARITIES.get,
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
                help="Turns a line drawing into an area; photographs stay as they are.",
            )


def adjusted(*, fill: bool) -> PreparationOptions:
    """What the switches of `adjust` say; they are drawn after the answer, and only where there is a
    picture to prepare.
    """
    told = st.session_state.get
    return PreparationOptions(
        told("classify_polarity", "auto"),
        told("classify_trim", True),
        fill and told("classify_fill_file", True),
    )


def remarks(prepared: Prepared) -> None:
    """Say what speaks against reading this picture as it is."""
    for warning in prepared.warnings:
        st.warning(warning, icon=":material/info:")


def steps(prepared: Prepared) -> None:
    """Draw how a picture became 28 x 28 pixels, one picture a step."""
    figures = []
    for number, step in enumerate(prepared.steps, start=1):
        address, crisp = thumbnail(step.image)
        kind = ' class="crisp"' if crisp else ""
        figures.append(
            f'<figure><div><img{kind} src="{address}" alt="{html.escape(f"{step.name}: {step.caption}", quote=True)}">'
            f"</div><figcaption><b>{number}. {html.escape(step.name)}</b> {html.escape(step.caption)}</figcaption></figure>"
        )
    st.html(f'<div class="classify-steps">{"".join(figures)}</div>')


def thumbnail(image: np.ndarray) -> tuple[str, bool]:
    """A step's picture as a `data:` address, and whether its pixels are to be drawn with hard
    edges.

    Args:
        image: uint8 `(h, w)`, `(h, w, 3)` or `(h, w, 4)`; what is larger than 240 pixels is
            reduced.
    """
    if max(image.shape[:2]) <= 2 * SIDE:
        return thumbnails.data_uri(image), True
    shown = Image.fromarray(image)
    shown.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return thumbnails.data_uri(shown), False


def why(asked: Sequence[Contender], pixels: np.ndarray, given: Sequence[Answer]) -> None:
    """Where each network looked, and the training pictures it holds for similar; computed only
    while it is open.

    Args:
        asked: one or two networks.
        pixels: uint8 `(28, 28)`.
        given: what they said; nothing is drawn where they said nothing.
    """
    if not given:
        return
    box = st.expander(
        "Why this answer?", key="classify_why", on_change="rerun", icon=":material/troubleshoot:"
    )
    if not box.open:
        return
    with box, frame.errors(stop=False):
        for one, answer in zip(asked, given, strict=True):
            if len(asked) > 1:
                st.markdown(f"**{one.run.name}**")
            left, right = st.columns([2, 5], gap="large")
            with left:
                _looked(one, pixels, int(answer.probabilities[0].argmax()))
            with right:
                _alike(one, answer)


def _looked(one: Contender, pixels: np.ndarray, label: int) -> None:
    from core.explain import attribution

    name = CLASS_NAMES[label]
    heat = attribution.occlusion(one.network, pixels, label)
    st.markdown(f"Where it saw “{name}”")
    thumbnails.show(
        thumbnails.overlay(pixels, heat),
        width=280,
        alt=f"The picture with the parts that speak for {name} in warm colours",
        caption="Warm parts count most: with them hidden, the network would be less sure.",
    )


def _alike(one: Contender, answer: Answer) -> None:
    from core.explain import attribution

    name = str((one.run.record.get("dataset") or {}).get("name") or one.run.spec.data)
    st.markdown("Nearest training pictures")
    try:
        data = cache.dataset(name)
    except (DataUnavailable, DataDamaged) as problem:
        st.info(str(problem), icon=":material/database_off:")
        return
    frame.sample_badge(data)
    near, alike = attribution.neighbours(
        one.network, one.run, data, answer.embedding[0], NEIGHBOURS
    )
    names = [CLASS_NAMES[label] for label in data.train_labels[near]]
    thumbnails.grid(
        data.train_pixels[near],
        [
            f"{said} · {theme.percent(float(share), 0)} alike"
            for said, share in zip(names, alike, strict=True)
        ],
        [f"Training picture {index}, a {said}" for index, said in zip(near, names, strict=True)],
        columns=NEIGHBOURS // 2,
    )


def style() -> str:
    """The page's style sheet, in the colours of the theme."""
    colours = theme.palette()
    return f"{_STYLE}\n.st-key-classify_answer {{ --first: {colours.accent}; --second: {colours.worse}; }}"


_STYLE = """
.classify-answer section { min-width: 0; }
.classify-answer h3 { font-size: 1.9rem; line-height: 1.2; padding: 0; margin: 0; }
.classify-answer p { margin: 0.1rem 0 0.9rem; opacity: 0.75; min-height: 1.5rem; font-variant-numeric: tabular-nums; }
.classify-answer .unsure h3 { opacity: 0.6; }
.classify-empty ul { opacity: 0.45; }
.classify-empty .best { font-weight: 400; }
.classify-empty em { visibility: hidden; }
.classify-two { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.classify-two section { padding-left: 0.75rem; border-left: 4px solid var(--first); margin-bottom: 0.9rem; }
.classify-two section + section { border-left-color: var(--second); }
.classify-two h3 { font-size: 1.5rem; }
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
@media (max-width: 640px) {
  .classify-steps { grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }
  [data-testid="stLayoutWrapper"]:has(> .st-key-classify_networks) { order: 1; }
}
"""
