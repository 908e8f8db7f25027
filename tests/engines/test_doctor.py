"""The doctor sees what is there, and what is not."""

import re
import sys
import time
import tomllib

import numpy as np
import pytest

from psychoseg.engines import doctor
from psychoseg.engines.doctor import check_installation


@pytest.fixture
def no_r(monkeypatch, tmp_path):
    monkeypatch.delenv("R_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def by_name() -> dict[str, doctor.Component]:
    return {c.name: c for c in check_installation()}


def test_without_r_everything_is_listed_quickly_and_r_is_said_to_be_missing(no_r):
    start = time.monotonic()
    found = by_name()
    assert time.monotonic() - start < 3
    assert found["R"].version is None
    assert "sudo apt-get install r-base-core" in found["R"].remedy
    packages = [c for c in found.values() if c.group == "R packages"]
    assert {c.name for c in packages} >= {"psych", "GPArotation", "cluster", "RcppTOML", "ggplot2"}
    assert not any(c.ok for c in packages)
    assert found["GPArotation"].remedy == "sudo apt-get install r-cran-gparotation"
    assert found["numpy"].ok


def test_every_declared_dependency_is_listed_with_its_version(no_r, root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    declared = [re.split("[><=~ ]", line)[0] for line in project["dependencies"]]
    found = by_name()
    assert {*declared, "rpy2"} <= found.keys()
    assert found["numpy"].version == np.__version__
    assert found["Python"].version == ".".join(map(str, sys.version_info[:3]))


def test_with_r_its_version_and_those_of_its_packages_are_found(r_engine):
    found = by_name()
    versions = r_engine.versions()
    for name in ("R", "psych", "GPArotation", "cluster", "factoextra", "fastcluster"):
        assert found[name].version == versions[name]
        assert found[name].ok
    assert found["rpy2"].ok


def test_an_absent_r_package_is_seen_beside_present_ones(r_installed, monkeypatch):
    monkeypatch.setenv("R_LIBS_SITE", "/nonexistent")
    monkeypatch.setenv("R_LIBS_USER", "/nonexistent")
    found = by_name()
    assert found["R"].ok
    assert not found["psych"].ok


def test_an_absent_python_package_is_said_to_be_missing(no_r, monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda name: None)
    numpy = by_name()["numpy"]
    assert not numpy.ok
    assert numpy.remedy.startswith('pip install "numpy')


def test_a_python_package_that_is_too_old_will_not_do(no_r, monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda name: "0.0.1")
    numpy = by_name()["numpy"]
    assert numpy.version == "0.0.1"
    assert not numpy.ok
    assert numpy.remedy.startswith("needs numpy")


def test_an_rpy2_that_cannot_load_r_will_not_do(r_installed, monkeypatch, tmp_path):
    (tmp_path / "rpy2").mkdir()
    (tmp_path / "rpy2" / "__init__.py").write_text("raise RuntimeError('built for another R')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    rpy2 = by_name()["rpy2"]
    assert rpy2.version is not None
    assert not rpy2.ok
    assert "built for another R" in rpy2.remedy


def test_a_wrong_r_home_is_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("R_HOME", str(tmp_path))
    assert "unset R_HOME" in by_name()["R"].remedy
