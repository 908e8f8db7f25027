"""The house of DESIGN.md: who may import whom, what the numerical core may know."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

#: A module imports only from floors below its own; modules of one package may import one another.
FLOORS = {
    "errors": 0,
    "folder_swap": 0,
    "stopping": 0,
    "study_problems": 0,
    "study_slips": 0,
    "study_table": 0,
    "shown": 0,
    "notebook": 0,
    "stats": 1,
    "study_segments": 1,
    "study_report": 1,
    "naming": 1,
    "study": 2,
    "study_options": 2,
    "workers": 2,
    "spreadsheet": 1,
    "table_files": 2,
    "survey": 3,
    "engines": 3,
    "features": 4,
    "scales": 5,
    "estimators": 5,
    "segments": 6,
    "profiles": 7,
    "agreement": 8,
    "plots": 8,
    "run_folder": 8,
    "exports": 9,
    "comparison": 9,
    "starter": 4,
    "reference": 3,
    "runs": 9,
    "report": 10,
    "api": 11,
    "cli": 12,
    "__init__": 13,
    "__main__": 13,
}


def modules(root: Path) -> list[Path]:
    return sorted((root / "psychoseg").rglob("*.py"))


def part_of(path: Path, root: Path) -> str:
    return path.relative_to(root / "psychoseg").parts[0].removesuffix(".py")


def runtime_imports(tree: ast.Module) -> list[str]:
    """Return psychoseg modules imported anywhere but under TYPE_CHECKING."""
    typing_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = [node.module or ""]
            if node.module == "psychoseg":
                names = [f"psychoseg.{alias.name}" for alias in node.names]
            found += names
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return [name for name in found if name == "psychoseg" or name.startswith("psychoseg.")]


def test_every_module_stands_on_a_floor(root):
    assert {part_of(path, root) for path in modules(root)} <= set(FLOORS)


def test_modules_import_only_from_floors_below(root):
    wrong = []
    for path in modules(root):
        part = part_of(path, root)
        for name in runtime_imports(ast.parse(path.read_text(encoding="utf-8"))):
            if name == "psychoseg":
                continue
            target = name.split(".")[1]
            if target not in FLOORS:  # a public name, reached through the package
                continue
            if target != part and FLOORS[target] >= FLOORS[part]:
                wrong.append(f"{path.name} imports {name}")
    assert wrong == []


@pytest.mark.parametrize("forbidden", ["pandas", "matplotlib", "sklearn", "psychoseg.survey"])
def test_the_numerical_core_runs_without(forbidden):
    code = (
        f"import sys; sys.modules[{forbidden!r}] = None\nimport pkgutil, importlib, "
        "psychoseg.stats as s\nfor m in pkgutil.iter_modules(s.__path__): "
        "importlib.import_module('psychoseg.stats.' + m.name)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_is_light():
    code = "import sys, psychoseg; print(sorted({'numpy', 'pandas', 'rpy2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_module_outgrows_its_subject(root):
    long = {p.name: n for p in modules(root) if (n := len(p.read_text().splitlines())) > 600}
    assert long == {}


def test_plots_are_reached_through_the_package():
    code = "import psychoseg; print(psychoseg.plots.plot_dendrogram.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "plot_dendrogram"
