"""Time extraction and rotation against their peers: `python measurement_factor.py [runs]`.

Prints medians and the median ratio of peers measured in turn, `runs` times (3 unless said
otherwise): psych::fac and factor_analyzer's FactorAnalyzer for extraction, GPArotation and
factor_analyzer's Rotator for rotation. FactorAnalyzer 0.5.1 cannot fit beside scikit-learn 1.8 and
later, which renamed an argument; here it is measured with that name mended. R is timed inside R,
without its start-up. All get the same correlation matrix: 200 items on 10 factors, 1,000 people.
Everything has one BLAS thread: two on two busy cores wait for each other, for seconds at times.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import factor_analyzer.factor_analyzer
import numpy as np
from factor_analyzer import FactorAnalyzer
from factor_analyzer.rotator import Rotator
from sklearn.utils import check_array
from threadpoolctl import threadpool_limits

from psychoseg.stats.extraction import extract_minres, extract_ml
from psychoseg.stats.rotation import rotate

sys.path.insert(0, str(Path(__file__).parent))
from main_job import compare, in_r, seconds

N_ITEMS, N_FACTORS, N_PEOPLE = 200, 10, 1000
_READ = "r <- as.matrix(read.csv(f, header = FALSE)); dimnames(r) <- NULL; s <- Sys.time(); "


def main(runs: int) -> None:
    """Print the figures."""
    corr = planted(np.random.default_rng(1))
    unrotated = extract_minres(corr, N_FACTORS).loadings
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "corr.csv"
        np.savetxt(file, corr, delimiter=",")
        loadings = Path(folder) / "loadings.csv"
        np.savetxt(loadings, unrotated, delimiter=",")
        for name, ours in (("minres", extract_minres), ("ml", extract_ml)):
            code = f"f <- psych::fac(r, {N_FACTORS}, n.obs = {N_PEOPLE}, fm = '{name}', "
            code += "rotate = 'none')"
            compare(
                f"{name}, {N_ITEMS} items, {N_FACTORS} factors",
                lambda ours=ours: seconds(lambda: ours(corr, N_FACTORS)),
                "psych::fac",
                lambda code=code: in_r(_READ + code, file),
                runs,
            )
            compare(
                f"{name}, {N_ITEMS} items, {N_FACTORS} factors",
                lambda ours=ours: seconds(lambda: ours(corr, N_FACTORS)),
                "factor_analyzer, mended",
                lambda name=name: seconds(lambda: factor_analyzer_fit(corr, name)),
                runs,
            )
        rotations = {
            "oblimin": "GPArotation::oblimin(r, maxit = 10000)",
            "geomin_q": "GPArotation::geominQ(r, maxit = 10000)",
        }
        for name, code in rotations.items():
            compare(
                f"{name}, {N_ITEMS} items, {N_FACTORS} factors",
                lambda name=name: seconds(lambda: rotate(unrotated, name)),
                "GPArotation",
                lambda code=code: in_r(_READ + "x <- " + code, loadings),
                runs,
            )
        compare(
            f"oblimin, {N_ITEMS} items, {N_FACTORS} factors",
            lambda: seconds(lambda: rotate(unrotated, "oblimin")),
            "factor_analyzer.Rotator",
            lambda: seconds(lambda: factor_analyzer_oblimin(unrotated)),
            runs,
        )


def planted(rng: np.random.Generator) -> np.ndarray:
    """Return correlations of people simulated from a simple structure with some noise in it."""
    per_factor = N_ITEMS // N_FACTORS
    loadings = np.kron(np.eye(N_FACTORS), np.ones((per_factor, 1)))
    loadings *= rng.uniform(0.3, 0.8, (N_ITEMS, 1))
    loadings += rng.normal(0, 0.08, loadings.shape)
    unique = np.sqrt(np.maximum(0.2, 1 - (loadings**2).sum(axis=1)))
    people = rng.standard_normal((N_PEOPLE, N_FACTORS)) @ loadings.T
    people += rng.standard_normal(people.shape) * unique
    return np.corrcoef(people.T)


def factor_analyzer_fit(corr: np.ndarray, method: str) -> None:
    """Extract as factor_analyzer does."""
    analyzer = FactorAnalyzer(N_FACTORS, rotation=None, method=method, is_corr_matrix=True)
    mended = mock.patch.object(
        factor_analyzer.factor_analyzer, "check_array", check_array_as_it_was
    )
    with warnings.catch_warnings(), mended:
        warnings.simplefilter("ignore")
        analyzer.fit(corr)


def check_array_as_it_was(x: np.ndarray, *, force_all_finite: bool | str = True, **rest: object):
    """Take the argument that scikit-learn 1.8 renamed."""
    return check_array(x, ensure_all_finite=force_all_finite, **rest)


def factor_analyzer_oblimin(unrotated: np.ndarray) -> None:
    """Rotate as factor_analyzer does, with the steps it needs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Rotator(method="oblimin", normalize=False, max_iter=5000).fit_transform(unrotated)


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # for R
    print("one BLAS thread on both sides")
    with threadpool_limits(1):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
