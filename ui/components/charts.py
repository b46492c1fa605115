"""Charts that pages share: the clickable matrix, probability bars, the per-class table.

A heat map takes no clicks in Streamlit, so a hundred nearly invisible square markers lie over its
cells and carry the cell's (row, column); the heat map itself keeps out of the way of the mouse.
Bars are plain HTML, because they are redrawn at every stroke of a drawing and must cost nothing.

Learning curves are in `curves.py`; the matrix as a file is in `matrix_image.py`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.labels import CLASS_NAMES
from ui import state
from ui.components.theme import palette, percent

HEIGHT = 560  # pixels of a matrix, always: nothing jumps when another run is chosen


def matrix(
    values: np.ndarray,
    *,
    text: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    key: str,
    on_pick: Callable[[int, int], None],
    current: tuple[int, int] | None = None,
    difference: bool = False,
    alt: str = "",
) -> None:
    """Draw a matrix of the ten classes whose cells can be clicked.

    Args:
        values: float `(10, 10)`, row = truth, column = prediction; NaN leaves a cell empty. Colour
            follows the square root of the amount, so that rare mistakes remain visible beside
            common ones.
        text: what stands in each cell.
        hover: what a cell says when pointed at (`<br>` breaks the line).
        key: the chart's key, carrying its page; also the CSS class `st-key-…` around it.
        on_pick: called with (row, column) of a clicked cell before the page runs again. The mouse
            alone reaches it; give people a second way.
        current: the cell in view, outlined.
        difference: colours run from worse (negative) over neutral to better (positive).
        alt: what a screen reader says.
    """
    made = state.session().charts
    kept = st.session_state.get(f"{key}_{made.get(key, 0)}")
    if kept is not None and picked_cell(kept) not in (None, current):
        # The view has moved on by other means. Plotly would hold its own cell for picked and stay
        # silent when that is clicked again, so a new chart takes its place.
        made[key] = made.get(key, 0) + 1
    own_key = f"{key}_{made.get(key, 0)}"

    def picked() -> None:
        cell = picked_cell(st.session_state[own_key])
        if cell is not None:
            on_pick(*cell)

    with st.container(key=key):
        st.plotly_chart(
            matrix_figure(values, text=text, hover=hover, current=current, difference=difference),
            key=own_key,
            on_select=picked,
            selection_mode="points",
            width="stretch",
            alt=alt or None,
            config={"displayModeBar": False, "doubleClick": False},
        )


def picked_cell(state: dict) -> tuple[int, int] | None:
    """(row, column) from what the chart reports about a click, or None where nothing is picked."""
    points = state["selection"]["points"]
    if not points or points[0].get("customdata") is None:
        return None
    data = points[0]["customdata"]  # a list, or a dict with the positions as text
    row, column = (data["0"], data["1"]) if isinstance(data, dict) else data[:2]
    return int(row), int(column)


def matrix_figure(
    values: np.ndarray,
    *,
    text: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    current: tuple[int, int] | None = None,
    difference: bool = False,
):
    """The figure behind `matrix`, as a `plotly.graph_objects.Figure`."""
    import plotly.graph_objects as go  # a tenth of a second, and not every page has a chart

    colours = palette()
    shade = np.sign(values) * np.sqrt(np.abs(values))
    top = float(np.nanmax(np.abs(shade))) if np.isfinite(shade).any() else 0.0
    scale = (
        [[0, colours.worse], [0.5, colours.low], [1, colours.better]]
        if difference
        else [[0, colours.low], [0.45, colours.middle], [1, colours.high]]
    )
    names = list(CLASS_NAMES)
    rows, columns = (axis.ravel() for axis in np.indices(values.shape))
    figure = go.Figure(
        [
            go.Heatmap(
                z=shade,
                x=names,
                y=names,
                zmin=-(top or 1) if difference else 0,
                zmax=top or 1,
                colorscale=scale,
                showscale=False,
                text=text,
                texttemplate="%{text}",
                hoverinfo="skip",
                xgap=2,
                ygap=2,
                textfont={"size": 12},
            ),
            go.Scatter(
                x=[names[column] for column in columns],
                y=[names[row] for row in rows],
                mode="markers",
                marker={"symbol": "square", "size": 34, "opacity": 0.01, "color": colours.accent},
                selected={"marker": {"opacity": 0.01}},
                unselected={"marker": {"opacity": 0.01}},
                customdata=np.stack([rows, columns], axis=1).tolist(),
                hovertext=[hover[row][column] for row, column in zip(rows, columns, strict=True)],
                hovertemplate="%{hovertext}<extra></extra>",
                showlegend=False,
            ),
        ]
    )
    axis = {
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
        "tickfont": {"size": 12},
        "automargin": False,
    }
    figure.update_xaxes(
        **axis,
        title={"text": "Prediction", "font": {"size": 12}, "standoff": 0},
        side="top",
        tickangle=-45,
        range=[-0.5, 9.5],
    )
    figure.update_yaxes(
        **axis, title={"text": "Truth", "font": {"size": 12}, "standoff": 0}, range=[9.5, -0.5]
    )
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 100, "r": 40, "t": 96, "b": 4},
        dragmode=False,
        uirevision="matrix",
        hoverlabel={"align": "left"},
        plot_bgcolor="rgba(0,0,0,0)",
    )
    if current is not None:
        row, column = current
        figure.add_shape(
            type="rect",
            x0=column - 0.5,
            x1=column + 0.5,
            y0=row - 0.5,
            y1=row + 0.5,
            line={"color": colours.worse, "width": 2.5},
        )
    return figure


def probability_bars(
    probabilities: np.ndarray, *, truth: int | None = None, names: Sequence[str] = CLASS_NAMES
) -> None:
    """Draw ten bars, the most probable one in colour.

    Args:
        probabilities: float `(10,)`, summing to 1.
        truth: the true class, marked as such; None where nobody knows.
        names: what the bars are called, in label order.
    """
    st.html(bars_html(probabilities, truth=truth, names=names))


def bars_html(
    probabilities: np.ndarray, *, truth: int | None = None, names: Sequence[str] = CLASS_NAMES
) -> str:
    """The bars of `probability_bars` as HTML: a list that reads well aloud, too."""
    first = int(np.argmax(probabilities))
    rows = []
    for label, (name, share) in enumerate(zip(names, probabilities, strict=True)):
        kind = "best" if label == first else "truth" if label == truth else ""
        mark = "<small> truth</small>" if label == truth else ""
        rows.append(
            f'<li class="{kind}"><span>{html.escape(name)}{mark}</span>'
            f'<i><b style="width:{100 * float(share):.2f}%"></b></i><em>{percent(float(share))}</em></li>'
        )
    return f'<ul class="atelier-bars">{"".join(rows)}</ul>'


def table(rows: Sequence[dict], *, key: str, shares: Sequence[str] = (), alt: str = "") -> None:
    """Draw a sortable table.

    Args:
        rows: one dict a row; the first one's keys are the headings.
        key: the table's key, carrying its page.
        shares: headings whose values are 0..1, shown in percent; NaN as a dash.
        alt: what a screen reader says.
    """
    columns = (
        {
            heading: [row[heading] * (100 if heading in shares else 1) for row in rows]
            for heading in rows[0]
        }
        if rows
        else {}
    )
    st.dataframe(
        columns,
        key=key,
        hide_index=True,
        height="content",
        alt=alt or None,
        placeholder="–",
        column_config={
            name: st.column_config.NumberColumn(
                name, format="%.1f %%" if name in shares else "localized"
            )
            for name, values in columns.items()
            if not isinstance(values[0], str)
        },
    )


def style() -> str:
    """The style sheet behind the bars, in the colours of the theme; `frame.begin` puts it into the
    page.
    """
    colours = palette()
    return f"""
.atelier-bars {{ list-style: none; margin: 0 !important; padding: 0 !important; font-size: 0.9rem; }}
.atelier-bars li {{ display: grid; grid-template-columns: 8.6rem 1fr 3.6rem; gap: 0.6rem; align-items: center;
  margin: 0 !important; padding: 0.15rem 0 !important; }}
.atelier-bars i {{ display: block; height: 0.85rem; border-radius: 3px; 
  background: color-mix(in srgb, currentColor 9%, transparent); }}
.atelier-bars b {{ display: block; height: 100%; border-radius: 3px; background: {colours.muted}; }}
.atelier-bars em {{ font-style: normal; text-align: right; font-variant-numeric: tabular-nums; }}
.atelier-bars .best {{ font-weight: 650; }}
.atelier-bars .best b {{ background: {colours.accent}; }}
.atelier-bars .truth b {{ background: {colours.better}; }}
.atelier-bars small {{ color: {colours.better}; font-weight: 650; }}
"""
