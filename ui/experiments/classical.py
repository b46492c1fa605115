"""Classical methods on the page: which, on which split, how far the process is, and what they
reach.

Everything shown is read from the record and the results on disk; a fragment looks again while the
process is at work.
"""

from __future__ import annotations

import streamlit as st

from core.errors import RunDamaged, RunNotFound
from core.experiments import baselines, summary
from core.experiments.baselines import METHODS, Baselines
from core.experiments.records import delete
from core.wording import duration
from ui import frame, state
from ui.components import run_names
from ui.components.theme import percent
from ui.experiments import series_charts, setup

SECONDS = 2.0
NEW = "new"
WITHOUT, BOTH, WITH = "Grey values", "Both", "Principal components"


def show() -> None:
    """The choice, then the form or what came of it."""
    known = {one.id: one for one in baselines.list_all()}

    def parse(text: str) -> str:
        if text not in known:
            try:
                baselines.read(text)
            except (RunNotFound, RunDamaged) as problem:
                raise ValueError(str(problem)) from problem
        return text

    state.follow(
        "baselines",
        "experiments_baselines",
        parse,
        next(iter(known), NEW),
        valid=lambda one: one == NEW or one in known,
    )
    if known:
        st.selectbox(
            "Baselines",
            [*known, NEW],
            key="experiments_baselines",
            format_func=lambda one: (
                "New ones"
                if one == NEW
                else f"{known[one].name} · {known[one].created[:16].replace('T', ' ')} · {one[-4:]}"
            ),
        )
    chosen = st.session_state["experiments_baselines"]
    state.publish("baselines", "experiments_baselines", chosen if chosen in known else None)
    if chosen not in known:
        _form(list(known.values()))
        return
    now = baselines.working()
    if now is not None and now.id == chosen:
        _followed(chosen)
    else:
        _body(known[chosen])


def _form(known: list[Baselines]) -> None:
    data = frame.data_or_stop()
    left, right = st.columns([1, 2])
    spec = setup.choose_base(
        left,
        "Split of",
        "experiments_baseline_split",
        data.is_sample,
        help="The baselines learn from the pictures that this preset trains on, and are judged on those it keeps back. For other data or "
        "another split, fill the form of the Train page; it is then offered here.",
    )
    methods = right.multiselect(
        "Methods",
        list(METHODS),
        default=list(METHODS),
        key="experiments_baseline_methods",
        format_func=lambda one: METHODS[one].title,
        persist_state="session",
    )
    seen, count = st.columns([2, 1], vertical_alignment="bottom")
    way = seen.segmented_control(
        "They see",
        (WITHOUT, BOTH, WITH),
        default=BOTH,
        key="experiments_baseline_way",
        required=True,
        persist_state="session",
    )
    number = int(
        count.number_input(
            "Components",
            min_value=1,
            max_value=baselines.PIXELS,
            value=50,
            step=1,
            disabled=way == WITHOUT,
            key="experiments_baseline_components",
            persist_state="session",
            help="How many principal components of the 784 grey values.",
        )
    )
    variance = next(
        (one.variance for one in known if one.variance and one.spec.data == spec.data), ()
    )
    if variance and way != WITHOUT:
        series_charts.show(
            series_charts.variance(variance, [number]),
            key="experiments_baseline_variance",
            alt=f"{number} components hold {percent(sum(variance[:number]))} of the variance",
        )
    st.caption(
        summary.size_note()
        + " One after the other on one core, at the lowest priority, also while a network trains."
    )
    if st.button(
        "Compute",
        key="experiments_baseline_start",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not methods,
    ):
        with frame.errors(stop=False):
            made = baselines.create(
                spec, tuple(methods), {WITHOUT: (0,), BOTH: (0, number), WITH: (number,)}[way]
            )
            state.put({"baselines": made.id})
            _start(made.id)


def _start(baselines_id: str) -> None:
    with frame.errors(stop=False):
        baselines.start(baselines_id)
        st.rerun()


@st.fragment(run_every=SECONDS)
def _followed(baselines_id: str) -> None:
    now = baselines.working()
    if now is None or now.id != baselines_id:
        st.rerun()
    with frame.errors(stop=False):
        _body(baselines.read(baselines_id), now)


def _body(found: Baselines, now: baselines.FitProgress | None = None) -> None:
    st.subheader(run_names.literal(found.name), anchor=False)
    words = f"{found.done} of {len(found.wanted)} done"
    if now is not None:
        at = found.wanted[now.at].title if 0 <= now.at < len(found.wanted) else "opening the data"
        words += f" · {at}, for {duration(now.seconds)} so far"
    st.progress(found.done / len(found.wanted), words)
    with st.container(horizontal=True, vertical_alignment="center"):
        if now is not None:
            if st.button(
                "Stop",
                key="experiments_baseline_stop",
                icon=":material/stop_circle:",
                help="What is done stays.",
            ):
                baselines.stop()
                st.rerun()
        else:
            lacking = sum(result is None or bool(result.problem) for result in found.results)
            if lacking and st.button(
                f"Compute the other {lacking}" if found.done else "Compute",
                key="experiments_baseline_go_on",
                type="primary",
                icon=":material/play_circle:",
            ):
                _start(found.id)
            if st.button("Delete", key="experiments_baseline_delete", icon=":material/delete:"):
                delete(found.id)
                state.put({"baselines": None})
                st.rerun()
        if st.button(
            "Beside the networks", key="experiments_baseline_compare", icon=":material/table_rows:"
        ):
            state.put({"view": "compare"})
            st.rerun()
    _table(found)
    st.caption(
        f"{summary.size_note()} Judged on the same validation and test pictures as the networks on this split."
    )
    if found.variance:
        chosen = sorted(
            {one.components for one in found.wanted if 0 < one.components <= len(found.variance)}
        )
        series_charts.show(
            series_charts.variance(found.variance, chosen),
            key="experiments_variance",
            alt="; ".join(
                f"{number} components hold {percent(sum(found.variance[:number]))} of the variance"
                for number in chosen
            )
            or "Explained variance",
        )


def _table(found: Baselines) -> None:
    columns: dict[str, list] = {
        name: []
        for name in (
            "Method",
            "Components",
            "State",
            "Pictures",
            "Validation accuracy",
            "Test accuracy",
            "Seconds",
            "Settings",
        )
    }
    for wanted, result in zip(found.wanted, found.results, strict=True):
        good = result if result is not None and not result.problem else None
        cells = (
            METHODS[wanted.method].title,
            wanted.components or None,
            "Done" if good else result.problem if result else "Not computed",
            good and good.pictures,
            good and good.validation_accuracy and 100 * good.validation_accuracy,
            good and 100 * good.test_accuracy,
            good and good.seconds,
            METHODS[wanted.method].settings,
        )
        for name, cell in zip(columns, cells, strict=True):
            columns[name].append(cell)
    share = st.column_config.NumberColumn(format="%.2f %%")
    st.dataframe(
        columns,
        key="experiments_baseline_table",
        hide_index=True,
        height="content",
        placeholder="–",
        alt=f"{len(found.wanted)} classical methods with accuracies and seconds",
        column_config={
            "Validation accuracy": share,
            "Test accuracy": share,
            "Seconds": st.column_config.NumberColumn(format="%.1f"),
            "Pictures": st.column_config.NumberColumn(format="localized"),
        },
    )
