"""Time parallel analysis against psych::fa.parallel, and simulate the rules; run on demand.

    python tests/benchmarks/measurement_dimension.py [runs] [studies]

Prints the median ratio of ``psych::fa.parallel`` (timed inside R, its start-up left out, two cores)
to parallel analysis here at the same number of replicates, measured in turn: both simulate and
resample. Then, for that many simulated studies, how often each rule and the recommendation are
right. The studies: 5 to 12 factors, 3 to 8 items each, loadings .5 to .8, 300 to 1500 people, five
skewed points, 5% missing, polychoric correlations; correlations between factors 0 to .4, once the
same for all pairs of a study and once drawn pair by pair (until they are positive definite, which
with 10 and more factors leaves some nearly dependent on the others).
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from psychoseg.stats.correlation import pearson, polychoric
from psychoseg.stats.dimension import how_many_factors, parallel_analysis

ROOT = Path(__file__).resolve().parents[2]


def main(runs: int, studies: int) -> None:
    """Print the figures."""
    rng = np.random.default_rng(1)
    wide = rng.standard_normal((10_000, 1)) + rng.standard_normal((10_000, 100))
    codes = np.clip(np.round(wide + 3), 1, 5)
    frame = np.genfromtxt(ROOT / "surveys" / "big_five" / "data.csv", delimiter=",", names=True)
    bfi = np.column_stack([frame[f"{letter}{i}"] for letter in "ACENO" for i in range(1, 6)])
    # psych simulates and resamples in one call; so both are timed here too.
    compare("pearson, 100 items x 10,000, 20 replicates", codes, "pearson", 20, "cor", runs)
    compare("pearson, bfi, 20 replicates", bfi, "pearson", 20, "cor", runs)
    compare("polychoric, bfi, 10 replicates", bfi, "polychoric", 10, "poly", 1)
    for per_pair in (False, True):
        simulate(studies, per_pair=per_pair)


def compare(
    what: str, items: np.ndarray, kind: str, replicates: int, r_kind: str, runs: int
) -> None:
    """Measure in turn and print medians and the median ratio."""
    code = (
        f"invisible(psych::fa.parallel(x, n.iter = {replicates}, cor = '{r_kind}', plot = FALSE))"
    )

    def both() -> None:
        ones = np.ones(len(items))
        corr = pearson(items, ones) if kind == "pearson" else polychoric(items, ones)
        for null in ("simulated", "permuted"):
            parallel_analysis(
                corr,
                len(items),
                rng=np.random.default_rng(1),
                replicates=replicates,
                items=items,
                correlation=kind,
                null=null,
            )

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        np.savetxt(file, items, delimiter=",", fmt="%g")
        pairs = [(seconds(both), in_r(code, file)) for _ in range(runs)]
    ratio = statistics.median(b / a for a, b in pairs)
    ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{what}: psychoseg {ours:.2f} s, psych::fa.parallel {theirs:.2f} s, ratio {ratio:.0f}")


def simulate(studies: int, *, per_pair: bool) -> None:
    """Print how often each rule is right, too low and too high."""
    says: dict[str, list[int]] = {}
    for seed in range(studies):
        items, true = study(60_000 + seed, per_pair=per_pair)
        found = how_many_factors(
            polychoric(items, np.ones(len(items))),
            len(items),
            rng=np.random.default_rng(seed),
            items=items,
            correlation="polychoric",
        )
        for row in found.table:
            suggested = -1 if row.suggested is None else row.suggested
            says.setdefault(row.criterion, []).append(np.sign(suggested - true))
        says.setdefault("recommendation", []).append(np.sign(found.n_factors - true))
    print(f"{studies} studies, factor correlations {'by pair' if per_pair else 'one a study'}")
    for rule, signs in says.items():
        share = [np.mean(np.array(signs) == s) for s in (0, -1, 1)]
        print(f"  {rule:40s} right {share[0]:.3f}  too few {share[1]:.3f}  too many {share[2]:.3f}")


def study(seed: int, *, per_pair: bool) -> tuple[np.ndarray, int]:
    """Return the answers of a simulated study and its number of factors."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(5, 13))
    sizes = rng.integers(3, 9, m)
    p, n = int(sizes.sum()), int(rng.integers(300, 1501))
    phi = np.full((m, m), rng.uniform(0, 0.4))
    np.fill_diagonal(phi, 1)
    while per_pair:
        phi = np.triu(rng.uniform(0, 0.4, (m, m)), 1)
        phi = phi + phi.T + np.eye(m)
        if np.linalg.eigvalsh(phi)[0] > 1e-6:
            break
    load = np.zeros((p, m))
    load[np.arange(p), np.repeat(np.arange(m), sizes)] = rng.uniform(0.5, 0.8, p)
    factors = rng.standard_normal((n, m)) @ np.linalg.cholesky(phi).T
    unique = np.sqrt(1 - (load**2).sum(axis=1))
    latent = factors @ load.T + rng.standard_normal((n, p)) * unique
    shift = rng.uniform(0.3, 1.0, p) * rng.choice([-1, 1], p)
    cuts = np.array([-1.5, -0.5, 0.5, 1.5])[:, None] + shift
    items = (latent > cuts[:, None, :]).sum(axis=0) + 1.0
    items[rng.random((n, p)) < 0.05] = np.nan
    return items, m


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_r(code: str, file: Path) -> float:
    """Return the seconds R takes for the code, data read before it."""
    script = (
        "suppressMessages(library(psych)); options(mc.cores = 2); "
        f"x <- read.csv('{file}', header = FALSE, na.strings = 'nan'); s <- Sys.time(); "
        f"suppressWarnings(utils::capture.output({code})) -> hidden; "
        "cat(as.numeric(difftime(Sys.time(), s, units = 'secs')))"
    )
    command = ["Rscript", "--vanilla", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main(*(int(a) if a else d for a, d in zip([*sys.argv[1:], "", ""], (3, 100), strict=False)))
