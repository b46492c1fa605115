"""Any number of finished runs, and the classical baselines, in one table; the chosen ones with
their curves and F1 over each other.

The choice is in the address, so a comparison can be sent to someone. A finished run never changes,
so its line is read once.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core import runs
from core.data.fashion_mnist import TITLES
from core.errors import AtelierError
from core.experiments import baselines
from core.experiments.summary import Figures
from core.labels import CLASS_NAMES
from ui import cache, frame, state
from ui.experiments import series_charts

ROWS = 14  # then the table scrolls in itself
AT_FIRST = 3  # runs that are laid over each other before anybody chose
KEY = "experiments_chosen"


@dataclass
class Table:
    """How often the table was made anew, because the choice was changed beside it."""

    number: int = 0


def show() -> None:
    """Table, curves and F1."""
    lines = _lines()
    if not lines:
        st.info("There is no finished run yet.", icon=":material/info:")
        st.page_link(frame.TRAIN, label="Train one", icon=":material/model_training:")
        return
    known = {line.id: line for line in lines}
    at_first = [line.id for line in lines[:AT_FIRST]]
    state.follow(
        "runs",
        KEY,
        _parse(known),
        at_first,
        valid=lambda chosen: all(one in known for one in chosen),
    )
    _table(lines)
    names = _names(lines)
    chosen = st.multiselect(
        "Lay over each other",
        list(known),
        key=KEY,
        format_func=names.get,
        on_change=_table_anew,
        placeholder="None",
    )
    state.publish("runs", KEY, None if chosen == at_first else ",".join(chosen) or "none")
    data = dict.fromkeys(TITLES.get(known[one].data, known[one].data) for one in chosen)
    if len(data) > 1:
        st.warning(
            f"Some of these learnt from {' and some from '.join(data)}, and each was judged on pictures of its own: their "
            "figures do not compare.",
            icon=":material/warning:",
        )
    if chosen:
        _curves([known[one] for one in chosen], names)
        _f1([known[one] for one in chosen], names)


def _lines() -> list[Figures]:
    """Networks first, newest first; then the baselines."""
    found = []
    for run in cache.runs():
        if run.finished:
            try:
                found.append(cache.figures(run))
            except AtelierError:
                continue  # its history was edited; the Train page says so
    return [*found, *(line for one in baselines.list_all() for line in cache.baseline_figures(one))]


def _parse(known: dict[str, Figures]):
    def parse(text: str) -> list[str]:
        wanted = [] if text == "none" else [one for one in text.split(",") if one]
        unknown = [one for one in wanted if one not in known]
        if unknown:
            raise ValueError(
                f"The address asks for the run “{unknown[0][:60]}”, which is not finished or not there any more."
            )
        return wanted

    return parse


def _names(lines: list[Figures]) -> dict[str, str]:
    """What the chosen ones are called: names that occur twice get the end of their id."""
    count: dict[str, int] = {}
    for line in lines:
        count[line.name] = count.get(line.name, 0) + 1
    return {
        line.id: line.name if count[line.name] == 1 else f"{line.name} · {line.id[-6:]}"
        for line in lines
    }


def _table(lines: list[Figures]) -> None:
    made = state.page_state(Table)
    key = f"experiments_compare_{made.number}"
    order = [line.id for line in lines]

    def picked() -> None:
        st.session_state[KEY] = [
            order[row] for row in st.session_state[key]["selection"]["rows"] if row < len(order)
        ]

    percent = [
        None if share is None else 100 * share
        for line in lines
        for share in (line.best_validation, line.last_validation, line.test_accuracy)
    ]
    columns = {
        "Name": [line.name for line in lines],
        "Test accuracy": percent[2::3],
        "Best validation": percent[0::3],
        "Last validation": percent[1::3],
        "Best epoch": [line.best_epoch for line in lines],
        "Epochs": [line.epochs for line in lines],
        "Parameters": [line.parameters for line in lines],
        "Seconds": [line.seconds for line in lines],
        "Pictures": [line.pictures for line in lines],
        "Data": [TITLES.get(line.data, line.data) for line in lines],
        "Judged on": [
            "test set (leaks)"
            if line.leaks
            else "kept back"
            if line.best_validation is not None
            else "–"
            for line in lines
        ],
    }
    share, whole = (
        st.column_config.NumberColumn(format="%.2f %%"),
        st.column_config.NumberColumn(format="localized"),
    )
    chosen = [order.index(one) for one in st.session_state[KEY] if one in order]
    st.dataframe(
        columns,
        key=key,
        hide_index=True,
        placeholder="–",
        height="content" if len(lines) <= ROWS else 35 * ROWS,
        on_select=picked,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": chosen}},
        alt=f"{len(lines)} runs and baselines; the selector below chooses the same ones",
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
        "A click on a heading sorts; a tick chooses. Where epochs were judged on the test set, the figures under validation are of "
        "test pictures. Pictures: how many an epoch, or a classical method, learns from."
    )


def _table_anew() -> None:
    state.page_state(Table).number += 1


def _curves(chosen: list[Figures], names: dict[str, str]) -> None:
    histories = []
    for line in chosen:
        if line.network:
            with frame.errors(stop=False):
                histories.append((names[line.id], runs.history(line.id)))
    if not histories:
        return
    for column, metric in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        with column:
            series_charts.show(
                series_charts.overlaid(histories, metric),
                key=f"experiments_compare_{metric}",
                alt=f"{metric.capitalize()} of {len(histories)} runs after each epoch",
            )


def _f1(chosen: list[Figures], names: dict[str, str]) -> None:
    shares = []
    for line in chosen:
        with frame.errors(stop=False):
            found = cache.f1(line)
            if found:
                shares.append((names[line.id], found))
    if not shares:
        return
    st.subheader("Class by class", anchor=False)
    left, right = st.columns([2, 3])
    with left:
        series_charts.show(
            series_charts.f1(shares),
            key="experiments_f1",
            alt="F1 of each class; the table has the figures",
        )
        st.caption(
            "F1 weighs how often a class is named rightly (precision) against how much of it is found (recall): "
            "2 × precision × recall / (precision + recall)."
        )
    columns = {"Class": list(CLASS_NAMES)} | {
        name: [100 * share for share in values] for name, values in shares
    }
    right.dataframe(
        columns,
        key="experiments_f1_table",
        hide_index=True,
        height="content",
        alt="F1 of each class for each chosen run",
        column_config={name: st.column_config.NumberColumn(format="%.1f %%") for name, _ in shares},
    )
