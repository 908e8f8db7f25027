"""What is installed of what psychoseg uses: Python, its packages, R, R's packages.

Looks and reports; never installs anything, and works where nothing of R is there.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from psychoseg.engines.r import REngine
from psychoseg.engines.r_process import INSTALL_RPY2, debian_packages, find_r_home
from psychoseg.errors import EngineError

__all__ = ["Component", "check_installation"]

Group = Literal["Python", "Python packages", "R", "R packages"]

_ENGINE = "the r engine"
_SCRIPTS = "r_scripts"
#: What uses each R package: psychoseg.engines.r and the scripts in r_scripts/.
_R_PACKAGES = {
    "psych": f"{_ENGINE} (correlations, factors), {_SCRIPTS}",
    "GPArotation": f"{_ENGINE} (rotation), {_SCRIPTS}",
    "fastcluster": f"{_ENGINE} (faster trees), {_SCRIPTS}",
    "cluster": f'{_ENGINE} (tree = "agnes"), {_SCRIPTS}',
    "factoextra": f'{_ENGINE} (tree = "hcut"), {_SCRIPTS}',
    "dendextend": _SCRIPTS,
    "ggplot2": _SCRIPTS,
    "RcppTOML": _SCRIPTS,
    "jsonlite": _SCRIPTS,
    "lavaan": f'{_ENGINE} (missing = "em"), {_SCRIPTS} (confirm_scales.R)',
}
#: Seconds that R may take to look for its packages; it takes a fifth of one.
_R_LIMIT = 20.0
#: The libraries of the r engine: the same files are read at R's start as there.
_RSCRIPT_OPTIONS = ("--no-save", "--no-restore", "--no-init-file", "--no-site-file")
_R_CODE = """
for (p in commandArgs(TRUE)) {
  found <- nzchar(system.file(package = p))
  cat("package", p, if (found) as.character(utils::packageVersion(p)), "\\n")
}
cat("R", paste(R.version$major, R.version$minor, sep = "."), "\\n")
"""


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that psychoseg uses.

    Attributes
    ----------
    name : str
    group : {"Python", "Python packages", "R", "R packages"}
    version : str or None
        None where it is not installed.
    needed_for : str
    remedy : str
        What to run to get it, after what is wrong with the one that is there.
    usable : bool
        Whether the installed one will do.
    """

    name: str
    group: Group
    version: str | None
    needed_for: str
    remedy: str
    usable: bool = True

    @property
    def ok(self) -> bool:
        """Return whether it is installed and will do."""
        return self.version is not None and self.usable


def check_installation() -> tuple[Component, ...]:
    """Look for everything psychoseg uses.

    Returns
    -------
    tuple of Component
        Python first, then its packages, rpy2 last of them, R, and R's packages; all of them,
        whether there or not.
    """
    requires_python, required = _declared()
    python = _python(requires_python)
    packages = [_python_package(r) for r in required if r.name != "rpy2"]
    r_version, found = _ask_r()
    rpy2 = _rpy2(required, has_r=r_version is not None)
    r = Component(
        "R",
        "R",
        r_version,
        f"{_ENGINE} and {_SCRIPTS}",
        _r_remedy(),
    )
    r_packages = [
        Component(name, "R packages", found.get(name), purpose, debian_packages([name]))
        for name, purpose in _R_PACKAGES.items()
    ]
    return (python, *packages, rpy2, r, *r_packages)


def _declared() -> tuple[str, list[Requirement]]:
    """Return the Python versions and the packages psychoseg declares: its core, and rpy2."""
    try:
        about = metadata.metadata("psychoseg")
        lines = metadata.requires("psychoseg") or []
        python = about["Requires-Python"]
        requirements = [Requirement(line) for line in lines]
    except metadata.PackageNotFoundError:
        # A checkout that was never installed, used through PYTHONPATH.
        file = Path(__file__).resolve().parents[2] / "pyproject.toml"
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        python = project["requires-python"]
        requirements = [Requirement(line) for line in project["dependencies"]]
        requirements += [Requirement(line) for line in project["optional-dependencies"]["r"]]
        return python, requirements
    return python, [r for r in requirements if _is_wanted(r)]


def _is_wanted(requirement: Requirement) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", "r"))


def _python(requires: str) -> Component:
    version = platform.python_version()
    usable = SpecifierSet(requires).contains(version, prereleases=True)
    remedy = f"psychoseg needs Python {requires}: sudo apt-get install python3 python3-venv"
    return Component("Python", "Python", version, "everything", remedy, usable)


def _python_package(requirement: Requirement) -> Component:
    version = _installed(requirement.name)
    wanted = f"{requirement.name}{requirement.specifier}"
    usable = version is None or requirement.specifier.contains(version, prereleases=True)
    remedy = f'pip install "{wanted}"' if usable else f'needs {wanted}: pip install "{wanted}"'
    return Component(
        requirement.name, "Python packages", version, "psychoseg itself", remedy, usable
    )


def _rpy2(required: Sequence[Requirement], *, has_r: bool) -> Component:
    """Return rpy2, tried together with R where both are there: it may be built for another R."""
    version = _installed("rpy2")
    problem = ""
    wanted = next((r.specifier for r in required if r.name == "rpy2"), SpecifierSet())
    if version is not None and not wanted.contains(version, prereleases=True):
        problem = f"needs rpy2{wanted}: "
    elif version is not None and has_r:
        try:
            with REngine(time_limit=_R_LIMIT) as engine:
                engine.versions()
        except EngineError as error:
            problem = f"{error} "
    return Component(
        "rpy2", "Python packages", version, _ENGINE, problem + INSTALL_RPY2, usable=not problem
    )


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _r_remedy() -> str:
    try:
        find_r_home()
    except EngineError as error:
        # Says which of no R, a wrong R_HOME or a broken R it is, and what to do.
        return str(error)
    return "sudo apt-get install --reinstall r-base-core"


def _ask_r() -> tuple[str | None, dict[str, str]]:
    """Return R's version and those of its packages; (None, {}) where R does not answer."""
    program = _rscript()
    if program is None:
        return None, {}
    command = [program, *_RSCRIPT_OPTIONS, "-e", _R_CODE, *_R_PACKAGES]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_R_LIMIT, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):
        return None, {}
    version = None
    packages = {}
    for line in done.stdout.splitlines():
        match line.split():
            case ["R", number]:
                version = number
            case ["package", name, number]:
                packages[name] = number
    return version, packages


def _rscript() -> str | None:
    """Return the Rscript that belongs to the R of the r engine."""
    try:
        home = find_r_home()
    except EngineError:
        return None
    own = home / "bin" / "Rscript"
    return str(own) if own.exists() else shutil.which("Rscript")
