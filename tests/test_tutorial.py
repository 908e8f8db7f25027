"""The tutorial notebook runs as it stands, in a real kernel, and shows everything once."""

import pytest

from tests.conftest import skip_or_fail


@pytest.fixture(scope="module")
def notebook(root):
    nbformat = pytest.importorskip("nbformat")
    return nbformat.read(root / "surveys" / "fitness_app" / "tutorial.ipynb", as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_kept_without_outputs(notebook):
    assert all(not c.outputs and c.execution_count is None for c in code_of(notebook))


def test_it_runs_and_shows_each_result_and_figure_once(notebook, root, monkeypatch):
    try:
        import ipykernel  # noqa: F401
        from nbclient import NotebookClient
    except ImportError:
        skip_or_fail('nbclient and ipykernel are not installed (pip install "psychoseg[test]")')
    monkeypatch.setenv("PYTHONPATH", str(root))
    ran = notebook.copy()
    folder = root / "surveys" / "fitness_app"
    NotebookClient(ran, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    figures = 0
    for cell in code_of(ran):
        last = cell.source.splitlines()[-1]
        kinds = [tuple(o.data) for o in cell.outputs if o.output_type == "execute_result"]
        pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
        figures += len(pictures)
        assert len(pictures) == last.startswith("psychoseg.plots.")
        if last in ("survey", "scales", "segments", "profiles.summary()", "scales.summary()"):
            assert kinds == [("text/plain", "text/html")]
        # The bar of the long stage is taken away again; nothing else is shown on its own.
        bars = [o for o in cell.outputs if o.output_type == "display_data"]
        assert all(o.data["text/html"] == "" for o in bars)
        assert len(bars) == ("fit_segments" in cell.source)
        said = "".join(o.text for o in cell.outputs if o.output_type == "stream")
        assert "Error" not in said
        assert "Warning" not in said.replace("PsychosegWarning", "")
    assert figures == 3
    (left_out,) = [c.outputs[-1] for c in code_of(ran) if c.source.endswith("found.left_out")]
    assert "seen  dates" in left_out.data["text/plain"]
