"""A zoom that survives new data.

Streamlit treats a Plotly chart with other data as another chart and builds it again, whatever its
key and `uirevision`. So the zoom is kept in Python: an invisible component listens to the charts in
the browser and reports the ranges that people choose, and the next figure is drawn with them. A
double click on a chart gives it its own ranges back.
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
  const report = () => setStateValue("zoom", { revision: kept.revision, charts: kept.charts });

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
      if (changed) { kept.charts = { ...kept.charts, [name]: chosen }; report(); }
    });
  };
  // A chart that is built again has no listeners.
  const timer = setInterval(() => data.charts.forEach(listen), 200);
  return () => clearInterval(timer);
}
"""
_listener = st.components.v2.component("atelier_zoom", js=_LISTEN)


def chosen(key: str, chart: str, revision: str) -> Ranges:
    """The ranges that this visitor chose for a chart; empty if none, or if they were for another
    revision.

    Args:
        key: key of the listener.
        chart: key of the chart.
        revision: what the chart shows; a zoom into one run says nothing about the next.
    """
    report = _mapping(_mapping(st.session_state.get(key)).get("zoom"))
    if report.get("revision") != revision:
        return {}
    ranges = _mapping(_mapping(report.get("charts")).get(chart))
    return {
        axis: (float(limits[0]), float(limits[1]))
        for axis, limits in ranges.items()
        if axis in ("x", "y") and _is_range(limits)
    }


def listen(key: str, charts: Sequence[str], revision: str) -> None:
    """Listen to the charts with these keys; to be called after them, in the same fragment."""
    _listener(
        key=key,
        data={"charts": list(charts), "revision": revision},
        default={"zoom": None},
        height=1,
        on_zoom_change=lambda: None,
    )


def _mapping(value: object) -> Mapping[Any, Any]:
    """The value where it is a mapping, else an empty one: a browser may send anything."""
    return value if isinstance(value, Mapping) else {}


def _is_range(limits: object) -> bool:
    return (
        isinstance(limits, (list, tuple))
        and len(limits) == 2
        and all(isinstance(limit, (int, float)) and math.isfinite(limit) for limit in limits)
        and limits[0] != limits[1]
    )
