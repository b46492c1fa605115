"""The examples in docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from core.settings import ROOT

# Every module of core/ that has an example somewhere.
MODULES = [
    path
    for path in sorted((ROOT / "core").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


def examples_of(path: Path) -> list[doctest.DocTest]:
    """The docstrings of a module that have examples."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    found = doctest.DocTestFinder().find(importlib.import_module(name))
    return [docstring for docstring in found if docstring.examples]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_of_a_module_give_what_they_say(path, capsys):
    docstrings, runner = examples_of(path), doctest.DocTestRunner()
    assert docstrings
    for docstring in docstrings:
        runner.run(docstring)
    assert runner.failures == 0, capsys.readouterr().out
    assert runner.tries == sum(len(docstring.examples) for docstring in docstrings) > 0


def test_the_doors_of_core_have_examples():
    named = {docstring.name for path in MODULES for docstring in examples_of(path)}
    assert named >= {
        "core.data.splits.split",
        "core.networks.architectures.blueprint",
        "core.pictures.crop.parse",
        "core.pictures.preparation.prepare",
        "core.specs.fields.parse_setting",
        "core.specs.spec.TrainSpec",
    }
    assert len(named) >= 10
