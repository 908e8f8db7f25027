"""The two engines held against each other, through the whole job."""

import numpy as np
import pytest

import psychoseg
from psychoseg.engines import get_engine
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import SegmentsSettings

pytestmark = pytest.mark.usefixtures("r_installed")


@pytest.fixture(scope="module")
def both(r_installed, root, tmp_path_factory):
    out = tmp_path_factory.mktemp("both") / "run"
    return psychoseg.run(root / "surveys" / "fitness_app", out=out, engine="both")


def values(run, measure):
    return run.agreement.loc[run.agreement["measure"] == measure, "value"]


def test_both_engines_find_the_same_factors_and_segments_in_fitness_app(both):
    assert both.segments.tied_merges == 0
    assert values(both, "largest difference of a loading").item() < 1e-4
    # psych's own polychoric is as good as R's optimize(), 1.2e-4.
    assert values(both, "largest difference of a correlation").item() < 1.2e-4
    congruence = values(both, "Tucker congruence")
    assert len(congruence) == 7
    assert congruence.min() > 0.99999
    assert values(both, "number of segments").item() == 5
    assert values(both, "adjusted Rand index").item() == 1
    assert values(both, "largest relative difference of a merge height").item() < 1e-9


def test_the_agreement_is_kept_and_shown(both):
    assert (both.folder / "agreement.csv").is_file()
    html = (both.folder / "report.html").read_text(encoding="utf-8")
    assert "Tucker congruence" in html
    assert {"R", "psych", "rpy2"} <= set(both.manifest["versions"])


def test_the_r_engine_alone_gives_the_same_segments(root, both, tmp_path):
    alone = psychoseg.run(root / "surveys" / "fitness_app", out=tmp_path / "run", engine="r")
    np.testing.assert_array_equal(alone.segments.labels, both.segments.labels)
    assert alone.segments.method.startswith("Ward's tree (r: ")


def test_bfi_loadings_of_both_engines_agree(root):
    study = psychoseg.load_study(root / "surveys" / "big_five")
    survey = psychoseg.load_survey(study)
    python = psychoseg.fit_scales(survey, study.scales)
    with get_engine("r") as engine:
        r = psychoseg.fit_scales(survey, study.scales, engine=engine)
    np.testing.assert_allclose(python.loadings, r.loadings, atol=1e-4)
    np.testing.assert_allclose(python.phi, r.phi, atol=1e-4)
    assert (python.items["scale"] == r.items["scale"]).all()


@pytest.mark.parametrize("tree", ["hclust", "fastcluster", "agnes", "hcut"])
def test_every_r_tree_gives_the_same_segments_on_untied_scores(both, tree):
    scores = both.scales.scores
    settings = SegmentsSettings(k=5, bootstrap=10)
    noise = np.random.default_rng(1).normal(0, 1e-4, scores.shape)
    untied = (scores + noise).dropna().head(600)
    ours = psychoseg.fit_segments(untied, settings=settings)
    with get_engine("r", tree=tree) as engine:
        theirs = psychoseg.fit_segments(untied, settings=settings, engine=engine)
    assert ours.tied_merges == 0
    assert adjusted_rand(ours.labels, theirs.labels) == 1
    assert tree in theirs.method


def test_an_engine_that_differs_is_seen(root, both):
    # The agreement must be able to fail: a tree over other heights gives other segments.
    from psychoseg.agreement import compare_engines
    from psychoseg.engines.python import PythonEngine

    class Upside(PythonEngine):
        def linkage(self, x, method, weights, *, distances=None):
            return super().linkage(x[:, :1].repeat(x.shape[1], axis=1), method, weights)

        def correlate(self, items, kind, weights, *, missing="pairwise", correction=0.0):
            return super().correlate(items, "pearson", weights)

    found = compare_engines(
        both.survey,
        both.study,
        both.scales,
        both.segments,
        Upside(),
        lambda stage: np.random.default_rng(1),
    ).set_index("measure")["value"]
    assert found["adjusted Rand index"] < 0.7
    assert found["largest difference of a correlation"] > 0.01
