"""Segments made up for the tests of the plots and the report: every field, plausible numbers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

from psychoseg.segments import Segments
from psychoseg.survey.table import Survey

#: Columns of the choice that a run without audits or resamples leaves empty.
_MEASURED = ("jaccard_mean", "jaccard_min", "gap", "gap_se", "prediction_strength", "association")


def make_segments(
    x: npt.NDArray[np.float64],
    features: list[str],
    labels_of: list[str],
    survey: Survey,
    *,
    k: int,
    verdict: str,
    one_component: bool,
    unassigned: bool,
    bare: bool,
) -> Segments:
    """Cut scipy's Ward tree of the scores and make up everything else."""
    x = (x - x.mean(0)) / x.std(0)
    n, w = len(x), survey.weights
    rng = np.random.default_rng(3)
    tree = linkage(x, "ward")
    cuts = {c: _by_size(fcluster(tree, c, "maxclust"), w) for c in range(1, 16)}
    labels = cuts[k]
    u, d, vt = np.linalg.svd(x, full_matrices=False)
    dims = 1 if one_component else 3
    comp = (u * d)[:, :dims]
    share = np.array([w[labels == s].sum() / w.sum() for s in range(1, k + 1)])
    half = 1.96 * np.sqrt(share * (1 - share) / n)
    jaccard = np.linspace(0.9, 0.55 if verdict == "constructed" else 0.72, k)
    bands = ["highly stable" if j >= 0.85 else "valid" if j >= 0.75 else "a pattern"
             if j >= 0.6 else "not to be trusted" for j in jaccard]  # fmt: skip
    certainty = np.clip(rng.beta(6, 1.3, n), 0, 1)
    table = pd.DataFrame(
        {"segment": np.arange(1, k + 1), "n": [int((labels == s).sum()) for s in range(1, k + 1)],
         "weighted": share * w.sum(), "share": share, "share_low": share - half,
         "share_high": share + half, "jaccard": jaccard, "band": bands, "slsw": jaccard - 0.04,
         "certainty": [certainty[labels == s].mean() for s in range(1, k + 1)],
         "border_share": [(certainty[labels == s] < 0.5).mean() for s in range(1, k + 1)],
         "silhouette": 0.21}
    )  # fmt: skip
    slsw = pd.DataFrame(
        [(s, r, v) for s in range(1, k + 1)
         for r, v in enumerate(np.clip(rng.normal(jaccard[s - 1] - 0.04, 0.07, 50), 0, 1))],
        columns=["segment", "resample", "value"],
    )  # fmt: skip
    choice, stability, audit, methods, tandem = (
        _choice(k, n), _stability(cuts, w), _audit(n), _methods(k), _tandem(k, n)
    )  # fmt: skip
    null = pd.DataFrame([(0.31 if verdict != "natural" else 0.0101, 0.6, 3, n, False, 99)],
                        columns=["p_value", "excess", "best_k", "n_people", "sampled",
                                 "replicates"])  # fmt: skip
    votes = _votes(k)
    if unassigned:
        table.loc[k - 1, ["jaccard", "slsw", "certainty", "border_share"]] = np.nan
        table.loc[k - 1, "band"] = ""
        slsw = slsw[slsw["segment"] < k].reset_index(drop=True)
    if bare:
        choice[list(_MEASURED)] = np.nan
        table[["jaccard", "slsw", "certainty", "border_share"]] = np.nan
        table["band"] = ""
        null[["p_value", "excess"]] = np.nan
        certainty[:] = np.nan
        slsw, stability, audit, methods, tandem, votes = (
            f.iloc[:0] for f in (slsw, stability, audit, methods, tandem, votes)
        )
    blocks = pd.DataFrame([("scales", 1.0, len(features) - 1, 0.83, 0.8, 0.41),
                           ("demographics", 1.0, 1, 0.17, 0.2, 0.26)],
                          columns=["block", "weight", "features", "between", "total",
                                   "eta_squared"])  # fmt: skip
    axes = [f"comp_{j + 1}" for j in range(dims)]
    zero = np.zeros(n)
    return Segments(
        labels=pd.Series(labels), k=k, unassigned=k if unassigned else 0,
        table=table, choice=choice,
        votes=votes, recommended_k=1 if verdict == "reproducible" else k,
        runner_up=k if verdict == "reproducible" else max(k - 1, 2) if k > 2 else 0,
        k_reason="The answers are no more clustered than one cloud of people with the same "
                 "correlations would be (p = 0.31): there are no gaps between groups to be found.",
        runner_up_reason=f"Where segments are wanted all the same, {k} divide the continuum into "
                         "groups that come back.",
        verdict=verdict,
        reason={"natural": "There are gaps between groups that one cloud does not have.",
                "reproducible": "The segments come back in 50 bootstrap samples: Jaccard 0.81.",
                "constructed": "No stable segments: at every number of segments at least one "
                               "dissolves when the survey is drawn again."}[verdict],
        k_rule="The eligible number of segments with the most evidence for it.",
        null=null, stability=stability, slsw=slsw, flow=_flow(cuts, w), blocks=blocks, audit=audit,
        methods=methods, tandem=tandem, consensus=pd.DataFrame(),
        resamples=100, neighbours=_neighbours() if unassigned else _neighbours().iloc[:0],
        tree=tree, leaf_of=np.arange(n),
        points=pd.DataFrame({"point": np.arange(n), "weight": w, "n": 1, "segment": labels}
                            | {a: comp[:, j] for j, a in enumerate(axes)}
                            | {"map_1": comp[:, 0], "map_2": zero if dims == 1 else comp[:, 1]}),
        point_of=np.arange(n),
        features=pd.DataFrame({"feature": features, "label": labels_of, "kind": "scale",
                               "block": "scales", "mean": 0.0, "sd": 1.0}),
        eigenvalues=pd.DataFrame({"component": np.arange(1, len(d) + 1), "eigenvalue": d**2 / n,
                                  "share": d**2 / (d**2).sum(),
                                  "cumulative": np.cumsum(d**2) / (d**2).sum(),
                                  "retained": np.arange(len(d)) < dims}),
        components=pd.DataFrame((vt.T * d / np.sqrt(n))[:, :dims], index=features, columns=axes),
        contributions=_contributions(features, labels_of, (vt.T * d / np.sqrt(n))[:, :dims], d, n),
        supplementary=_supplementary(survey, axes),
        components_rule="The fewest components that carry 80% of the variance.",
        map_note="the first two components, 32% and 23% of the variance",
        silhouette=pd.Series(np.full(n, 0.2)), certainty=pd.Series(certainty),
        excluded=survey.ledger[survey.ledger["stage"] == "segments"],
        tied_merges=37, n_identical=12, n_moved=0, approximate="",
        method="Ward (python: psychoseg)",
    )  # fmt: skip


def _by_size(raw: npt.NDArray[np.int32], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Return labels from 1 by descending weight."""
    order = sorted(set(raw), key=lambda s: -weights[raw == s].sum())
    return np.array([order.index(s) + 1 for s in raw])


def _choice(k: int, n: int) -> pd.DataFrame:
    ks = np.arange(1, 16)
    away = abs(ks - k)
    later = ks > 1
    out = pd.DataFrame(
        {"k": ks, "silhouette": 0.25 - 0.015 * away, "jaccard_mean": 0.85 - 0.03 * away,
         "jaccard_min": 0.75 - 0.04 * away, "smallest_share": 0.9 / ks**1.3,
         "smallest_n": (0.9 / ks**1.3 * n).astype(int), "eligible": (away < 2) & later,
         "chosen": ks == k,
         "why": ["stable and large enough" if c < 2 else "a segment dissolves in the bootstrap"
                 for c in away],
         "within": 3600 / ks**0.7, "calinski_harabasz": 180 - 6.0 * away,
         "davies_bouldin": 1.4 + 0.05 * away, "dunn": 0.08 - 0.002 * away,
         "hartigan": 60 / ks, "duda_hart": 0.7 + 0.01 * ks, "duda_hart_critical": 0.78,
         "height": 30 / ks, "height_jump": 1 + 1 / ks, "gap": 0.3 + 0.05 * ks - 0.02 * away,
         "gap_se": 0.012, "prediction_strength": np.clip(1.06 - 0.06 * ks, 0, 1),
         "association": 0.12 - 0.004 * away, "bic": np.nan, "icl": np.nan,
         "division_p": np.clip(0.01 * 1.6**ks, 0, 1),
         "score": 2.0 - 0.4 * away}
    )  # fmt: skip
    undefined = ["silhouette", "jaccard_mean", "jaccard_min", "calinski_harabasz",
                 "davies_bouldin", "dunn", "association", "division_p", "height",
                 "height_jump"]  # fmt: skip
    out.loc[0, undefined] = np.nan
    return out


def _neighbours() -> pd.DataFrame:
    share = np.linspace(0.01, 1, 100)
    return pd.DataFrame({"share": share, "distance": 0.4 + 0.3 * share + 1.5 * share**12,
                         "eps": 0.75})  # fmt: skip


def _votes(k: int) -> pd.DataFrame:
    return pd.DataFrame(
        [("elbow of the within sum of squares", 5, np.nan,
          "farthest below the line from the first to the last"),
         ("silhouette", k, 0.25, "highest"), ("Calinski-Harabasz", k, 180.0, "highest"),
         ("Davies-Bouldin", k, 1.4, "lowest"), ("Dunn", 2, 0.08, "highest"),
         ("height jump", 2, 1.5, "highest"), ("Hartigan", 6, 10.0, "first at or below 10"),
         ("Duda-Hart", 0, np.nan, "first at or above its critical value"),
         ("gap", 1, 0.33, "first within one se of the next"),
         ("prediction strength", 4, 0.82, "largest k of at least 0.8"),
         ("bootstrap stability", k, 0.85, "most stable"),
         ("association with profile columns", k, 0.12, "highest")],
        columns=["rule", "k", "statistic", "meaning"],
    )  # fmt: skip


def _stability(cuts: dict[int, npt.NDArray[np.intp]], w: npt.NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for k, labels in list(cuts.items())[1:]:
        for s in range(1, k + 1):
            value = 0.95 - 0.03 * s - 0.01 * k
            share = w[labels == s].sum() / w.sum()
            back = 1.0 if k > 2 else np.nan
            on = 1.0 - 0.7 * (s - 1) / (k - 1) if k < 15 else np.nan
            rows.append((k, s, share, value, value - 0.2, back, on))
    columns = ["k", "segment", "share", "jaccard", "jaccard_low", "slsa", "slsa_next"]
    return pd.DataFrame(rows, columns=columns)


def _flow(cuts: dict[int, npt.NDArray[np.intp]], w: npt.NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for (k, here), (_, there) in pairwise(list(cuts.items())[1:]):
        for s in range(1, k + 1):
            for t in range(1, k + 2):
                both = (here == s) & (there == t)
                if both.any():
                    rows.append((k, s, t, w[both].sum(), int(both.sum())))
    return pd.DataFrame(rows, columns=["k", "segment", "next_segment", "weight", "n"])


def _audit(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        [("row order", "textbook Ward, any two shuffles", 0.4123456, 0.2212, 0.5891, n),
         ("row order", "psychoseg, any two shuffles", 1.0, 1.0, 1.0, n),
         ("ties", "tied merges", 37.0, np.nan, np.nan, n - 1),
         ("measurement error", "adjusted Rand index", 0.61234, 0.5512, 0.69, n),
         ("measurement error", "share that keeps its segment", 0.78123, 0.7512, 0.8, n),
         ("border", "share on a border", 0.1234, np.nan, np.nan, n)],
        columns=["audit", "what", "value", "low", "high", "base"],
    )  # fmt: skip


def _methods(k: int) -> pd.DataFrame:
    return pd.DataFrame(
        [("k-means", k, 0.6123456, 0.26, np.nan, np.nan, ""),
         ("Gaussian mixture", k, 0.4987654, 0.19, 12345.678, 12399.1, ""),
         ("latent class analysis", k, np.nan, np.nan, np.nan, np.nan,
          "")],
        columns=["method", "k", "adjusted_rand", "silhouette", "bic", "icl", "note"],
    )  # fmt: skip


def _tandem(k: int, n: int) -> pd.DataFrame:
    return pd.DataFrame(
        [("segments", "scales", k, 0.9512345, n), ("segments", "components", k, 1.0, n),
         ("segments", "items", k, 0.5212345, n), ("scales", "components", k, 0.8512345, n),
         ("scales", "items", k, 0.5312345, n), ("components", "items", k, 0.4912345, n)],
        columns=["a", "b", "k", "adjusted_rand", "base"],
    )  # fmt: skip


def _contributions(
    features: list[str],
    labels: list[str],
    r: npt.NDArray[np.float64],
    d: npt.NDArray[np.float64],
    n: int,
) -> pd.DataFrame:
    m = r.shape[1]
    return pd.DataFrame(
        {"feature": np.repeat(features, m), "label": np.repeat(labels, m),
         "component": np.tile(np.arange(1, m + 1), len(features)), "coordinate": r.ravel(),
         "contribution": (r**2 / (d[:m] ** 2 / n)).ravel(), "cos2": (r**2).ravel(),
         "eta_squared": (r**2).ravel()}
    )  # fmt: skip


def _supplementary(survey: Survey, axes: list[str]) -> pd.DataFrame:
    rows = []
    for name in ("spend", "gender", "city"):
        book = survey.codebook[name]
        rows += [(name, book.label, c, *(0.345678 - 0.2 * j for j in range(len(axes))))
                 for c in book.categories or ("",)]  # fmt: skip
    return pd.DataFrame(rows, columns=["column", "label", "category", *axes])
