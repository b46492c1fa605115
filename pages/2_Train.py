"""Train: choose a preset, change it, watch it learn, stop it, resume it.

With `?run=` in the address the page shows that run, in training or finished; without, the run that
is being trained, if any; otherwise, or with `?new=1`, the form.
"""

from __future__ import annotations

import streamlit as st

from ui import frame
from ui.train import first_steps, form, jobs, run_list, run_view, start

frame.begin(
    "Train",
    "Choose a preset, change what you like, and watch the network learn.",
    icon=":material/model_training:",
)

known = jobs.list_jobs()
shown = start.find_run(known)
top, bottom = st.container(), st.container()
with bottom:  # first, because the runs are there even where the data are missing and the rest stops
    run_list.show(shown, known)
with top:
    if shown:
        with frame.errors(stop=False):
            run_view.show(shown)
        jobs.show_others(known, shown)
    else:
        jobs.show_others(known, None)
        data = frame.data_or_stop()
        left, right = st.columns([4, 3], gap="large")
        with left:
            spec, wrong = form.show(sample_only=data.is_sample)
        with right:
            start.offer(spec, wrong)
        first_steps.warm_up()
