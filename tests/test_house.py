"""The house itself: which way imports point, what is light, what is pinned, and whether the README knows its rooms."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE, UI, PAGES = (sorted((ROOT / room).glob("*.py")) for room in ("core", "ui", "pages"))
ENTRY = ROOT / "streamlit_app.py"
KERAS_ROOMS = {"architectures.py", "augmentation.py", "first_weights.py", "gradients.py", "keras_backbones.py", "keras_files.py",
               "layers.py", "optimiser.py", "training.py"}
BACKENDS = {"torch"}  # Keras's others: imported only where somebody installed and chose one
# Imported only where networks are trained: on the engine, or in a terminal that was told `--local`.
ENGINE_ONLY = {"augmentation", "first_weights", "gradients", "keras_backbones", "keras_files", "layers", "optimiser", "training"}


def imports(path: Path) -> set[str]:
    """The first words of everything that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add((node.module or "").split(".")[0])
    return names


def requirements(name: str) -> dict[str, str]:
    """Package and version of each line of a requirements file."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line)
        if match:
            found.setdefault(canonical(match[1]), set()).add(match[2])
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_after(script: str) -> set[str]:
    """Top-level names in `sys.modules` of a fresh Python after it ran a script."""
    code = f"{script}\nimport sys\nprint('MODULES', *sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(next(line for line in done.stdout.splitlines() if line.startswith("MODULES")).split()[1:])


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_core_knows_neither_streamlit_nor_the_pages(path):
    assert not imports(path) & {"streamlit", "streamlit_drawable_canvas", "plotly", "ui", "pages"}


@pytest.mark.parametrize("path", [path for path in (*CORE, *UI, *PAGES, ENTRY) if path.name not in KERAS_ROOMS], ids=lambda path: path.name)
def test_keras_and_tensorflow_stay_in_their_rooms(path):
    assert not imports(path) & {"keras", "tensorflow"}


@pytest.mark.parametrize("path", UI, ids=lambda path: path.name)
def test_ui_does_not_reach_into_pages(path):
    assert "pages" not in imports(path)


def test_importing_the_whole_core_but_training_imports_no_tensorflow():
    names = [path.stem for path in CORE if path.stem not in ENGINE_ONLY | {"__init__", "__main__"}]
    loaded = modules_after("import " + ", ".join(f"core.{name}" for name in names))
    assert not loaded & {"tensorflow", "keras", "streamlit"}


def test_opening_every_page_in_one_process_imports_no_tensorflow():
    pages = [f"pages/{path.name}" for path in PAGES]
    assert pages
    loaded = modules_after(
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ENTRY)!r}, default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        f"for page in {pages!r}:\n"
        "    app.switch_page(page).run()\n"
        "    assert not app.exception, (page, app.exception)\n"
    )
    assert "streamlit" in loaded
    assert not loaded & {"tensorflow", "keras"}


def test_everything_imported_is_a_direct_requirement():
    ours = {"core", "ui", "pages", "tests"} | BACKENDS
    third_party = set().union(*(imports(path) for path in (*CORE, *UI, *PAGES, ENTRY))) - set(sys.stdlib_module_names) - ours
    packages = packages_distributions()
    missing = {name for name in third_party
               if not {canonical(package) for package in packages.get(name, [name])} & set(requirements("requirements.txt"))}
    assert not missing


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_direct_requirement_is_pinned_to_what_the_lock_holds(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines()]
    assert all("==" in line for line in lines if line)
    direct, locked = requirements(f"{name}.txt"), requirements(f"{name}.lock")
    assert direct
    assert {package: versions for package, versions in direct.items() if locked.get(package) != versions} == {}


def test_the_two_locks_agree_where_they_meet():
    app, tools = requirements("requirements.lock"), requirements("requirements-dev.lock")
    assert {package: versions for package, versions in tools.items() if app.get(package, versions) != versions} == {}
    assert "pytest" not in app and "streamlit" not in tools


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_package_index_and_hashes_everything(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|@ ", text)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries and all("--hash=sha256:" in entry for entry in entries)


def test_the_readme_prints_the_tree_and_names_every_module():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    unnamed = [str(path.relative_to(ROOT)) for path in (ENTRY, *CORE, *UI, *PAGES)
               if path.name != "__init__.py" and not re.search(rf"(?<![\w]){re.escape(path.name)}", readme)]
    assert not unnamed


def test_the_readme_names_no_module_that_is_not_there():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    there = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    assert set(re.findall(r"\b\w+\.py\b", readme)) <= there


@pytest.mark.parametrize("path", (*CORE, *UI, *PAGES, ENTRY), ids=lambda path: path.name)
def test_a_module_begins_with_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_what_ci_runs_is_executable_and_strict():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
