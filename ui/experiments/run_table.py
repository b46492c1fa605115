"""Any number of finished runs, and the classical baselines, in one table; the chosen ones with
their curves overlaid and F1 by class.

The choice is in the address, so a comparison can be sent to someone. A finished run never changes,
so its row is read once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from core import runs
from core.data.fashion_mnist import TITLES
from core.errors import AtelierError
from core.experiments import baselines
from core.experiments.summary import Figures, of_baselines
from core.labels import CLASS_NAMES
from ui import cache, frame, state
from ui.components.curves import Overlay
from ui.experiments import series_charts
from ui.experiments.sweep import in_percent

ROWS = 14  # more scroll inside the table
AT_FIRST = 3  # runs that are compared before anyone has chosen
KEY = "experiments_chosen"


@dataclass
class Table:
    """How often the table was replaced, because the choice was changed in the selector."""

    number: int = 0


def show() -> None:
    """Draw table, curves and F1."""
    rows = _rows()
    if not rows:
        st.info("There is no finished run yet.", icon=":material/info:")
        st.page_link(frame.TRAIN, label="Train one", icon=":material/model_training:")
        return
    known = {row.id: row for row in rows}
    at_first = [row.id for row in rows[:AT_FIRST]]
    state.follow(
        "runs",
        KEY,
        _parser(known),
        at_first,
        valid=lambda chosen: all(row_id in known for row_id in chosen),
    )
    _table(rows)
    names = _names(rows)
    chosen = st.multiselect(
        "Compare in the charts",
        list(known),
        key=KEY,
        format_func=names.__getitem__,
        on_change=_replace_table,
        placeholder="None",
    )
    state.publish("runs", KEY, None if chosen == at_first else ",".join(chosen) or "none")
    compared = [known[row_id] for row_id in chosen]
    data = dict.fromkeys(TITLES.get(row.data, row.data) for row in compared)
    if len(data) > 1:
        st.warning(
            f"Some of these learned from {' and some from '.join(data)}, and each was judged on "
            "pictures of its own data: their figures cannot be compared.",
            icon=":material/warning:",
        )
    if compared:
        _curves(compared, names)
        _f1(compared, names)


def _rows() -> list[Figures]:
    """Networks first, newest first; then the baselines."""
    rows = []
    for run in cache.runs():
        if run.finished:
            try:
                rows.append(cache.figures(run))
            except AtelierError:
                continue  # its history was edited; the Train page says so
    return [*rows, *(row for record in baselines.list_all() for row in of_baselines(record))]


def _parser(known: Mapping[str, Figures]) -> Callable[[str], list[str]]:
    """A parser of the ids in an address."""

    def parse(text: str) -> list[str]:
        wanted = [] if text == "none" else [row_id for row_id in text.split(",") if row_id]
        unknown = [row_id for row_id in wanted if row_id not in known]
        if unknown:
            raise ValueError(
                f"This link asks for the run “{unknown[0][:60]}”, which is not finished or has "
                "been deleted."
            )
        return wanted

    return parse


def _names(rows: Sequence[Figures]) -> dict[str, str]:
    """What the rows are called in charts: names that occur twice get the end of their id."""
    count = Counter(row.name for row in rows)
    return {
        row.id: row.name if count[row.name] == 1 else f"{row.name} · {row.id[-6:]}" for row in rows
    }


def _table(rows: Sequence[Figures]) -> None:
    key = f"experiments_compare_{state.page_state(Table).number}"
    order = [row.id for row in rows]

    def picked() -> None:
        ticked = st.session_state[key]["selection"]["rows"]
        st.session_state[KEY] = [order[number] for number in ticked if number < len(order)]

    columns = {
        "Name": [row.name for row in rows],
        "Test accuracy": [in_percent(row.test_accuracy) for row in rows],
        "Best validation": [in_percent(row.best_validation) for row in rows],
        "Last validation": [in_percent(row.last_validation) for row in rows],
        "Best epoch": [row.best_epoch for row in rows],
        "Epochs": [row.epochs for row in rows],
        "Parameters": [row.parameters for row in rows],
        "Seconds": [row.seconds for row in rows],
        "Pictures": [row.pictures for row in rows],
        "Data": [TITLES.get(row.data, row.data) for row in rows],
        "Judged on": [_judged_on(row) for row in rows],
    }
    share, whole = (
        st.column_config.NumberColumn(format="%.2f %%"),
        st.column_config.NumberColumn(format="localized"),
    )
    chosen = [order.index(row_id) for row_id in st.session_state[KEY] if row_id in order]
    st.dataframe(
        columns,
        key=key,
        hide_index=True,
        placeholder="–",
        height="content" if len(rows) <= ROWS else 35 * ROWS,
        on_select=picked,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": chosen}},
        alt=f"{len(rows)} runs and baselines; the selector below chooses the same ones",
        column_config={
            "Test accuracy": share,
            "Best validation": share,
            "Last validation": share,
            "Parameters": whole,
            "Pictures": whole,
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
        },
    )
    st.caption(
        "Click a heading to sort; tick runs to compare. Where epochs were judged on the test set, "
        "the validation figures are of test pictures. Pictures: how many an epoch, or a classical "
        "method, learns from."
    )


def _judged_on(row: Figures) -> str:
    if row.leaks:
        return "test set (leaks)"
    return "held out" if row.best_validation is not None else "–"


def _replace_table() -> None:
    state.page_state(Table).number += 1


def _curves(chosen: Sequence[Figures], names: Mapping[str, str]) -> None:
    overlays = []
    for row in chosen:
        if row.network:
            with frame.errors(stop=False):
                overlays.append(Overlay(names[row.id], runs.history(row.id)))
    if not overlays:
        return
    series_charts.show_overlaid(overlays, key="experiments_compare", things="runs")


def _f1(chosen: Sequence[Figures], names: Mapping[str, str]) -> None:
    shares = []
    for row in chosen:
        with frame.errors(stop=False):
            values = cache.f1(row)
            if values:
                shares.append((names[row.id], values))
    if not shares:
        return
    st.header("Class by class", anchor=False)
    left, right = st.columns([2, 3])
    with left:
        series_charts.show(
            series_charts.f1(shares),
            key="experiments_f1",
            alt="F1 of each class; the table has the figures",
        )
        st.caption(
            "Precision: of everything it called this class, how much really is. Recall: of "
            "everything that is this class, how much it found. F1 balances the two: 2 × precision "
            "× recall / (precision + recall)."
        )
    columns: dict[str, list[str] | list[float]] = {"Class": list(CLASS_NAMES)}
    columns |= {name: [100 * share for share in values] for name, values in shares}
    right.dataframe(
        columns,
        key="experiments_f1_table",
        hide_index=True,
        height="content",
        alt="F1 of each class for each chosen run",
        column_config={name: st.column_config.NumberColumn(format="%.1f %%") for name, _ in shares},
    )
