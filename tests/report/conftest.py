"""Reports of made-up runs, written once."""

from pathlib import Path

import pytest

from psychoseg.report import build_context, write_html
from tests.made_run import make_run

#: Each a kind of run that a report must survive.
KINDS = {
    "plain": {},
    "hostile": {"hostile": True, "weighted": True, "both": True, "measured": True},
    "measured": {"measured": True},
    "no stable segments": {"k": 8, "verdict": "constructed", "weighted": True},
    "one component": {"one_component": True, "k": 2, "bare": True},
    "unassigned": {"unassigned": True, "verdict": "natural"},
    "fifteen segments": {"k": 15, "n": 900},
}


@pytest.fixture(scope="session")
def made():
    """Return a function that makes a run of a kind, each once."""
    kept = {}

    def make(kind: str):
        if kind not in kept:
            kept[kind] = make_run(**KINDS[kind])
        return kept[kind]

    return make


@pytest.fixture(scope="session")
def context_of(made):
    return lambda kind: build_context(made(kind))


@pytest.fixture(scope="session")
def written(made, tmp_path_factory):
    """Return a function that writes the report of a kind of run, each once, and gives its path."""
    folder = tmp_path_factory.mktemp("reports")

    def write(kind: str) -> Path:
        path = folder / f"{kind.replace(' ', '-')}.html"
        if not path.exists():
            write_html(made(kind), path)
        return path

    return write
