"""The R engine's numbers against R alone, scipy and the python engine; and what ends it."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import linkage as scipy_linkage

from psychoseg.engines.python import PythonEngine
from psychoseg.engines.r import R_TREES, REngine
from psychoseg.errors import EngineError, PsychosegWarning
from tests.engines.conftest import REFERENCE

TREES = [tree for tree in R_TREES if tree != "auto"]
#: psych maximises each likelihood with R's optimize at its tolerance of 1.2e-4, which leaves
#: errors of 2e-5.
PSYCH_RHO = 5e-5


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(4).normal(size=(120, 3))


@pytest.fixture
def whole_weights() -> np.ndarray:
    return np.random.default_rng(5).integers(1, 5, size=120).astype(float)


# Correlations


def test_pearson_is_the_pairwise_complete_correlation_of_pandas(r_engine, bfi):
    found = r_engine.correlate(bfi, "pearson", np.ones(len(bfi)))
    # Both sum the same doubles in another order.
    np.testing.assert_allclose(found, pd.DataFrame(bfi).corr(), atol=1e-12)


@pytest.mark.parametrize(("kind", "tolerance"), [("pearson", 1e-12), ("polychoric", PSYCH_RHO)])
def test_a_whole_weight_counts_as_the_row_repeated(r_engine, bfi, kind, tolerance):
    items = bfi[:600, :4]
    assert np.isnan(items).any()
    weights = np.tile([1.0, 2.0, 5.0], 200)
    repeated = np.repeat(items, weights.astype(int), axis=0)
    weighted = r_engine.correlate(items, kind, weights)
    unweighted = r_engine.correlate(repeated, kind, np.ones(len(repeated)))
    np.testing.assert_allclose(weighted, unweighted, atol=tolerance)
    plain = r_engine.correlate(items, kind, np.ones(600))
    assert np.abs(weighted - plain).max() > 0.01


@pytest.mark.parametrize("kind", ["pearson", "polychoric"])
def test_correlations_with_uneven_weights_are_those_of_the_python_engine(r_engine, bfi, kind):
    items = bfi[:, 5:9]
    weights = np.random.default_rng(1).uniform(0.2, 4, len(items))
    found = r_engine.correlate(items, kind, weights)
    expected = PythonEngine().correlate(items, kind, weights)
    # The two likelihoods are maximised to 1e-7 and 1e-9.
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_polychoric_is_what_psych_gives_in_r_alone(r_engine, bfi, bfi_polychoric):
    found = r_engine.correlate(bfi, "polychoric", np.ones(len(bfi)))
    # The same program on the same numbers; the file has ten digits.
    np.testing.assert_allclose(found, bfi_polychoric, atol=1e-8)
    assert found[15, 16] == pytest.approx(0.764, abs=5e-4)


def test_items_with_different_numbers_of_categories_keep_their_definition(r_engine, bfi):
    # psych alone leaves its definition for every pair as soon as one item has fewer categories.
    items = bfi[:, :4].copy()
    whole = r_engine.correlate(items, "polychoric", np.ones(len(items)))
    items[items[:, 0] >= 5, 0] = 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = r_engine.correlate(items, "polychoric", np.ones(len(items)))
    np.testing.assert_allclose(found[1:, 1:], whole[1:, 1:], atol=PSYCH_RHO)
    expected = PythonEngine().correlate(items, "polychoric", np.ones(len(items)))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_polychoric_uses_the_order_of_the_codes_only(r_engine, bfi):
    items = bfi[:, :3]
    whole = r_engine.correlate(items, "polychoric", np.ones(len(items)))
    recoded = r_engine.correlate(items**2 / 2 - 7.3, "polychoric", np.ones(len(items)))
    np.testing.assert_array_equal(recoded, whole)


@pytest.mark.parametrize("kind", ["pearson", "polychoric"])
@pytest.mark.parametrize("weights", [np.ones(50), np.linspace(1, 2, 50)], ids=["even", "uneven"])
@pytest.mark.filterwarnings("ignore:R .*standard deviation is zero")
def test_items_that_cannot_correlate_stay_in_place_as_nan(r_engine, bfi, kind, weights):
    items = np.column_stack([bfi[:50, 0], np.full(50, 3.0), bfi[:50, 1], np.full(50, np.nan)])
    found = r_engine.correlate(items, kind, weights)
    assert found.shape == (4, 4)
    assert np.isnan(found[[1, 3]]).all()
    assert found[0, 0] == found[2, 2] == 1
    assert -1 < found[0, 2] < 0


def test_two_answers_to_two_items_are_not_taken_for_a_table(r_engine):
    items = np.array([[1.0, 2.0], [2.0, 1.0]])
    found = r_engine.correlate(items, "polychoric", np.ones(2))
    assert found[0, 1] < -0.99


# Factors


def test_loadings_and_phi_of_bfi_are_those_of_psych_in_r_alone(r_engine, bfi):
    corr = r_engine.correlate(bfi, "pearson", np.ones(len(bfi)))
    raw = r_engine.factor(corr, 5, n_obs=2800.0)
    loadings = pd.read_csv(REFERENCE / "bfi_minres_oblimin.csv", index_col=0).to_numpy()
    phi = pd.read_csv(REFERENCE / "bfi_minres_oblimin_phi.csv", index_col=0).to_numpy()
    # The same program; the correlations differ in the last bit and the file has ten digits.
    np.testing.assert_allclose(raw.loadings, loadings, atol=1e-7)
    np.testing.assert_allclose(raw.phi, phi, atol=1e-7)
    communality = np.einsum("ij,jk,ik->i", raw.loadings, raw.phi, raw.loadings)
    np.testing.assert_allclose(raw.uniquenesses, 1 - communality, atol=1e-9)


@pytest.mark.parametrize(("n_factors", "rotation"), [(1, "oblimin"), (3, "none")])
def test_without_rotation_phi_is_the_identity(r_engine, bfi_polychoric, n_factors, rotation):
    raw = r_engine.factor(bfi_polychoric, n_factors, rotation=rotation, n_obs=2800.0)
    assert raw.loadings.shape == (25, n_factors)
    np.testing.assert_array_equal(raw.phi, np.eye(n_factors))


def test_a_heywood_case_shows_in_the_uniquenesses_and_is_left_to_the_caller_to_name(r_engine):
    # One factor needs a loading of sqrt(.8 * .7 / .5) > 1 on the first item.
    corr = np.array([[1, 0.8, 0.7], [0.8, 1, 0.5], [0.7, 0.5, 1]])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        raw = r_engine.factor(corr, 1, n_obs=100.0)
    # The bound of psych's search.
    assert raw.uniquenesses[0] <= 0.005 + 1e-9
    assert not [w for w in caught if "item" in str(w.message)]


def test_factoring_bfi_warns_of_nothing(r_engine, bfi_polychoric):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        r_engine.factor(bfi_polychoric, 5, n_obs=2800.0)


def test_a_matrix_that_psych_would_take_for_answers_is_refused(r_engine, bfi_polychoric):
    with pytest.raises(
        EngineError, match=r"R's psych::fa failed: this is not a correlation matrix"
    ):
        r_engine.factor(2 * bfi_polychoric, 5, n_obs=2800.0)


# Trees


@pytest.mark.parametrize("tree", TREES)
def test_every_tree_builder_gives_scipys_ward_tree_on_untied_points(r_installed, points, tree):
    with REngine(tree=tree) as engine:
        found = engine.linkage(points, "ward", np.ones(120))
    expected = scipy_linkage(points, "ward")
    np.testing.assert_array_equal(found[:, [0, 1, 3]], expected[:, [0, 1, 3]])
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=1e-10)
    for k in range(2, 11):
        ours, scipys = fcluster(found, k, "maxclust"), fcluster(expected, k, "maxclust")
        np.testing.assert_array_equal(ours, scipys)


@pytest.mark.parametrize("tree", ["hclust", "fastcluster"])
def test_a_weighted_tree_is_the_tree_of_the_repeated_rows(r_installed, points, whole_weights, tree):
    with REngine(tree=tree) as engine:
        weighted = engine.linkage(points, "ward", whole_weights)
    repeated = scipy_linkage(np.repeat(points, whole_weights.astype(int), axis=0), "ward")
    # Copies of a row merge at zero, up to the rounding of scipy's update.
    heights = repeated[repeated[:, 2] > 1e-9, 2]
    np.testing.assert_allclose(weighted[:, 2], heights, rtol=1e-10)
    labels = np.repeat(fcluster(weighted, 5, "maxclust"), whole_weights.astype(int))
    expected = fcluster(repeated, 5, "maxclust")
    assert len(set(zip(labels, expected, strict=True))) == 5


@pytest.mark.parametrize("tree", ["hclust", "fastcluster"])
def test_heights_follow_the_protocols_definition(r_installed, tree):
    x, weights = np.array([[0.0], [1.0], [5.0]]), np.array([2.0, 0.5, 3.0])
    with REngine(tree=tree) as engine:
        found = engine.linkage(x, "ward", weights)
    centre = (2.0 * 0 + 0.5 * 1) / 2.5
    first = np.sqrt(2 * 2 * 0.5 / 2.5) * 1
    second = np.sqrt(2 * 2.5 * 3 / 5.5) * (5 - centre)
    np.testing.assert_allclose(found, [[0, 1, first, 2], [2, 3, second, 3]], rtol=1e-14)


@pytest.mark.parametrize("tree", TREES)
def test_equal_weights_scale_the_heights_by_their_root(r_installed, points, tree):
    with REngine(tree=tree) as engine:
        one = engine.linkage(points, "ward", np.ones(120))
        three = engine.linkage(points, "ward", np.full(120, 3.0))
    np.testing.assert_allclose(three[:, 2], np.sqrt(3) * one[:, 2], rtol=1e-12)


@pytest.mark.parametrize("tree", ["agnes", "hcut"])
def test_a_tree_builder_without_case_weights_says_so(points, whole_weights, tree):
    engine = REngine(tree=tree)
    assert not engine.takes_weights_for("ward")
    with pytest.raises(EngineError, match=rf'::{tree} .*from 1 to 4\. Use tree = "hclust"'):
        engine.linkage(points, "ward", whole_weights)


def test_a_slow_tree_builder_warns_above_two_thousand_rows_only(r_installed):
    x = np.random.default_rng(0).normal(size=(2001, 2))
    with REngine(tree="hcut") as engine:
        with pytest.warns(PsychosegWarning, match=r"factoextra::hcut on 2,001 rows is slow"):
            engine.linkage(x, "ward", np.ones(2001))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            engine.linkage(x[:2000], "ward", np.ones(2000))


def test_the_automatic_tree_says_what_it_became(r_engine, points):
    r_engine.linkage(points, "ward", np.ones(120))
    assert r_engine.tree == "fastcluster"


def test_one_point_is_no_tree():
    with pytest.raises(EngineError, match="at least 2 different points, and there is 1"):
        REngine().linkage(np.zeros((1, 2)), "ward", np.ones(1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"tree": "scipy"}, "'scipy'; it has auto, hclust"), ({"time_limit": 0.0}, "time_limit = 0")],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(EngineError, match=message):
        REngine(**settings)


# Conditions and values of R


def test_an_error_of_r_arrives_with_its_own_message_and_the_function(r_engine):
    with pytest.raises(EngineError, match=r"^R's eval failed: no such luck: 42$"):
        r_engine._evaluate("stop('no such luck: ', 42)")
    assert r_engine._evaluate("1 + 1") == [2]


def test_a_warning_of_r_arrives_once_and_messages_do_not(r_engine):
    code = "{warning('thin ice'); message('hello'); warning('thin ice'); warning('late'); 1}"
    with pytest.warns(PsychosegWarning) as caught:
        r_engine._evaluate(code)
    assert [str(w.message) for w in caught] == ["R (eval): thin ice", "R (eval): late"]


def test_a_warning_before_an_error_is_not_lost(r_engine):
    with (
        pytest.warns(PsychosegWarning, match="thin ice"),
        pytest.raises(EngineError, match="broke"),
    ):
        r_engine._evaluate("{warning('thin ice'); stop('broke')}")


def test_rs_whole_number_na_is_nan(r_engine):
    (value,) = r_engine._evaluate("c(NA, 7L, TRUE)")
    np.testing.assert_array_equal(value, [np.nan, 7, 1])


def test_matrices_come_back_writeable_and_are_not_turned(r_engine):
    (value,) = r_engine._evaluate("matrix(1:6, 2)")
    np.testing.assert_array_equal(value, [[1, 3, 5], [2, 4, 6]])
    assert value.flags.writeable


def test_printing_and_reading_in_r_do_not_disturb_the_channel(r_engine):
    code = "{print(1:3); cat('x\\n'); system('echo loud; cat'); nchar(readline('?'))}"
    assert r_engine._evaluate(code) == [0]
    assert r_engine._evaluate("3") == [3]


def test_a_large_matrix_crosses_a_pipe_that_holds_64_kilobytes(r_engine):
    items = np.random.default_rng(2).normal(size=(20_000, 30))
    found = r_engine.correlate(items, "pearson", np.ones(20_000))
    np.testing.assert_allclose(found, np.corrcoef(items.T), atol=1e-12)


def test_the_users_profile_changes_nothing(r_installed, tmp_path, monkeypatch):
    profile = tmp_path / "profile.R"
    profile.write_text("options(digits = 3)\n")
    monkeypatch.setenv("R_PROFILE_USER", str(profile))
    with REngine() as engine:
        assert engine._evaluate("getOption('digits')") == [7]


def test_versions_name_r_rpy2_and_the_packages(r_engine):
    versions = r_engine.versions()
    assert {"R", "rpy2", "psych", "GPArotation", "fastcluster"} <= versions.keys()
    (major,) = r_engine._evaluate("as.numeric(R.version$major)")
    assert versions["R"].startswith(f"{major[0]:.0f}.")


# Ends


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("tools::pskill(Sys.getpid(), 9)", "signal SIGKILL"),
        ("quit(status = 3)", "exit code 3"),
        ("tools::pskill(Sys.getpid(), 11)", "signal SIGSEGV"),
    ],
)
def test_r_may_die_and_python_lives_and_r_comes_back(r_installed, code, how):
    with REngine() as engine:
        with pytest.raises(EngineError, match=rf"R ended in the middle of eval \({how}"):
            engine._evaluate(code)
        assert engine._evaluate("1") == [1]


def test_the_last_words_of_a_dying_r_are_quoted(r_installed):
    with (
        REngine() as engine,
        pytest.raises(EngineError, match=r'its last words: ".*aaargh"'),
    ):
        engine._evaluate("{system('echo aaargh >&2'); quit()}")


def test_a_call_beyond_the_time_limit_is_ended_and_the_next_one_works(r_installed):
    with REngine(time_limit=3) as engine:
        start = time.monotonic()
        with pytest.raises(EngineError, match=r"eval gave no answer within 3 seconds .*time_limit"):
            engine._evaluate("Sys.sleep(60)")
        # The limit counts from the call; R's start comes before it.
        assert 2.9 < time.monotonic() - start < 20
        assert engine._evaluate("1") == [1]


def test_threads_may_share_an_engine(r_engine):
    answers: dict[int, float] = {}

    def work(number: int) -> None:
        for _ in range(5):
            (value,) = r_engine._evaluate(f"{{Sys.sleep(.01); {number}}}")
            answers[number] = value[0]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: n for n in range(4)}


def test_r_outlives_the_thread_that_started_it(r_installed):
    with REngine() as engine:
        thread = threading.Thread(target=engine._evaluate, args=("1",))
        thread.start()
        thread.join()
        worker = worker_of(engine)
        (value,) = engine._evaluate("{Sys.sleep(1.5); Sys.getpid()}")
        assert value == worker


def test_close_ends_r_leaves_no_files_and_may_be_called_twice(r_installed, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = REngine()
    engine._evaluate("writeLines('x', tempfile())")
    worker = worker_of(engine)
    assert is_running(worker)
    assert list(tmp_path.iterdir())
    engine.close()
    engine.close()
    assert not is_running(worker)
    assert not list(tmp_path.iterdir())


def test_r_ends_with_its_engine(r_installed):
    engine = REngine()
    engine._evaluate("1")
    worker = worker_of(engine)
    del engine
    gc.collect()
    assert not is_running(worker)


def test_control_c_in_a_long_call_stops_within_two_seconds_and_leaves_no_orphan(
    r_installed, tmp_path
):
    with LongCall(tmp_path) as (child, worker):
        start = time.monotonic()
        # As a terminal does: to the whole group.
        os.killpg(child.pid, signal.SIGINT)
        _, err = child.communicate(timeout=20)
        seconds = time.monotonic() - start
    assert "KeyboardInterrupt" in err
    assert "EngineError" not in err
    assert seconds < 2
    assert not is_running(worker)
    assert not list(tmp_path.iterdir())


def test_after_control_c_the_engine_works_again(r_installed):
    with REngine() as engine:
        engine._evaluate("1")
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            engine._evaluate("Sys.sleep(60)")
        assert engine._evaluate("2") == [2]


def test_a_killed_python_leaves_no_orphan_even_in_the_middle_of_a_call(r_installed, tmp_path):
    with LongCall(tmp_path) as (child, worker):
        assert is_running(worker)
        child.kill()
        child.wait()
        deadline = time.monotonic() + 10
        while is_running(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_running(worker)
    assert not list(tmp_path.iterdir())


# What is not there


@pytest.fixture
def without_r_home(monkeypatch):
    monkeypatch.delenv("R_HOME", raising=False)


def test_without_r_one_sentence_says_how_to_get_it(without_r_home, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        EngineError, match=r"^R is not installed .*`sudo apt-get install r-base-core"
    ):
        REngine().versions()


def test_a_wrong_r_home_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("R_HOME", str(tmp_path))
    with pytest.raises(EngineError, match=rf"^R_HOME is '{tmp_path}', .*unset R_HOME"):
        REngine().versions()


def test_an_r_that_does_not_run_is_named(without_r_home, tmp_path, monkeypatch):
    (tmp_path / "R").write_text("#!/bin/sh\nexit 7\n")
    (tmp_path / "R").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(EngineError, match=r"does not run .*--reinstall r-base-core"):
        REngine().versions()


def test_an_r_home_with_no_library_of_r_gives_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "R").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bin" / "R").chmod(0o755)
    monkeypatch.setenv("R_HOME", str(tmp_path))
    with pytest.raises(
        EngineError, match=r"(could not be started through rpy2|cannot load R)"
    ) as e:
        REngine().versions()
    assert "\n" not in str(e.value)
    assert "RPY2_CFFI_MODE=ABI pip install" in str(e.value)


def test_absent_r_packages_are_named_together_with_the_debian_command(
    r_installed, bfi_polychoric, monkeypatch
):
    # Debian's R finds everything but its recommended packages through R_LIBS_SITE.
    monkeypatch.setenv("R_LIBS_SITE", "/nonexistent")
    monkeypatch.setenv("R_LIBS_USER", "/nonexistent")
    with (
        REngine() as engine,
        pytest.raises(
            EngineError,
            match=r"^psych::fa needs the R packages psych and GPArotation, which are not "
            r"installed: run `sudo apt-get install r-cran-psych r-cran-gparotation`\.$",
        ),
    ):
        engine.factor(bfi_polychoric, 5, n_obs=2800.0)


def test_without_fastcluster_the_automatic_tree_is_hclusts(r_installed, points, monkeypatch):
    monkeypatch.setenv("R_LIBS_SITE", "/nonexistent")
    monkeypatch.setenv("R_LIBS_USER", "/nonexistent")
    with REngine() as engine:
        found = engine.linkage(points, "ward", np.ones(120))
        assert engine.tree == "hclust"
        assert "fastcluster" not in engine.versions()
    np.testing.assert_allclose(found, scipy_linkage(points, "ward"), rtol=1e-10)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise ImportError('No rpy2 here')", r"needs rpy2 \(No rpy2 here\): run `RPY2_CFFI_MODE"),
        ("raise RuntimeError('odd')", r"rpy2 cannot load R \(RuntimeError: odd\): reinstall it"),
        (
            "import os; os.write(2, b'no such library'); os._exit(5)",
            r'through rpy2 \(exit code 5; its last words: "no such library"\)',
        ),
    ],
    ids=["absent", "broken", "ends the process"],
)
def test_a_bad_rpy2_gives_one_sentence(r_installed, tmp_path, monkeypatch, body, message):
    (tmp_path / "rpy2").mkdir()
    (tmp_path / "rpy2" / "__init__.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineError, match=message) as e:
        REngine().versions()
    assert "\n" not in str(e.value)


# Helpers


def worker_of(engine: REngine) -> int:
    assert engine._worker is not None
    return engine._worker._process.pid


def is_running(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class LongCall:
    """A Python of its own that waits a minute for R, with a folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> tuple[subprocess.Popen[str], int]:
        code = """
            from psychoseg.engines.r import REngine
            engine = REngine()
            engine._evaluate("1")
            print(engine._worker._process.pid, flush=True)
            engine._evaluate("Sys.sleep(60)")
        """
        self.child = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.folder)},
            cwd=Path(__file__).resolve().parents[2],
        )
        assert self.child.stdout is not None
        worker = int(self.child.stdout.readline())
        # Let it enter the long call.
        time.sleep(0.5)
        return self.child, worker

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.communicate()
