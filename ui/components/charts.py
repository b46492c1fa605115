"""Charts that pages share: the clickable matrix, probability bars, figures in a row, tables.

Streamlit reports no clicks on a heat map, so a hundred nearly invisible square markers lie on top
of its cells and carry the cell's (row, column), and the heat map itself ignores the mouse. Bars are
plain HTML, because they are redrawn at every stroke of a drawing and must cost nothing.

Learning curves are in `curves.py`; the matrix as a file is in `matrix_image.py`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.labels import CLASS_NAMES
from ui import state
from ui.components.theme import palette, percent

if TYPE_CHECKING:  # it takes a tenth of a second, and pages with nothing but bars need none of it
    import plotly.graph_objects as go

HEIGHT = 560  # pixels of a matrix, always: nothing jumps when another run is chosen
FIGURE_WIDTH = 168  # pixels
AXIS = {
    "showgrid": False,
    "zeroline": False,
    "fixedrange": True,
    "ticks": "",
    "tickfont": {"size": 12},
    "automargin": False,
}


def matrix(
    values: NDArray[np.floating],
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
            follows the square root of the amount, so that rare mistakes remain visible among common
            ones.
        text: what stands in each cell.
        hover: what a cell says when pointed at (`<br>` breaks the line).
        key: the chart's key, carrying its page; also the CSS class `st-key-…` around it.
        on_pick: called with (row, column) of a clicked cell before the page runs again. Only the
            mouse reaches it; give people a second way.
        current: the cell in view, outlined.
        difference: colours run from worse (negative) over neutral to better (positive).
        alt: what a screen reader says.
    """
    versions = state.session().charts
    last = st.session_state.get(f"{key}_{versions.get(key, 0)}")
    if last is not None and picked_cell(last) not in (None, current):
        # The view has moved on by other means. Plotly would still consider its own cell picked and
        # stay silent when that is clicked again, so a new chart takes its place.
        versions[key] = versions.get(key, 0) + 1
    own_key = f"{key}_{versions.get(key, 0)}"

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


def picked_cell(event: Mapping[str, Any]) -> tuple[int, int] | None:
    """(row, column) from what the chart reports about a click, or None where nothing is picked."""
    points = event["selection"]["points"]
    if not points or points[0].get("customdata") is None:
        return None
    data = points[0]["customdata"]  # a list, or a dict with the positions as text
    row, column = (data["0"], data["1"]) if isinstance(data, dict) else data[:2]
    return int(row), int(column)


def matrix_figure(
    values: NDArray[np.floating],
    *,
    text: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    current: tuple[int, int] | None = None,
    difference: bool = False,
) -> go.Figure:
    """The figure of `matrix`."""
    import plotly.graph_objects as go

    figure = go.Figure([_heatmap(values, text, difference), _markers(hover)])
    figure.update_xaxes(
        **AXIS,
        title={"text": "Prediction", "font": {"size": 12}, "standoff": 0},
        side="top",
        tickangle=-45,
        range=[-0.5, 9.5],
    )
    figure.update_yaxes(
        **AXIS, title={"text": "Truth", "font": {"size": 12}, "standoff": 0}, range=[9.5, -0.5]
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
            line={"color": palette().worse, "width": 2.5},
        )
    return figure


def _heatmap(
    values: NDArray[np.floating], text: Sequence[Sequence[str]], difference: bool
) -> go.Heatmap:
    """The cells in their colours; they ignore the mouse."""
    import plotly.graph_objects as go

    colours = palette()
    shade = np.sign(values) * np.sqrt(np.abs(values))
    top = float(np.nanmax(np.abs(shade))) if np.isfinite(shade).any() else 0.0
    scale = (
        [[0, colours.worse], [0.5, colours.low], [1, colours.better]]
        if difference
        else [[0, colours.low], [0.45, colours.middle], [1, colours.high]]
    )
    return go.Heatmap(
        z=shade,
        x=list(CLASS_NAMES),
        y=list(CLASS_NAMES),
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
    )


def _markers(hover: Sequence[Sequence[str]]) -> go.Scatter:
    """A nearly invisible square on each cell, which takes the clicks."""
    import plotly.graph_objects as go

    cells = [(row, column) for row in range(len(hover)) for column in range(len(hover[row]))]
    return go.Scatter(
        x=[CLASS_NAMES[column] for _, column in cells],
        y=[CLASS_NAMES[row] for row, _ in cells],
        mode="markers",
        marker={"symbol": "square", "size": 34, "opacity": 0.01, "color": palette().accent},
        selected={"marker": {"opacity": 0.01}},
        unselected={"marker": {"opacity": 0.01}},
        customdata=[list(cell) for cell in cells],
        hovertext=[hover[row][column] for row, column in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


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
