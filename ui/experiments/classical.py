"""Classical methods on the page: which, on which split, how far the process is, and the accuracy of
each.

Everything shown is read from the record and the results on disk; a fragment reads them again while
the process is working.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from core import wording
from core.errors import RunDamaged, RunNotFound
from core.experiments import baselines, summary
from core.experiments.baselines import METHODS, Baselines, Fit, FitResult
from core.experiments.records import delete
from core.wording import duration
from ui import frame, state
from ui.components.theme import percent
from ui.experiments import series_charts, setup
from ui.experiments.sweep import in_percent

SECONDS = 2.0
NEW = "new"
Input = Literal["Grey values", "Both", "Principal components"]
WITHOUT: Input = "Grey values"
BOTH: Input = "Both"
WITH: Input = "Principal components"


def show() -> None:
    """Draw the choice of baselines, then the form or their results."""
    known = {record.id: record for record in baselines.list_all()}

    def parse(text: str) -> str:
        if text not in known:
            try:
                baselines.read(text)
            except (RunNotFound, RunDamaged) as problem:
                raise ValueError(str(problem)) from problem
        return text

    def title(record_id: str) -> str:
        if record_id == NEW:
            return "New baselines"
        record = known[record_id]
        return f"{record.name} · {record.created[:16].replace('T', ' ')} · {record_id[-4:]}"

    state.follow(
        "baselines",
        "experiments_baselines",
        parse,
        next(iter(known), NEW),
        valid=lambda record_id: record_id == NEW or record_id in known,
    )
    if known:
        st.selectbox("Baselines", [*known, NEW], key="experiments_baselines", format_func=title)
    chosen = st.session_state["experiments_baselines"]
    state.publish("baselines", "experiments_baselines", chosen if chosen in known else None)
    if chosen not in known:
        _form(list(known.values()))
        return
    working = baselines.working()
    if working is not None and working.id == chosen:
        _follow(chosen)
    else:
        _body(known[chosen])


def _form(known: Sequence[Baselines]) -> None:
    data = frame.data_or_stop()
    left, right = st.columns([1, 2])
    spec = setup.choose_base(
        left,
        "Use the split of",
        "experiments_baseline_split",
        data.is_sample,
        help="The baselines learn from the pictures that this preset trains on, and are judged on "
        "those it holds out. For other data or another split, fill the form of the Train page; "
        "its settings are then offered here.",
    )
    methods = right.multiselect(
        "Methods",
        list(METHODS),
        default=list(METHODS),
        key="experiments_baseline_methods",
        format_func=lambda name: METHODS[name].title,
        persist_state="session",
    )
    components = _components()
    count = components[-1]
    variance = next(
        (one.variance for one in known if one.variance and one.spec.data == spec.data), ()
    )
    if variance and count:
        series_charts.show(
            series_charts.variance(variance, [count]),
            key="experiments_baseline_variance",
            alt=_explained(variance, count),
        )
    st.caption(
        summary.size_note()
        + " They run one after the other on one core, at the lowest priority, even while a network "
        "is being trained."
    )
    if st.button(
        "Compute",
        key="experiments_baseline_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not methods,
    ):
        with frame.errors(stop=False):
            created = baselines.create(spec, tuple(methods), components)
            state.put({"baselines": created.id})
            _start(created.id)


def _components() -> tuple[int, ...]:
    """Draw the choice of input; returns numbers of principal components, 0 for grey values."""
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    chosen = left.segmented_control(
        "Input",
        (WITHOUT, BOTH, WITH),
        default=BOTH,
        key="experiments_baseline_way",
        required=True,
        persist_state="session",
    )
    count = int(
        right.number_input(
            "Components",
            min_value=1,
            max_value=baselines.PIXELS,
            value=50,
            step=1,
            disabled=chosen == WITHOUT,
            key="experiments_baseline_components",
            persist_state="session",
            help="How many principal components of the 784 grey values.",
        )
    )
    return {WITHOUT: (0,), BOTH: (0, count), WITH: (count,)}[chosen]


def _explained(variance: Sequence[float], count: int) -> str:
    return f"{count} components explain {percent(sum(variance[:count]))} of the variance"


def _start(record_id: str) -> None:
    with frame.errors(stop=False):
        baselines.start(record_id)
        st.rerun()


@st.fragment(run_every=SECONDS)
def _follow(record_id: str) -> None:
    working = baselines.working()
    if working is None or working.id != record_id:
        st.rerun()
    with frame.errors(stop=False):
        _body(baselines.read(record_id), working)


def _body(record: Baselines, working: baselines.FitProgress | None = None) -> None:
    """Draw how far some baselines are and their results.

    Args:
        working: what the process is doing, if it is computing these.
    """
    st.header(wording.literal(record.name), anchor=False)
    text = f"{record.done} of {len(record.wanted)} done"
    if working is not None:
        fitting = 0 <= working.at < len(record.wanted)
        current = record.wanted[working.at].title if fitting else "opening the data"
        text += f" · {current}, for {duration(working.seconds)} so far"
    st.progress(record.done / len(record.wanted), text)
    with st.container(horizontal=True, vertical_alignment="center"):
        _buttons(record, working is not None)
    _table(record)
    st.caption(
        f"{summary.size_note()} Judged on the same validation and test pictures as the networks "
        "on this split."
    )
    if record.variance:
        chosen = sorted(
            {fit.components for fit in record.wanted if 0 < fit.components <= len(record.variance)}
        )
        series_charts.show(
            series_charts.variance(record.variance, chosen),
            key="experiments_variance",
            alt="; ".join(_explained(record.variance, count) for count in chosen)
            or "Explained variance",
        )


def _buttons(record: Baselines, working: bool) -> None:
    if working:
        if st.button(
            "Stop",
            key="experiments_baseline_stop",
            icon=":material/stop_circle:",
            help="Finished results are kept.",
        ):
            baselines.stop()
            st.rerun()
    else:
        left = sum(result is None or bool(result.problem) for result in record.results)
        if left and st.button(
            f"Compute the remaining {left}" if record.done else "Compute",
            key="experiments_baseline_go_on",
            type="primary",
            icon=":material/play_circle:",
        ):
            _start(record.id)
        if st.button("Delete", key="experiments_baseline_delete", icon=":material/delete:"):
            delete(record.id)
            state.put({"baselines": None})
            st.rerun()
    if st.button(
        "Compare with the networks",
        key="experiments_baseline_compare",
        icon=":material/table_rows:",
    ):
        state.put({"view": "compare"})
        st.rerun()


def _table(record: Baselines) -> None:
    rows = [_row(fit, result) for fit, result in zip(record.wanted, record.results, strict=True)]
    share = st.column_config.NumberColumn(format="%.2f %%")
    st.dataframe(
        {name: [row[name] for row in rows] for name in rows[0]},
        key="experiments_baseline_table",
        hide_index=True,
        height="content",
        placeholder="–",
        alt=f"{len(rows)} classical methods with accuracies and seconds",
        column_config={
            "Validation accuracy": share,
            "Test accuracy": share,
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
            "Pictures": st.column_config.NumberColumn(format="localized"),
        },
    )


def _row(fit: Fit, result: FitResult | None) -> dict[str, str | float | None]:
    problem = result.problem if result else "Not computed"
    done = None if problem else result
    return {
        "Method": METHODS[fit.method].title,
        "Components": fit.components or None,
        "State": problem or "Done",
        "Pictures": done.pictures if done else None,
        "Validation accuracy": in_percent(done.validation_accuracy) if done else None,
        "Test accuracy": in_percent(done.test_accuracy) if done else None,
        "Seconds": done.seconds if done else None,
        "Settings": METHODS[fit.method].settings,
    }
