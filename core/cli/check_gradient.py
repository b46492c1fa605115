"""`python -m core gradient-check`: back-propagation compared with central differences, as a table.

The engine calculates (`core.training.gradients`); what is checked and how it is judged is in
`core.training.gradient_check`.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np

from core import engine, settings
from core.cli import terminal
from core.cli.train import fetch_data
from core.specs.presets import preset
from core.training.gradient_check import GradientCheck


def check(arguments: argparse.Namespace) -> int:
    """Check the network of a preset; the status is 1 if its gradient is wrong."""
    spec = preset(arguments.preset).spec
    spec = spec.replace(data=arguments.data or spec.data)
    if settings.engine_address() is None:
        fetch_data(spec.data)
    calculation = engine.connect().check_gradient(
        spec, epsilon=arguments.epsilon, weights=arguments.weights, seed=arguments.seed
    )
    line = terminal.ProgressLine()
    try:
        line.show("checking weights one by one")
        result = calculation.result()
    finally:
        calculation.cancel()
        line.clear()
    if arguments.json:
        terminal.emit(
            {
                **dataclasses.asdict(result),
                "checked": result.checked,
                "at_once": result.at_once,
                "wrong": result.wrong,
            }
        )
    else:
        _print(result)
    return 1 if result.wrong else 0


def _print(result: GradientCheck) -> None:
    print(
        f"{result.name}: float64, ten pictures of {result.data}, loss {result.loss:.4f}; relative "
        f"errors of back-propagation against (E(w+e) - E(w-e)) / 2e, e = {result.epsilon:g}, then "
        f"smaller steps where they disagree\n"
    )
    rows = [
        (
            tensor.name,
            " x ".join(map(str, tensor.shape)),
            len(tensor.positions),
            f"{np.median(tensor.errors):.1e}",
            f"{tensor.errors.max():.1e}",
            f"{min(tensor.steps):.0e}",
            f"{tensor.settled_errors.max():.1e}",
            tensor.agrees.count(False),
        )
        for tensor in result.tensors
    ]
    terminal.table(
        ("weights", "shape", "checked", "median", "largest", "smallest e", "largest then", "wrong"),
        rows,
        right=range(2, 8),
    )
    print(f"\n{result.sentence()}")
