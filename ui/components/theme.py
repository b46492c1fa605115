"""How pages look: the colours of both themes, the style sheet that pages share, shares in percent.

The style of a single view stays with that view.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core import wording


@dataclass(frozen=True)
class Palette:
    """The colours of one theme.

    `low` to `high` are for amounts, `worse` to `better`, on both sides of `low`, for differences
    and for words; `paper` is the page, `caption` is small text, at least 4.5 : 1 on the page and in
    the sidebar.
    """

    low: str
    middle: str
    high: str
    worse: str
    better: str
    accent: str
    muted: str
    caption: str
    paper: str


# Ten colours that can be told apart, on white and on black.
TEN_COLOURS = (
    "#4f7be8",
    "#e8862e",
    "#2fa37c",
    "#d64f9c",
    "#9a6be0",
    "#c2a21f",
    "#d9503f",
    "#21a8c4",
    "#8b8f98",
    "#7aa832",
)

LIGHT = Palette(
    "#f6f7fb",
    "#a3acdf",
    "#2f3a9e",
    "#c2571a",
    "#1d7a63",
    "#4651b8",
    "#8b90a0",
    "#5c6170",
    "#ffffff",
)
DARK = Palette(
    "#1b1e27",
    "#353d80",
    "#5d69e6",
    "#f09a5b",
    "#56bfa3",
    "#8b95f0",
    "#8f95a5",
    "#aab0c0",
    "#14161c",
)


def palette() -> Palette:
    """The colours of the theme that this visitor sees."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def percent(share: float, digits: int = 1) -> str:
    """A share as `wording.percent` writes it, never broken before the sign."""
    return wording.percent(share, digits).replace(" ", "\N{NO-BREAK SPACE}")


def style(*, bigger: bool = False) -> str:
    """The style sheet of every page, in the colours of the theme; `frame.begin` adds it.

    Args:
        bigger: text at 125 %, for a projector.
    """
    colours = palette()
    size = "html { font-size: 20px !important; }\n" * bigger
    return f"{size}{_PAGE}{_PICTURES}{_BARS}" + (
        f".atelier-bars b {{ background: {colours.muted}; }}\n"
        f".atelier-bars .best b {{ background: {colours.accent}; }}\n"
        f".atelier-bars .truth b {{ background: {colours.better}; }}\n"
        f".atelier-bars small {{ color: {colours.better}; }}\n"
        f"[data-testid='stCaptionContainer'], [data-testid='stCaptionContainer'] p, button kbd "
        f"{{ color: {colours.caption} !important; opacity: 1 !important; }}\n"
        f"[data-testid='stButtonGroup'] [data-selected='true'], "
        f"[data-testid='stButtonGroup'] [data-selected='true'] p, "
        f"[data-testid='stSliderThumbValue'] "
        f"{{ color: {colours.accent} !important; }}\n"
    )


def hide_status() -> None:
    """Hide Streamlit's signs of a running script, which would come and go with every poll: the one
    in the corner, and the fading of what is about to be drawn again.
    """
    st.html(
        "<style>[data-testid='stStatusWidget'] { visibility: hidden; } "
        "[data-stale='true'] { opacity: 1 !important; transition: none !important; }</style>"
    )


_PAGE = """
[data-testid="stMainBlockContainer"] { max-width: 74rem; padding-top: 2.6rem; }
[data-testid="stHeader"] { background: transparent; height: 2.6rem; min-height: 2.6rem; pointer-events: none; }
[data-testid="stHeader"] button { pointer-events: auto; }
[data-testid="stMain"] h1 { font-size: 1.6rem; padding: 0.25rem 0; }
[data-testid="stSidebar"]:not([aria-expanded="true"]) [data-testid="stSidebarContent"] { overflow: hidden; }
h1 a, h2 a, h3 a { display: none !important; }
h1, h2, h3, button p, [data-testid="stCaptionContainer"], [data-testid="stAlert"],
[data-testid="stFileUploaderFileName"], figcaption { overflow-wrap: anywhere; }
.st-key-home_roads [data-testid="stPageLink"] { margin-left: -0.5rem; }
.js-plotly-plot, .js-plotly-plot * { touch-action: pan-y pinch-zoom !important; }
.st-key-matrix_pane, .st-key-matrix_layout { scroll-margin-top: 4.5rem; }
.st-key-matrix_jump { position: sticky; bottom: 0.75rem; z-index: 5; }
@media (min-width: 1280px) { .st-key-matrix_jump, .st-key-matrix_return { display: none; } }
@media (max-width: 1279px) {
  .st-key-matrix_layout [data-testid="stColumn"]:has(> * .st-key-matrix_pane),
  .st-key-matrix_layout [data-testid="stColumn"]:has(.st-key-matrix_chart, .st-key-matrix_difference) {
    min-width: 100%; }
  .st-key-matrix_layout > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
}
/* The button that opens the menu lies at the top left. */
@media (max-width: 1023px) { [data-testid="stMainBlockContainer"] { padding-top: 3.5rem; } }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
  [data-testid="stMain"] h1 { font-size: 1.4rem; }
}
"""
_PICTURES = """
.atelier-grid { display: grid; gap: 0.75rem; }
.atelier-picture { margin: 0; }
.atelier-picture img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated;
  background: #000; border-radius: 4px; }
.atelier-picture figcaption { font-size: 0.8rem; line-height: 1.3; margin-top: 0.3rem; opacity: 0.8; }
"""
_BARS = """
.atelier-bars { list-style: none; margin: 0 !important; padding: 0 !important; font-size: 0.9rem; }
.atelier-bars li { display: grid; grid-template-columns: 8.6rem 1fr 3.6rem; gap: 0.6rem;
  align-items: center; margin: 0 !important; padding: 0.15rem 0 !important; }
.atelier-bars i { display: block; height: 0.85rem; border-radius: 3px;
  background: color-mix(in srgb, currentColor 9%, transparent); }
.atelier-bars b { display: block; height: 100%; border-radius: 3px; }
.atelier-bars em { font-style: normal; text-align: right; font-variant-numeric: tabular-nums; }
.atelier-bars .best { font-weight: 650; }
.atelier-bars small { font-weight: 650; }
"""
