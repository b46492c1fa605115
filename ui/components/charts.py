"""Charts that pages share: probability bars, figures in a row, tables.

Bars are plain HTML, because they are redrawn at every stroke of a drawing and must cost nothing.
Learning curves are in `curves.py`.
"""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.labels import CLASS_NAMES
from ui.components.theme import percent

# Plotly is 5 MB of JavaScript, which Streamlit fetches only when a page has a curve. Compiling it
# is most of the wait for the first one, so the browser does that while nobody waits.
_PRELOAD = """
export default function ({ data }) {
  const script = document.querySelector('script[type="module"][src*="/index."]');
  if (!script || window.atelierPreloaded) return;
  window.atelierPreloaded = true;
  const load = () => {
    for (const file of data.files) {
      const link = document.createElement("link");
      link.rel = "modulepreload";
      link.href = new URL(file, script.src);
      document.head.append(link);
    }
  };
  // Not where people pay for what they load.
  if (!navigator.connection?.saveData) setTimeout(() => (window.requestIdleCallback ?? setTimeout)(load), 1000);
}
"""
_preload = st.components.v2.component("atelier_preload", js=_PRELOAD)
FIGURE_WIDTH = 168  # pixels


def preload() -> None:
    """Let the browser get ready for curves while it is idle; `frame.begin` does that."""
    _preload(key="frame_preload", height=1, data={"files": _chunks()})


@functools.cache
def _chunks() -> list[str]:
    """The files of this Streamlit that draw curves, by name; none if it calls them otherwise."""
    folder = Path(st.__file__).parent / "static" / "static" / "js"
    return [path.name for path in folder.glob("PlotlyChart.*.js")]


def probability_bars(
    probabilities: NDArray[np.floating],
    *,
    truth: int | None = None,
    names: Sequence[str] = CLASS_NAMES,
) -> None:
    """Draw ten bars, the most probable one in colour.

    Args:
        probabilities: float `(10,)`, summing to 1.
        truth: the true class, marked as such; None where it is unknown.
        names: what the bars are called, in label order.
    """
    st.html(bars_html(probabilities, truth=truth, names=names))


def bars_html(
    probabilities: NDArray[np.floating],
    *,
    truth: int | None = None,
    names: Sequence[str] = CLASS_NAMES,
) -> str:
    """The bars of `probability_bars` as HTML: a list, which screen readers read well too."""
    best = int(np.argmax(probabilities))
    rows = []
    for label, (name, share) in enumerate(zip(names, probabilities, strict=True)):
        kind = "best" if label == best else "truth" if label == truth else ""
        mark = "<small> truth</small>" if label == truth else ""
        rows.append(
            f'<li class="{kind}"><span>{html.escape(name)}{mark}</span>'
            f'<i><b style="width:{100 * float(share):.2f}%"></b></i>'
            f"<em>{percent(float(share))}</em></li>"
        )
    return f'<ul class="atelier-bars">{"".join(rows)}</ul>'


def figures(*entries: tuple[str, str, str | None]) -> None:
    """Draw label, value and help of some figures in a row; on a phone, two in a row."""
    with st.container(horizontal=True):
        for label, value, explanation in entries:
            st.metric(label, value, help=explanation, width=FIGURE_WIDTH)


def table(
    rows: Sequence[Mapping[str, str | float]],
    *,
    key: str,
    shares: Sequence[str] = (),
    alt: str = "",
) -> None:
    """Draw a sortable table.

    Args:
        rows: one mapping a row; the keys of the first one are the headings.
        key: the table's key, carrying its page.
        shares: headings whose values are 0..1, shown in percent; NaN as a dash.
        alt: what a screen reader says.
    """
    headings = list(rows[0]) if rows else []
    columns = {
        heading: [_scaled(row[heading], heading in shares) for row in rows] for heading in headings
    }
    st.dataframe(
        columns,
        key=key,
        hide_index=True,
        height="content",
        alt=alt or None,
        placeholder="–",
        column_config={
            heading: st.column_config.NumberColumn(
                heading, format="%.1f %%" if heading in shares else "localized"
            )
            for heading, values in columns.items()
            if not isinstance(values[0], str)
        },
    )


def _scaled(value: str | float, share: bool) -> str | float:
    """A share in percent, everything else as it is."""
    return value if isinstance(value, str) or not share else 100 * value
