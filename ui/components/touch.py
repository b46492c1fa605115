"""Fingers: a swipe on a chart scrolls the page, a menu closes after a choice, a link jumps.

Plotly takes every touch for a drag of its own. A listener before it keeps touches from it, so that
the browser scrolls, and a tap reaches the chart as the click of a mouse. Mice are not affected.
"""

from __future__ import annotations

import streamlit as st

_LET_SCROLL = """
const ours = (event) => event.composedPath().some((part) => part.classList?.contains("js-plotly-plot"));
const keep = (event) => ours(event) && event.stopPropagation();
export default function () {
  if (window.atelierTouch) return;
  window.atelierTouch = true;
  for (const type of ["touchstart", "touchmove", "touchend"]) {
    window.addEventListener(type, keep, { capture: true, passive: true });
  }
  window.addEventListener("click", closeMenu);
}
// On a phone the menu covers the page, so it closes once a page is chosen.
function closeMenu(event) {
  if (!matchMedia("(max-width: 768px)").matches || !(event.target instanceof Element)) return;
  if (!event.target.closest('[data-testid="stSidebar"] [data-testid="stPageLink"] a')) return;
  const close = '[data-testid="stSidebarCollapseButton"] button';
  setTimeout(() => document.querySelector(close)?.click(), 0);
}
"""
_JUMP = """
export default function ({ parentElement, data }) {
  const button = parentElement.querySelector("button") ?? parentElement.appendChild(document.createElement("button"));
  button.type = "button";
  button.textContent = data.label;
  button.onclick = () => {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    document.querySelector(`.st-key-${data.target}`)?.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  };
}
"""
_charts = st.components.v2.component("atelier_touch", js=_LET_SCROLL)
_jump = st.components.v2.component(
    "atelier_jump",
    js=_JUMP,
    css="""
button { min-height: 2.5rem; padding: 0 0.9rem; font: inherit; font-family: var(--st-font); cursor: pointer;
  color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color, currentColor); border-radius: var(--st-button-radius, 0.5rem); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
""",
)


def let_charts_scroll() -> None:
    """Let swipes on this page's charts scroll it; `frame.begin` does that."""
    _charts(key="frame_touch", height=1)


def jump(label: str, target: str, *, key: str) -> None:
    """Draw a link that scrolls to the container with the key `target`."""
    _jump(key=key, data={"label": label, "target": target}, height="content")
