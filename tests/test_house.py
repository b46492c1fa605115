"""The house itself: which way imports point, what is light, what is pinned, and whether the docs
know every module.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections import Counter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from core.settings import ROOT

CORE, UI, PAGES = (sorted((ROOT / folder).rglob("*.py")) for folder in ("core", "ui", "pages"))
ENTRY = ROOT / "streamlit_app.py"
PRODUCT = (*CORE, *UI, *PAGES, ENTRY)
LONGEST_FUNCTION = 60  # lines, docstring and blank lines included
BACKENDS = {"torch"}  # Keras's others: imported only where somebody installed and chose one

# The floors of core/ and ui/, from the ground up: a module imports from lower floors and from its
# own folder, nothing else.
CORE_FLOORS = (
    {"settings", "errors", "labels", "wording"},
    {"processes", "garments", "pictures", "specs"},
    {"networks", "data"},
    {"runs"},
    {"evaluation", "inference"},
    {"explain", "outside"},
    {"training", "export"},
    {"engine"},
    {"experiments"},
    {"cli"},
    {"__main__"},
)
UI_FLOORS = (
    {"state"},
    {"cache", "components"},
    {"frame"},
    {"answers", "classify", "train"},
    {"network", "experiments"},
)
# Where Keras may be imported: it runs on the engine, or in a terminal that was told `--local`.
KERAS = {
    ROOT / "core" / "networks" / "architectures.py",
    *(ROOT / "core" / "networks").glob("keras_*.py"),
    *(ROOT / "core" / "training").glob("*.py"),
}


def name_of(path: Path) -> str:
    """A file's name in the ids of tests: its path from the top."""
    return str(path.relative_to(ROOT))


def imported_modules(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it, in full: `from core import runs` is
    core.runs.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports(path: Path) -> set[str]:
    """The first words of everything that a file imports."""
    return {module.split(".")[0] for module in imported_modules(path)}


def floor_of(top: str, floors: tuple[set[str], ...], folder: str) -> int:
    """How high a folder or module of `top` stands."""
    heights = [height for height, floor in enumerate(floors) if folder in floor]
    assert len(heights) == 1, f"{top}/{folder} stands on no floor of tests/test_house.py"
    return heights[0]


def requirements(name: str) -> dict[str, set[str]]:
    """Package and version of each line of a requirements file."""
    found: dict[str, set[str]] = {}
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
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(
        next(line for line in done.stdout.splitlines() if line.startswith("MODULES")).split()[1:]
    )


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_core_knows_neither_streamlit_nor_the_pages(path):
    assert not imports(path) & {"streamlit", "streamlit_drawable_canvas", "plotly", "ui", "pages"}


@pytest.mark.parametrize("path", [path for path in PRODUCT if path not in KERAS], ids=name_of)
def test_keras_and_tensorflow_stay_where_networks_are_trained(path):
    assert not imports(path) & {"keras", "tensorflow"}


@pytest.mark.parametrize("path", UI, ids=name_of)
def test_ui_does_not_reach_into_pages(path):
    assert "pages" not in imports(path)


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_the_product_imports_neither_tests_nor_benchmarks(path):
    assert not imports(path) & {"tests", "benchmarks"}


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=name_of)
def test_benchmarks_stand_without_the_tests(path):
    assert "tests" not in imports(path)


@pytest.mark.parametrize(
    ("top", "floors"), [("core", CORE_FLOORS), ("ui", UI_FLOORS)], ids=["core", "ui"]
)
def test_imports_point_downwards_from_folder_to_folder(top, floors):
    upwards = set()
    for path in sorted((ROOT / top).rglob("*.py")):
        folder = path.relative_to(ROOT / top).parts[0].removesuffix(".py")
        if folder == "__init__":
            continue
        for module in imported_modules(path):
            parts = module.split(".")
            if (
                parts[0] == top
                and parts[1] != folder
                and floor_of(top, floors, parts[1]) >= floor_of(top, floors, folder)
            ):
                upwards.add(f"{name_of(path)} imports {module}")
    assert not upwards


def test_no_module_imports_itself_by_way_of_others():
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PRODUCT
    }
    arrows = {
        name: {
            target
            for module in imported_modules(path)
            for target in (module, module.rpartition(".")[0])
            if target in names
        }
        for name, path in names.items()
    }
    # A module and the face of its own folder do not count: the face hands on what the module holds.
    arrows = {
        name: {target for target in targets if not name.startswith(f"{target}.")}
        for name, targets in arrows.items()
    }
    graphlib.TopologicalSorter(arrows).prepare()  # raises CycleError, naming the circle


def test_no_two_modules_share_a_name():
    counts = Counter(path.name for path in PRODUCT if not path.name.startswith("__"))
    assert {name: count for name, count in counts.items() if count > 1} == {}


def test_no_function_is_longer_than_a_screen():
    long = {
        f"{name_of(path)}:{node.name}": node.end_lineno - node.lineno + 1
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert not long


def test_every_ignored_type_error_names_its_kind_and_its_reason():
    bare = [
        f"{name_of(path)}:{number}"
        for path in PRODUCT
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "# type: ignore" in line and not re.search(r"# type: ignore\[[a-z-, ]+\]  # \w", line)
    ]
    assert not bare


def test_every_module_named_in_a_string_is_there():
    named = {
        text
        for path in PRODUCT
        for text in re.findall(
            r"""["'`]((?:core|ui)(?:\.[a-z_]+)+)["'`]""", path.read_text(encoding="utf-8")
        )
    }
    assert "core.experiments.baseline_process" in named
    assert {text for text in named if not is_there(text)} == set()


def is_there(name: str) -> bool:
    """Whether a dotted name is a module, or something that one holds."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    holder = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
    return holder.exists() and bool(
        re.search(rf"\b{path.name}\b", holder.read_text(encoding="utf-8"))
    )


def test_importing_the_whole_core_but_training_imports_no_tensorflow():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in CORE
        if path.name != "__main__.py"
        and not imports(path) & {"keras", "tensorflow"}
        and not needs_keras(path)
    ]
    assert "core.training.gradient_check" in modules and "core.training.trainer" not in modules
    loaded = modules_after("import " + ", ".join(modules))
    assert not loaded & {"tensorflow", "keras", "streamlit"}


def needs_keras(path: Path) -> bool:
    """Whether a module imports, when it is imported itself, one that imports Keras at once."""
    keras_modules = {
        ".".join(other.relative_to(ROOT).with_suffix("").parts)
        for other in KERAS
        if "keras" in imports_at_once(other)
    }
    return any(
        module in keras_modules or module.rpartition(".")[0] in keras_modules
        for module in modules_at_once(path)
    )


def modules_at_once(path: Path) -> set[str]:
    """The modules that a file imports at its top level."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_at_once(path: Path) -> set[str]:
    """The first words of what a file imports at its top level."""
    return {module.split(".")[0] for module in modules_at_once(path)}


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
    third_party = (
        set().union(*(imports(path) for path in PRODUCT)) - set(sys.stdlib_module_names) - ours
    )
    packages = packages_distributions()
    missing = {
        name
        for name in third_party
        if not {canonical(package) for package in packages.get(name, [name])}
        & set(requirements("requirements.txt"))
    }
    assert not missing


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_direct_requirement_is_pinned_to_what_the_lock_holds(name):
    lines = [
        line.split("#")[0].strip()
        for line in (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    ]
    assert all("==" in line for line in lines if line)
    direct, locked = requirements(f"{name}.txt"), requirements(f"{name}.lock")
    assert direct
    assert {
        package: versions for package, versions in direct.items() if locked.get(package) != versions
    } == {}


def test_the_two_locks_agree_where_they_meet():
    app, tools = requirements("requirements.lock"), requirements("requirements-dev.lock")
    assert {
        package: versions
        for package, versions in tools.items()
        if app.get(package, versions) != versions
    } == {}
    assert "pytest" not in app and "streamlit" not in tools


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_package_index_and_hashes_everything(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|@ ", text)
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries and all("--hash=sha256:" in entry for entry in entries)


def test_the_architecture_names_every_module():
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    unnamed = [
        name_of(path)
        for path in PRODUCT
        if path.name != "__init__.py" and not re.search(rf"(?<!\w){re.escape(path.name)}", text)
    ]
    assert not unnamed


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))],
    ids=name_of,
)
def test_the_docs_name_no_module_that_is_not_there(path):
    if path.name == "LOG.md":
        pytest.skip("the log tells what was, not only what is")
    there = {file.name for file in ROOT.rglob("*.py") if ".venv" not in file.parts}
    assert set(re.findall(r"\b\w+\.py\b", path.read_text(encoding="utf-8"))) <= there


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))],
    ids=name_of,
)
def test_links_of_the_docs_lead_somewhere(path):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_begins_with_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_what_ci_runs_is_executable_and_strict():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
