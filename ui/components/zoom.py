"""Zoom that survives new data.

Streamlit takes a Plotly chart with other data for another chart and builds it anew, whatever its
key and `uirevision`. So the zoom is kept in Python: a script without anything to see listens to the
charts in the browser and reports the ranges that people choose, and the next figure is drawn with
them. A double click on a chart gives it its own ranges back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

Ranges = Mapping[str, tuple[float, float]]  # "x" and "y"

_LISTEN = """
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const kept = (parentElement.atelierZoom ??= { revision: null, charts: {} });
  if (kept.revision !== data.revision) { kept.revision = data.revision; kept.charts = {}; }
  const tell = () => setStateValue("zoom", { revision: kept.revision, charts: kept.charts });

  const listen = (name) => {
    const plot = document.querySelector(`.st-key-${name} .js-plotly-plot`);
    if (!plot || !plot.on || plot.atelierListened === kept.revision) return;
    plot.atelierListened = kept.revision;
    plot.on("plotly_relayout", (change) => {
      const chosen = { ...(kept.charts[name] ?? {}) };
      let changed = false;
      for (const axis of ["x", "y"]) {
        if (change[`${axis}axis.autorange`]) { changed = changed || axis in chosen; delete chosen[axis]; }
        const low = change[`${axis}axis.range[0]`], high = change[`${axis}axis.range[1]`];
        if (low !== undefined && high !== undefined) { chosen[axis] = [low, high]; changed = true; }
      }
      if (changed) { kept.charts = { ...kept.charts, [name]: chosen }; tell(); }
    });
  };
  // A chart that is built anew has forgotten who listens.
  const timer = setInterval(() => data.charts.forEach(listen), 200);
  return () => clearInterval(timer);
}
"""
_listener = st.components.v2.component("atelier_zoom", js=_LISTEN)


def chosen(key: str, chart: str, revision: str) -> Ranges:
    """The ranges that this visitor chose for a chart; empty where none, or where they belonged to
    something else.

    Args:
        key: key of the listener.
        chart: key of the chart.
        revision: what the chart shows; a zoom into one run says nothing about the next.
    """
    told = _mapping(_mapping(st.session_state.get(key)).get("zoom"))
    if told.get("revision") != revision:
        return {}
    ranges = _mapping(_mapping(told.get("charts")).get(chart))
    return {
        axis: (float(limits[0]), float(limits[1]))
        for axis, limits in ranges.items()
        if axis in ("x", "y") and _is_range(limits)
    }


def listen(key: str, charts: Sequence[str], revision: str) -> None:
    """Keep an ear on charts with these keys; drawn after them, in the same fragment."""
    _listener(
        key=key,
        data={"charts": list(charts), "revision": revision},
        default={"zoom": None},
        height=1,
        on_zoom_change=lambda: None,
    )


def _mapping(value: Any) -> Mapping:
    """What comes from a browser may be anything."""
    return value if isinstance(value, Mapping) else {}


def _is_range(limits: Any) -> bool:
    return (
        isinstance(limits, (list, tuple))
        and len(limits) == 2
        and all(isinstance(limit, (int, float)) and math.isfinite(limit) for limit in limits)
        and limits[0] != limits[1]
    )
