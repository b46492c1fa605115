"""`python -m core gradient-check`: back-propagation against central differences, as a table.

The engine calculates (`gradients`); what is checked and how it is judged is in `gradient_check`.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np

from core import settings
from core.cli import terminal
from core.cli.train import fetch_data
from core.specs.presets import preset
from core.training.gradient_check import GradientCheck


def check(arguments: argparse.Namespace) -> int:
    """Check the network of a preset; the status is 1 where its gradient is wrong."""
    from core import engine

    spec = preset(arguments.preset).spec
    spec = spec.replace(data=arguments.data or spec.data)
    if settings.engine_address() is None:
        fetch_data(spec.data)
    asked = engine.connect().check_gradient(
        spec, epsilon=arguments.epsilon, weights=arguments.weights, seed=arguments.seed
    )
    line = terminal.ProgressLine()
    try:
        line.show("the engine moves the weights, one by one")
        found = asked.result()
    finally:
        asked.cancel()
        line.clear()
    if arguments.json:
        terminal.emit(
            {
                **dataclasses.asdict(found),
                "checked": found.checked,
                "at_once": found.at_once,
                "wrong": found.wrong,
            }
        )
    else:
        _print(found)
    return 1 if found.wrong else 0


def _print(found: GradientCheck) -> None:
    print(
        f"{found.name}: float64, ten pictures of {found.data}, loss {found.loss:.4f}; relative errors of back-propagation against "
        f"(E(w+e) - E(w-e)) / 2e, e = {found.epsilon:g}, then smaller steps where they disagree\n"
    )
    rows = []
    for tensor in found.tensors:
        rows.append(
            (
                tensor.name,
                " x ".join(map(str, tensor.shape)),
                len(tensor.places),
                f"{np.median(tensor.errors):.1e}",
                f"{tensor.errors.max():.1e}",
                f"{min(tensor.steps):.0e}",
                f"{tensor.settled_errors.max():.1e}",
                tensor.agrees.count(False),
            )
        )
    terminal.table(
        ("weights", "shape", "checked", "median", "largest", "smallest e", "largest then", "wrong"),
        rows,
        right=range(2, 8),
    )
    print(f"\n{found.sentence()}")
