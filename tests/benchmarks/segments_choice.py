"""Simulate the test, the verdict and the number of segments, and time the panel; run on demand.

    python tests/benchmarks/segments_choice.py clouds [runs]     single clouds called natural
    python tests/benchmarks/segments_choice.py planted [runs]    planted segments called natural
    python tests/benchmarks/segments_choice.py verdicts [runs]   verdicts on single clouds
    python tests/benchmarks/segments_choice.py number [runs]     k right, by rule and distance
    python tests/benchmarks/segments_choice.py panel [people]    seconds, and against factoextra

Clouds and planted segments: 500 people and 6 columns where nothing else is said, the null test with
39 clouds, whose level .05 is exact. Medium separation is 4 standard deviations between the closest
two centres (two spheres overlap by 5%), weak 3 (13%), strong 5 (1%). Planted: 2 to 8 normal
clusters of unequal size (Dirichlet, 7% at least), standard deviations .8 to 1.2, or of their own
covariance (axes up to 3 to 1). The panel is timed on two processes as the package runs it; R's
factoextra::fviz_nbclust(hcut) beside it, where R has factoextra.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from psychoseg.stats.arrays import Collapsed, canonical_order, collapse
from psychoseg.stats.choice import majority, recommend, votes
from psychoseg.stats.gap import gap_statistic, prediction_strength
from psychoseg.stats.indices import nested_cuts, tree_indices
from psychoseg.stats.linkage import ward_linkage
from psychoseg.stats.null_cloud import node_tests, null_test, ward_of_people
from psychoseg.stats.stability import bootstrap
from psychoseg.stats.verdict import EACH_JACCARD, MEAN_JACCARD, verdict
from psychoseg.workers import parallel_map

Draw = Callable[[np.random.Generator], np.ndarray]

N, D, K_MAX = 500, 6, 12
#: The limit of the study file.
MIN_SHARE = 0.05


def clouds(runs: int) -> None:
    """Print how often each single cloud is found to have gaps."""
    print(f"single cloud, {runs} runs            p <= .05  p <= .025")
    for name, draw in CLOUDS.items():
        print(f"{name:36s}{shares(draw, runs)}", flush=True)


def planted_clusters(runs: int) -> None:
    """Print how often planted clusters are found to have gaps."""
    print(f"planted, {runs} runs                 p <= .05  p <= .025")
    for name, draw in PLANTED.items():
        print(f"{name:36s}{shares(draw, runs)}", flush=True)


def shares(draw: Draw, runs: int) -> str:
    """Return how often the p-value is low, formatted."""
    p = []
    for i in range(runs):
        x = draw(rng_of(2026, i))
        points = collapse(x if draw is partly_nominal else standardised(x), np.ones(len(x)))
        test = null_test(
            points.x,
            points.weights,
            points.weights,
            rng=rng_of(8, i),
            replicates=39,
            coordinates=indicators if draw is partly_nominal else None,
            nominal=np.arange(6) >= 4 if draw is partly_nominal else None,
        )
        p.append(test.p_value)
    return f"{np.mean(np.array(p) <= 0.05):8.2f}{np.mean(np.array(p) <= 0.025):10.2f}"


def verdicts(runs: int) -> None:
    """Print the verdicts on single clouds."""
    print("single cloud                    natural  reproducible  constructed")
    for name in ("round", "round, 2 columns", "round, five points", "long", "very long"):
        draw = CLOUDS[name]
        said = [study(standardised(draw(rng_of(78, i))), rng_of(9, i), replicates=39).verdict
                for i in range(runs)]  # fmt: skip
        kinds = [said.count(kind) / runs for kind in ("natural", "reproducible", "constructed")]
        print(f"{name:30s}{kinds[0]:9.2f}{kinds[1]:14.2f}{kinds[2]:13.2f}", flush=True)


def number(runs: int) -> None:
    """Print how often each rule has the right number, for 2 to 8 planted clusters."""
    for apart in (3, 4, 5):
        right: dict[str, list[bool]] = defaultdict(list)
        for k in range(2, 9):
            for s in range(runs):
                x = planted(rng_of(1, apart, k, s), k, apart, round_ones=bool(s % 2))[0]
                found = study(standardised(x), rng_of(1, 9, apart, k, s), replicates=39)
                right["natural"].append(found.verdict == "natural")
                for rule in ("recommended", "silhouette", "majority"):
                    right[rule].append(getattr(found, rule) == k)
        print(apart, {rule: round(float(np.mean(v)), 2) for rule, v in right.items()}, flush=True)


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


def long_cloud(rng: np.random.Generator, share: float = 0.6) -> np.ndarray:
    """Draw people along one factor that carries this share of each column."""
    x = np.sqrt(1 - share) * rng.standard_normal((N, D))
    return x + np.sqrt(share) * rng.standard_normal((N, 1))


def two(rng: np.random.Generator, n: int, d: int, apart: float, share: float = 0.5) -> np.ndarray:
    """Draw people from two spheres, this far apart in a direction at random."""
    way = rng.standard_normal(d)
    second = rng.random(n) < share
    return rng.standard_normal((n, d)) + np.outer(second, apart * way / np.linalg.norm(way))


def answers(x: np.ndarray, at: tuple[float, ...] = (-1.4, -0.5, 0.5, 1.4)) -> np.ndarray:
    """Turn columns into answers of five points."""
    return np.digitize(x / x.std(axis=0), at).astype(float)


def bent(rng: np.random.Generator) -> np.ndarray:
    """Draw a cloud bent like a banana."""
    x = rng.standard_normal((N, 4))
    x[:, 1] = 0.6 * x[:, 1] + 0.7 * (x[:, 0] ** 2 - 1)
    return x


def yes_no(rng: np.random.Generator) -> np.ndarray:
    """Draw 11 yes/no items along one factor."""
    x = np.sqrt(0.4) * rng.standard_normal((N, 11)) + np.sqrt(0.6) * rng.standard_normal((N, 1))
    return (x > rng.uniform(-1, 1, 11)).astype(float)


def on_one_column(rng: np.random.Generator) -> np.ndarray:
    """Draw two spheres that are apart in the first of four columns alone."""
    rng.standard_normal(4)
    second = rng.random(N) < 0.5
    return rng.standard_normal((N, 4)) + np.outer(second, [4.0, 0, 0, 0])


def partly_nominal(rng: np.random.Generator) -> np.ndarray:
    """Draw four numbers and two nominal columns along one factor."""
    x = long_cloud(rng)
    x[:, 4], x[:, 5] = np.digitize(x[:, 4], [-0.5, 0.5]), np.digitize(x[:, 5], [-0.7, 0, 0.7])
    return x


def indicators(columns: np.ndarray) -> np.ndarray:
    """Return the coordinates of :func:`partly_nominal`."""
    three = (columns[:, [4]] == np.arange(3)) * 0.7
    four = (columns[:, [5]] == np.arange(4)) * 0.7
    return np.column_stack([columns[:, :4], three, four])


def rng_of(*seed: int) -> np.random.Generator:
    """Return a study's own stream."""
    return np.random.default_rng(list(seed))


CLOUDS: dict[str, Draw] = {
    "round": lambda rng: rng.standard_normal((N, D)),
    "long": long_cloud,
    "long, five points": lambda rng: answers(long_cloud(rng)),
    "round, five points": lambda rng: answers(rng.standard_normal((N, D))),
    "round, 2 columns": lambda rng: rng.standard_normal((N, 2)),
    "bent": bent,
    "long, five points with a ceiling": lambda rng: answers(long_cloud(rng), (-2.2, -1.6, -0.9, 0)),
    "11 yes/no items": yes_no,
    "cube": lambda rng: rng.uniform(size=(N, D)),
    "long and skewed": lambda rng: np.exp(0.5 * long_cloud(rng)),
    "numbers and two nominal columns": partly_nominal,
    "very long": lambda rng: long_cloud(rng, 0.8),
    "heavy tails (t, 5 df)": lambda rng: (
        rng.standard_normal((N, D)) / np.sqrt(rng.chisquare(5, (N, 1)) / 5)
    ),
    "round, 15 columns": lambda rng: rng.standard_normal((N, 15)),
}

PLANTED: dict[str, Draw] = {
    "2, medium": lambda rng: two(rng, N, D, 4),
    "2, medium, five points": lambda rng: answers(two(rng, N, D, 4)),
    "2, medium, 200 people": lambda rng: two(rng, 200, D, 4),
    "2, medium, 15% and 85%": lambda rng: two(rng, N, D, 4, 0.15),
    "2, medium, along one column": on_one_column,
    "2, medium, own covariances": lambda rng: planted(rng, 2, 4, round_ones=False)[0],
    "3, medium, 10 columns": lambda rng: planted(rng, 3, 4, d=10)[0],
    "4, medium, five points": lambda rng: answers(planted(rng, 4, 4)[0]),
    "2, medium, 300 people, 15 columns": lambda rng: two(rng, 300, 15, 4),
    "8, medium": lambda rng: planted(rng, 8, 4)[0],
    "2, medium, 2 columns": lambda rng: two(rng, N, 2, 4),
    "2, weak": lambda rng: two(rng, N, D, 3),
}


def panel(people: int) -> None:
    """Time each part of the panel, and factoextra where R has it."""
    x = rng_of(1).standard_normal((people, 8))
    x = x[canonical_order(x)]
    ones = np.ones(len(x))
    mapper = partial(parallel_map, workers=2)
    parts: dict[str, Callable[[], object]] = {
        "tree and indices": lambda: tree_indices(x, ones, ward_linkage(x, ones)),
        "gap, 50 sets": lambda: gap_statistic(x, ones, ones, rng=rng_of(1), mapper=mapper),
        "prediction strength, 20 halvings": lambda: prediction_strength(
            x, ones, ones, rng=rng_of(1), mapper=mapper
        ),
        "single cloud, 99 draws": lambda: null_test(x, ones, ones, rng=rng_of(1), mapper=mapper),
        "clusters of the tree, 14 x 49 draws": lambda: node_tests(
            x, ones, ones, nested_cuts(ward_linkage(x, ones), 15), rng=rng_of(1), mapper=mapper
        ),
    }
    spent = {name: seconds(run) for name, run in parts.items()}
    for name, s in {**spent, "all": sum(spent.values())}.items():
        print(f"{name:40s}{s:7.1f} s", flush=True)
    if shutil.which("Rscript") is None:
        return
    for n, method, more in ((1000, "gap_stat", ", nboot = 50"), (2500, "silhouette", "")):
        y = rng_of(2).standard_normal((n, 8))
        y, once = y[canonical_order(y)], np.ones(n)
        code = (
            f"set.seed(1); x <- matrix(rnorm({n} * 8), {n}); s <- proc.time()[[3]]; "
            f"invisible(factoextra::fviz_nbclust(x, factoextra::hcut, '{method}'{more}, "
            "verbose = FALSE)); cat(proc.time()[[3]] - s)"
        )
        answer = subprocess.run(
            ["Rscript", "--vanilla", "-e", code], capture_output=True, text=True, check=True
        )
        theirs = float(answer.stdout.split()[-1])
        if method == "gap_stat":
            ours = seconds(lambda y=y, o=once: gap_statistic(y, o, o, rng=rng_of(1), k_max=10))
        else:
            ours = seconds(lambda y=y, o=once: tree_indices(y, o, ward_of_people(y, o), k_max=10))
        print(f"{method} at {n} x 8: factoextra {theirs:.1f} s, here on one core {ours:.2f} s, "
              f"{theirs / ours:.0f} times faster", flush=True)  # fmt: skip


def seconds(run: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


TABLES: dict[str, tuple[Callable[[int], None], int]] = {
    "clouds": (clouds, 100),
    "planted": (planted_clusters, 60),
    "verdicts": (verdicts, 40),
    "number": (number, 3),
    "panel": (panel, 10_000),
}

if __name__ == "__main__":
    for table in sys.argv[1:2] or TABLES:
        show, usual = TABLES[table]
        show(int(sys.argv[2]) if len(sys.argv) > 2 else usual)
