"""An engine refuses before the data are read exactly what it would refuse with them."""

import re
from typing import get_args

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from psychoseg.engines.base import Engine, FlatMethod, PartitionOptions, TreeMethod
from psychoseg.engines.python import PYTHON_TREES, PythonEngine
from psychoseg.engines.r import R_TREES, REngine
from psychoseg.errors import EngineError

TREES, FLAT = get_args(TreeMethod), get_args(FlatMethod)
RANGE = "these weights go from 1 to 3"

pytestmark = pytest.mark.filterwarnings("ignore::psychoseg.errors.PsychosegWarning")


class ReachesR(Exception):
    """R would have computed."""


class WithoutR(REngine):
    """The engine up to the point at which it asks R."""

    def versions(self):
        return {}

    def _ask(self, *args, **options):
        raise ReachesR


def said(compute) -> str | None:
    """Return the refusal, None where there is none."""
    try:
        compute()
    except EngineError as error:
        return str(error)
    except ReachesR:
        pass
    return None


def divided(engine: Engine, method: str, *, weighted: bool, gower: bool) -> str | None:
    rng = np.random.default_rng(3)
    x = np.vstack([rng.normal(size=(30, 2)), rng.normal(size=(30, 2)) + 9]).round(1)
    x -= x.min()
    weights = np.tile([1.0, 2.0, 3.0], 20) if weighted else np.ones(60)
    # Trees of means stand on the coordinates of Gower's distances.
    distances = squareform(pdist(x)) if gower and method not in ("ward", "centroid") else None
    if method in TREES:
        return said(lambda: engine.linkage(x, method, weights, distances=distances))
    k = None if method in ("dbscan", "hdbscan") else 2
    options = PartitionOptions(starts=2, min_samples=3)
    coded = x.round() if method == "lca" else x
    return said(
        lambda: engine.partition(
            coded, method, weights, k=k, rng=rng, options=options, distances=distances
        )
    )


@pytest.mark.parametrize("gower", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("method", [*TREES, *FLAT])
@pytest.mark.parametrize(
    "engine",
    [*(PythonEngine(tree=t) for t in PYTHON_TREES), *(WithoutR(tree=t) for t in R_TREES)],
    ids=[*(f"python-{t}" for t in PYTHON_TREES), *(f"r-{t}" for t in R_TREES)],
)
def test_check_refuses_exactly_what_dividing_refuses_in_the_same_words(
    engine, method, weighted, gower
):
    later = divided(engine, method, weighted=weighted, gower=gower)
    early = said(lambda: engine.check(method, weighted=weighted, gower=gower))
    if later is not None:
        later = later.replace(RANGE, "the study has [weights]")
    assert early == later


@pytest.mark.parametrize(
    ("engine", "method", "settings", "message"),
    [
        (PythonEngine(), "diana", {}, 'diana is in R alone (cluster::diana). Use engine = "r"'),
        (PythonEngine(), "gmm", {"gower": True}, "gmm divides coordinates, not distances"),
        (REngine(), "gmm", {}, "the r engine divides by pam, kmeans, not by 'gmm'."),
        (
            REngine(),
            "pam",
            {"weighted": True},
            "takes no case weights, and the study has [weights]",
        ),
        (REngine(tree="agnes"), "ward", {"weighted": True}, "cluster::agnes builds trees without"),
        (REngine(tree="agnes"), "centroid", {}, "cluster::agnes builds trees by"),
    ],
)
def test_what_no_data_could_make_possible_is_refused(engine, method, settings, message):
    with pytest.raises(EngineError, match=re.escape(message)):
        engine.check(method, **{"weighted": False, "gower": False, **settings})
