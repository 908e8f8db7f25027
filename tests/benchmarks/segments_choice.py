"""Simulate the verdict and the number of segments, and time the panel; run on demand.

    python tests/benchmarks/segments_choice.py [studies a cell] [first seed]

First, single clouds: how often they are called more than one cloud (at .05) and how often a
division of them comes back. Second, planted segments: how often that is found out, and how often
the number is right by the recommendation, by the highest silhouette among the divisions that are
large enough and come back (the rule of the first release), by the highest silhouette alone and by
the majority of the indices. Last, seconds for the whole panel at 10,000 x 8.

Planted: 2 to 8 normal clusters of unequal size (Dirichlet, 7% at least), standard deviations .8 to
1.2, the closest two centres 3 (weak: 13% overlap), 4 (medium: 5%) or 5 (strong: 1%) standard
deviations apart; every other study with clusters of their own covariance (axes up to 3 to 1).
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from psychoseg.stats.arrays import Collapsed, canonical_order, collapse
from psychoseg.stats.choice import ALPHA, majority, recommend, votes
from psychoseg.stats.gap import gap_statistic, prediction_strength
from psychoseg.stats.indices import nested_cuts, tree_indices
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.null_cloud import node_tests, null_test, ward_of_people
from psychoseg.stats.stability import bootstrap
from psychoseg.stats.verdict import EACH_JACCARD, MEAN_JACCARD, verdict

N, D, K_MAX = 500, 6, 12
#: The limit of the study file.
MIN_SHARE = 0.05


def main(studies: int, seed: int) -> None:
    """Print the figures."""
    print("single cloud            natural  some division comes back  constructed")
    for name, draw in CLOUDS.items():
        found = [study(draw(rng_of(seed, 0, s)), rng_of(seed, 1, s)) for s in range(studies)]
        natural = np.mean([f["p"] <= ALPHA for f in found])
        back = np.mean([f["back"] for f in found])
        neither = np.mean([f["p"] > ALPHA and not f["today_back"] for f in found])
        print(f"{name:24s}{natural:7.2f}{back:26.2f}{neither:13.2f}", flush=True)
    print("\nplanted  natural  comes back   k right: recommended  today  silhouette  majority")
    for apart in (3, 4, 5):
        right: dict[str, list[bool]] = defaultdict(list)
        for k in range(2, 9):
            for s in range(studies):
                x = planted(rng_of(seed, apart, k, s), k, apart, round_ones=bool(s % 2))
                f = study(x, rng_of(seed, 9, apart, k, s))
                right["natural"].append(f["p"] <= ALPHA)
                right["stable"].append(f["recommended_back"])
                for rule in ("recommended", "today", "silhouette", "majority"):
                    right[rule].append(f[rule] == k)
                    if k in (4, 5, 6, 7):
                        right[rule + " 4-7"].append(f[rule] == k)
        print(apart, {rule: round(float(np.mean(v)), 2) for rule, v in right.items()}, flush=True)
    panel()


@dataclass(frozen=True, slots=True)
class Study:
    """What psychoseg says of one data set."""

    points: Collapsed
    cuts: np.ndarray
    p_value: float
    recommended: int
    verdict: str
    silhouette: int
    majority: int
    #: Excess of each division, for looking into the rule.
    excess: np.ndarray


def study(x: np.ndarray, rng: np.random.Generator, *, replicates: int = 99) -> Study:
    """Return what psychoseg says of standardised columns."""
    points = collapse(x, np.ones(len(x)))
    x, w, counts = points.x, points.weights, points.counts.astype(float)
    tree = ward_of_people(x, w) if len(x) == counts.sum() else ward_linkage(x, w)
    cuts = nested_cuts(tree, K_MAX)
    found = tree_indices(x, w, tree, k_max=K_MAX)
    test = null_test(x, w, counts, rng=rng, replicates=replicates)
    nodes = node_tests(x, w, counts, cuts, rng=rng)
    jaccards = bootstrap(x, w, counts, cuts[:, 1:], rng=rng, replicates=30).jaccard
    mean = np.array([np.bincount(cuts[:, j + 1], w) @ v / w.sum() for j, v in enumerate(jaccards)])
    least = np.array([v.min() for v in jaccards])
    back = np.append(False, (mean >= MEAN_JACCARD) & (least >= EACH_JACCARD))
    large = found.smallest_share >= MIN_SHARE
    widths = np.where(large, np.nan_to_num(found.silhouette, nan=-1.0), -2.0)
    widths[0] = -2.0
    chosen = recommend(found, test, nodes, eligible=large & back)
    # What a study shows: the division itself, or the useful cut of one cloud.
    shown = chosen.k if chosen.k > 1 else chosen.runner_up or int(widths.argmax()) + 1
    return Study(
        points=points,
        cuts=cuts,
        p_value=test.p_value,
        recommended=chosen.k,
        verdict=verdict(
            test,
            supported=chosen.score[shown - 1] > 0,
            large=bool(large[shown - 1]),
            jaccard_mean=mean[shown - 2],
            jaccard_min=least[shown - 2],
        ),
        silhouette=int(widths.argmax()) + 1,
        majority=majority(votes(found)) or 1,
        excess=nodes.excess,
    )


def standardised(x: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 and standard deviation 1."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def planted(
    rng: np.random.Generator,
    k: int,
    apart: float,
    *,
    n: int = N,
    d: int = D,
    round_ones: bool = True,
    concentration: float = 4.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw people from k clusters; return their columns and their clusters."""
    centre = rng.standard_normal((k, d))
    gaps = np.linalg.norm(centre[:, None] - centre, axis=2)[np.triu_indices(k, 1)]
    while gaps.min() < 0.55 * np.median(gaps):
        centre = rng.standard_normal((k, d))
        gaps = np.linalg.norm(centre[:, None] - centre, axis=2)[np.triu_indices(k, 1)]
    centre *= apart / gaps.min()
    share = np.maximum(rng.dirichlet(np.full(k, concentration)), 0.07)
    label = rng.choice(k, n, p=share / share.sum())
    x = rng.standard_normal((n, d)) * rng.uniform(0.8, 1.2, k)[label][:, None]
    if not round_ones:
        for g in range(k):
            axes = np.linalg.qr(rng.standard_normal((d, d)))[0]
            size = np.exp(rng.uniform(-0.55, 0.55, d))
            x[label == g] = (x[label == g] * size / np.sqrt((size**2).mean())) @ axes
    return x + centre[label], label


def long_cloud(rng: np.random.Generator) -> np.ndarray:
    """Draw people along one factor that carries 60% of each column."""
    x = np.sqrt(0.4) * rng.standard_normal((N, D))
    return x + np.sqrt(0.6) * rng.standard_normal((N, 1))


def answers(x: np.ndarray) -> np.ndarray:
    """Turn columns into answers of five points."""
    return np.digitize(x / x.std(axis=0), [-1.4, -0.5, 0.5, 1.4]).astype(float)


def rng_of(*seed: int) -> np.random.Generator:
    """Return a study's own stream."""
    return np.random.default_rng(list(seed))


CLOUDS = {
    "round": lambda rng: rng.standard_normal((N, D)),
    "long": long_cloud,
    "round, five points": lambda rng: answers(rng.standard_normal((N, D))),
    "long, five points": lambda rng: answers(long_cloud(rng)),
    "heavy tails (t, 5 df)": lambda rng: (
        rng.standard_normal((N, D)) / np.sqrt(rng.chisquare(5, (N, 1)) / 5)
    ),
    "long and skewed": lambda rng: np.exp(0.5 * long_cloud(rng)),
}


def panel() -> None:
    """Time each part of the panel."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((10_000, 8))
    x = x[canonical_order(x)]
    ones = np.ones(len(x))
    tree = ward_of_people(x, ones)
    cuts = nested_cuts(tree, 15)
    parts = {
        "indices": lambda: tree_indices(x, ones, tree),
        "gap, 50 sets": lambda: gap_statistic(x, ones, ones, rng=rng),
        "prediction strength, 20 halvings": lambda: prediction_strength(x, ones, ones, rng=rng),
        "single cloud, 99 draws": lambda: null_test(x, ones, ones, rng=rng),
        "clusters of the tree, 14 x 49 draws": lambda: node_tests(x, ones, ones, cuts, rng=rng),
    }
    for name, run in parts.items():
        start = time.perf_counter()
        run()
        print(f"{name:40s}{time.perf_counter() - start:6.1f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
