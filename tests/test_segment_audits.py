"""The audits of a segmentation: what they must see, and that they change nothing."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from psychoseg import fit_scales, fit_segments
from psychoseg.engines.python import PythonEngine
from psychoseg.errors import EngineError
from psychoseg.segments import audits, progress
from psychoseg.survey.frame import survey_from_frame
from psychoseg.workers import parallel_map
from tests.brief_segments import cheap, cut_short


@pytest.fixture(autouse=True, scope="module")
def brief():
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        patch.setattr(audits, "order_audit", partial(audits.order_audit, shuffles=4))
        patch.setattr(audits, "jitter_audit", partial(audits.jitter_audit, replicates=5))
        yield


def people(n=150, seed=2):
    """Two scales of four items, answered from 1 to 4, and what they were planted from."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    latent = np.array([[-1, -1], [1.5, -0.5], [0, 1.5]])[truth] + 0.5 * rng.standard_normal((n, 2))
    noise = 0.5 * rng.standard_normal((n, 8))
    items = np.clip(np.round(2.5 + latent.repeat(4, axis=1) + noise), 1, 4)
    return pd.DataFrame(items, columns=list("abcdefgh"))


@pytest.fixture(scope="module")
def fitted():
    survey = survey_from_frame(people())
    return survey, fit_scales(survey)


@pytest.fixture(scope="module")
def audited(fitted):
    return fit_segments(*fitted, cheap(k=3, audits=True))


@pytest.fixture(scope="module")
def plain(fitted):
    return fit_segments(*fitted, cheap(k=3))


def line(found, audit, what):
    rows = found.audit[(found.audit["audit"] == audit) & (found.audit["what"] == what)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_on_tied_data_textbook_ward_changes_with_the_row_order_and_ours_does_not():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.integers(1, 4, (300, 5)).astype(float), columns=list("abcde"))
    found = fit_segments(frame, settings=cheap(k=4, audits=True))
    textbook = line(found, "row order", "textbook Ward, any two shuffles")
    ours = line(found, "row order", "psychoseg, any two shuffles")
    assert textbook["value"] < 0.9
    assert (ours[["value", "low", "high"]] == 1.0).all()
    assert line(found, "ties", "tied merges")["value"] == found.tied_merges > 0


def test_without_audits_nothing_is_audited_and_the_segments_are_the_same(audited, plain):
    for name in ("audit", "methods", "tandem", "consensus"):
        assert getattr(plain, name).empty
    np.testing.assert_array_equal(audited.labels, plain.labels)
    pd.testing.assert_frame_equal(audited.table, plain.table)
    pd.testing.assert_frame_equal(audited.choice, plain.choice)


def test_segments_of_less_reliable_scales_keep_fewer_people_under_their_error(fitted, audited):
    survey, scales = fitted
    weaker = replace(scales, table=scales.table.assign(alpha=0.1))
    found = fit_segments(survey, weaker, cheap(k=3, audits=True))
    for what in ("adjusted Rand index", "share that keeps its segment"):
        before = line(audited, "measurement error", what)["value"]
        assert line(found, "measurement error", what)["value"] < before - 0.05


def test_other_methods_divide_the_same_people_and_their_base_is_told(fitted, audited):
    methods = audited.methods.set_index("method")
    assert list(methods.index) == ["k-means", "Gaussian mixture", "latent classes of the items"]
    assert (methods["k"] == 3).all()
    assert (methods["note"] == f"{fitted[0].n} respondents").all()
    assert (methods["adjusted_rand"] > 0.5).all()
    assert methods["bic"].notna().tolist() == [False, True, True]
    assert methods["silhouette"].notna().tolist() == [True, True, False]


def test_another_tree_is_held_against_wards_and_not_against_row_orders(fitted):
    found = fit_segments(*fitted, cheap(k=3, audits=True, method="average"))
    assert found.methods["method"].iloc[0] == "Ward's tree"
    # Row order is Ward's trouble alone.
    assert "row order" not in set(found.audit["audit"])


def test_tandem_holds_all_pairs_of_scales_components_and_items(fitted, audited):
    pairs = set(zip(audited.tandem["a"], audited.tandem["b"], strict=True))
    assert len(pairs) == len(audited.tandem) == 6
    assert {name for pair in pairs for name in pair} == {
        "segments",
        "scales",
        "components",
        "items",
    }
    own = audited.tandem.query("a == 'segments' and b == 'components'")
    assert own["adjusted_rand"].item() == 1.0
    assert (audited.tandem["base"] == fitted[0].n).all()


def test_consensus_is_made_on_request_alone(fitted, audited):
    assert audited.consensus.empty
    assert "consensus" not in audited.points
    found = fit_segments(*fitted, cheap(k=3, consensus=True))
    labels = found.points["consensus"]
    assert set(labels) == {1, 2, 3}
    assert found.consensus["n"].sum() == fitted[0].n
    np.testing.assert_array_equal(
        found.consensus["n"],
        found.points.groupby("consensus")["n"].sum(),
    )
    assert set(found.audit["audit"]) == {"consensus"}
    np.testing.assert_array_equal(found.labels, audited.labels)


def test_shuffled_items_and_rows_give_the_same_audit_of_methods_and_tandem(audited):
    frame = people()
    rng = np.random.default_rng(7)
    shuffled = frame.iloc[rng.permutation(len(frame)), rng.permutation(8)].reset_index(drop=True)
    survey = survey_from_frame(shuffled)
    found = fit_segments(survey, fit_scales(survey), cheap(k=3, audits=True))
    pd.testing.assert_frame_equal(found.methods, audited.methods, rtol=1e-9)
    pd.testing.assert_frame_equal(found.tandem, audited.tandem)


def test_a_method_that_fails_in_the_audit_is_a_line_with_the_reason(fitted, monkeypatch):
    ours = PythonEngine.partition

    def partition(self, x, method, weights, **options):
        if method == "gmm":
            raise EngineError("ends in a spike. Use a smaller k.")
        return ours(self, x, method, weights, **options)

    monkeypatch.setattr(PythonEngine, "partition", partition)
    found = fit_segments(*fitted, cheap(k=3, audits=True, consensus=True))
    row = found.methods.set_index("method").loc["Gaussian mixture"]
    assert np.isnan(row["adjusted_rand"])
    assert row["note"] == "ends in a spike. Use a smaller k."
    # The segments themselves, three divisions of Ward's and three of k-means.
    assert line(found, "consensus", "adjusted Rand index with its 7 members")["value"] > 0


def test_of_many_people_other_methods_look_at_an_even_sample(fitted, monkeypatch):
    monkeypatch.setattr(audits, "_MOST_PEOPLE", 100)
    found = fit_segments(*fitted, cheap(k=3, audits=True))
    assert (found.methods["note"] == "100 respondents").all()
    assert (found.tandem["base"] == 100).all()


def test_two_workers_give_the_bytes_of_one(fitted, audited, monkeypatch):
    monkeypatch.setattr("psychoseg.workers._WORTH_STARTING", 0.0)
    monkeypatch.setattr(
        progress,
        "parallel_map",
        lambda function, jobs, *, workers=None, progress=None: parallel_map(
            function, jobs, workers=2
        ),
    )
    found = fit_segments(*fitted, cheap(k=3, audits=True))
    assert found.labels.to_numpy().tobytes() == audited.labels.to_numpy().tobytes()
    for name in ("table", "choice", "null", "stability", "slsw", "audit", "methods", "tandem"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(audited, name), rtol=0, atol=0)
