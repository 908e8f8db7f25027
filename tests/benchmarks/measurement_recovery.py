"""Recovery of planted factors, here and in psych; run on demand.

    python tests/benchmarks/measurement_recovery.py [studies] [in psych] [folder]

Simulates that many studies (200) as market research has them: 5 to 12 factors of 3 to 8 items,
loadings .5 to .8, 500 to 2000 people, five points cut at -1.5, -.5, .5 and 1.5 and moved by .3 to 1
up or down for each item, 5% of the answers missing at random. Correlations between the factors are
0 to .4: in every other study one for all pairs, in the rest drawn pair by pair until the matrix is
positive definite (with 10 and more factors that leaves some factors nearly dependent on others).

Prints, for polychoric correlations, minres and oblimin at the true number of factors, Tucker's
congruence with the planted pattern (mean over a study's factors; factors matched); and how often
the recommended number of factors and each rule are right, too low and too high. Then the same for
psych (polychoric, fa, fa.parallel with 20 replicates on the polychoric matrix with n.obs, MAP of
vss) on the first studies, as many as the second number says (all): 13 seconds each. psych stops
where an item's rarest answer was given by nobody; such a study counts as not fitted and not right.
What is done is kept in the folder, where one is given: psych.csv grows as it goes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from psychoseg.errors import PsychosegWarning
from psychoseg.stats.correlation import polychoric
from psychoseg.stats.dimension import how_many_factors
from psychoseg.stats.factor import extract_minres, match_factors
from psychoseg.stats.rotation import rotate

IN_R = Path(__file__).with_suffix(".R")
KINDS = ("one correlation a study", "correlations pair by pair")


def main(studies: int, in_psych: int, folder: Path) -> None:
    """Simulate, fit here while psych fits too, and print the tables."""
    planted = [plant(folder, i) for i in range(studies)]
    truth = pd.DataFrame(planted, columns=["study", "n", "p", "m", "kind"])
    truth.to_csv(folder / "truth.csv", index=False)
    command = ["Rscript", "--vanilla", str(IN_R), str(folder), str(in_psych)]
    psych = subprocess.Popen(command) if in_psych else None
    ours = pd.DataFrame([ours_of(folder, row) for row in truth.itertuples()])
    ours.to_csv(folder / "psychoseg.csv", index=False)
    show("psychoseg", truth.merge(ours, on="study"))
    if psych is not None:
        if psych.wait() != 0:
            raise SystemExit("R stopped; what it had done is in psych.csv")
        theirs = psych_of(folder, truth)
        show("psych", theirs)
        show("psychoseg, the same studies", truth.merge(ours, on="study").head(len(theirs)))


def plant(folder: Path, i: int) -> tuple[int, int, int, int, str]:
    """Write the answers and the pattern of study i; return its number, n, p, m and kind."""
    rng = np.random.default_rng(80_000 + i)
    m = int(rng.integers(5, 13))
    sizes = rng.integers(3, 9, m)
    p, n = int(sizes.sum()), int(rng.integers(500, 2001))
    phi = np.full((m, m), rng.uniform(0, 0.4))
    np.fill_diagonal(phi, 1)
    while i % 2:
        phi = np.triu(rng.uniform(0, 0.4, (m, m)), 1)
        phi = phi + phi.T + np.eye(m)
        if np.linalg.eigvalsh(phi)[0] > 1e-6:
            break
    pattern = np.zeros((p, m))
    pattern[np.arange(p), np.repeat(np.arange(m), sizes)] = rng.uniform(0.5, 0.8, p)
    factors = rng.standard_normal((n, m)) @ np.linalg.cholesky(phi).T
    unique = np.sqrt(1 - (pattern**2).sum(axis=1))
    latent = factors @ pattern.T + rng.standard_normal((n, p)) * unique
    shift = rng.uniform(0.3, 1.0, p) * rng.choice([-1, 1], p)
    cuts = np.array([-1.5, -0.5, 0.5, 1.5])[:, None] + shift
    items = (latent > cuts[:, None, :]).sum(axis=0) + 1.0
    items[rng.random((n, p)) < 0.05] = np.nan
    pd.DataFrame(items).to_csv(
        folder / f"study_{i:03d}.csv", header=False, index=False, na_rep="NA", float_format="%g"
    )
    np.savetxt(folder / f"pattern_{i:03d}.csv", pattern, delimiter=",")
    return i, n, p, m, KINDS[i % 2]


def ours_of(folder: Path, row: tuple[int, ...]) -> dict[str, float]:
    """Fit one study here."""
    items = pd.read_csv(folder / f"study_{row.study:03d}.csv", header=None).to_numpy(np.float64)
    pattern = np.loadtxt(folder / f"pattern_{row.study:03d}.csv", delimiter=",")
    start = time.perf_counter()
    corr = polychoric(items, np.ones(len(items)))
    correlated = time.perf_counter()
    turned = rotate(extract_minres(corr, row.m).loadings, "oblimin")
    fitted = time.perf_counter()
    with warnings.catch_warnings():
        # A smoothed matrix is smoothed in psych too, without a word.
        warnings.simplefilter("ignore", PsychosegWarning)
        found = how_many_factors(
            corr,
            len(items),
            rng=np.random.default_rng(row.study),
            items=items,
            correlation="polychoric",
        )
    counted = time.perf_counter()
    return {
        "study": row.study,
        "congruence": congruence(turned.loadings, pattern),
        "recommendation": found.n_factors,
        "before factors of few items went": found.n_distinct,
        **{r.criterion: -1 if r.suggested is None else r.suggested for r in found.table},
        "seconds_polychoric": correlated - start,
        "seconds_fa": fitted - correlated,
        "seconds_count": counted - fitted,
    }


def psych_of(folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Return what psych found in the studies it has done."""
    done = pd.read_csv(folder / "psych.csv")
    names = {
        "nfact": "fa.parallel, factors",
        "ncomp": "fa.parallel, components",
        "map": "vss, minimum average partial",
    }
    found = [folder / f"loadings_{i:03d}.csv" for i in done["study"]]
    patterns = [np.loadtxt(folder / f"pattern_{i:03d}.csv", delimiter=",") for i in done["study"]]
    done["congruence"] = [
        congruence(np.loadtxt(f, delimiter=","), pattern) if f.exists() else np.nan
        for f, pattern in zip(found, patterns, strict=True)
    ]
    return truth.merge(done.rename(columns=names), on="study")


def congruence(loadings: np.ndarray, pattern: np.ndarray) -> float:
    """Return the mean absolute congruence of the matched factors."""
    return float(np.abs(match_factors(loadings, pattern)[2]).mean())


def show(who: str, found: pd.DataFrame) -> None:
    """Print the figures of one program."""
    own = ["study", "n", "p", "m", "kind", "congruence"]
    rules = [c for c in found.columns if c not in own and not c.startswith("seconds")]
    for what, part in [("all", found), *((k, found[found["kind"] == k]) for k in KINDS)]:
        if part.empty:
            continue
        same = part["congruence"].dropna()
        print(f"\n{who}, {what}: {len(part)} studies")
        print(
            f"  congruence mean {same.mean():.4f}, 5th percentile {same.quantile(0.05):.4f}, "
            f"share of studies at least .97 {(same >= 0.97).mean():.3f}, "
            f"not fitted {len(part) - len(same)}"
        )
        for rule in rules:
            off = np.sign(part[rule] - part["m"])
            share = [(off == s).mean() for s in (0, -1, 1)]
            shares = f"{share[0]:.3f}  too few {share[1]:.3f}  too many {share[2]:.3f}"
            print(f"  {rule:40s} right {shares}")
    seconds = found.filter(like="seconds").mean()
    print("  seconds a study:", ", ".join(f"{k[8:]} {v:.2f}" for k, v in seconds.items()))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else count
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        main(count, limit, place)
