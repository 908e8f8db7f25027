"""Recovery of planted segments, here, in R and in scikit-learn; run on demand.

    python tests/benchmarks/segments_recovery.py [truths] [seed] [folder]

Plants 30 truths (or as many as asked for): 500 people, 6 columns, 2 to 8 normal segments in turn,
the closest two centres 3 (weak), 4 (medium) or 5 (strong) standard deviations apart, sizes drawn
from a Dirichlet distribution (concentration 4, in every fifth truth 1.5; 7% at least before
rescaling), every other one with segments of their own covariance (axes up to 3 to 1).

Prints the mean adjusted Rand index with the truth and how often k is right, by distance, for
- psychoseg: Ward's tree cut at the recommended number (large enough, come back in 30 resamples; 1
  where one cloud is recommended), and the same consolidated;
- the majority of psychoseg's own indices, which stands in for NbClust's majority rule: NbClust is
  on CRAN alone, and not in Debian;
- FactoMineR::HCPC(nb.clust = -1) on the components of all columns;
- scikit-learn's Ward told the true k, and with the k of its own highest silhouette (2 to 10);
- factoextra::fviz_nbclust(hcut) by silhouette and by gap (50 reference sets).
All are given the same standardised columns. ``ours.csv`` and ``r.csv`` are kept in the folder where
one is given. The R packages are FactoMineR, factoextra and cluster.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from segments_choice import planted, rng_of, standardised, study
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import silhouette_score

from psychoseg.stats.partition import consolidate
from psychoseg.stats.validity import adjusted_rand

IN_R = Path(__file__).with_suffix(".R")
N = 500


def main(truths: int, seed: int, folder: Path) -> None:
    """Plant, segment here while R segments too, and print the table."""
    rows = [plant(folder, i, seed) for i in range(truths)]
    truth = pd.DataFrame(rows, columns=["truth", "k", "apart"])
    truth.to_csv(folder / "truth.csv", index=False)
    in_r = subprocess.Popen(["Rscript", "--vanilla", str(IN_R), str(folder)])
    ours = pd.DataFrame(
        [ours_of(folder, i, k, seed) for i, k in zip(truth.truth, truth.k, strict=True)]
    )
    ours = truth.merge(ours, on="truth")
    ours.to_csv(folder / "ours.csv", index=False)
    if in_r.wait() != 0:
        raise SystemExit("R stopped; what it had done is in r.csv")
    show(ours.merge(r_of(folder, truth), on="truth"))


def plant(folder: Path, i: int, seed: int) -> tuple[int, int, float]:
    """Write the columns and the segments of truth i; return its number, k and distance."""
    k, apart = 2 + i % 7, (3.0, 4.0, 5.0)[i % 3]
    concentration = 1.5 if i % 5 == 4 else 4.0
    x, label = planted(
        rng_of(seed, 50, i), k, apart, n=N, round_ones=bool(i % 2), concentration=concentration
    )
    np.savetxt(folder / f"x_{i:02d}.csv", standardised(x), delimiter=",")
    np.savetxt(folder / f"label_{i:02d}.csv", label, fmt="%d")
    return i, k, apart


def ours_of(folder: Path, i: int, k: int, seed: int) -> dict[str, float]:
    """Return what psychoseg and scikit-learn find in truth i."""
    x = np.loadtxt(folder / f"x_{i:02d}.csv", delimiter=",")
    label = np.loadtxt(folder / f"label_{i:02d}.csv", dtype=int)
    found = study(x, rng_of(seed, 51, i))
    own = found.cuts[found.points.point_of][:, found.recommended - 1]
    moved = consolidate(x, np.ones(len(x)), own).partition.labels
    told = AgglomerativeClustering(k).fit_predict(x)
    wards = {j: AgglomerativeClustering(j).fit_predict(x) for j in range(2, 11)}
    widest = max(wards, key=lambda j: silhouette_score(x, wards[j]))
    return {
        "truth": i,
        "p": found.p_value,
        "k psychoseg": found.recommended,
        "ari psychoseg": adjusted_rand(label, own),
        "k psychoseg, consolidated": found.recommended,
        "ari psychoseg, consolidated": adjusted_rand(label, moved),
        "k majority of indices": found.majority,
        "ari majority of indices": adjusted_rand(
            label, found.cuts[found.points.point_of][:, found.majority - 1]
        ),
        "k scikit-learn Ward, true k": k,
        "ari scikit-learn Ward, true k": adjusted_rand(label, told),
        "k scikit-learn Ward, silhouette": widest,
        "ari scikit-learn Ward, silhouette": adjusted_rand(label, wards[widest]),
    }


def r_of(folder: Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Return what R found, with its agreement with the truth."""
    r = pd.read_csv(folder / "r.csv")
    rows = []
    for row in r.to_dict("records"):
        i = int(row["truth"])
        label = np.loadtxt(folder / f"label_{i:02d}.csv", dtype=int)
        out: dict[str, float] = {"truth": i}
        cuts = np.loadtxt(folder / f"r_{i:02d}.csv", delimiter=",", dtype=int)
        for j, name in enumerate(("HCPC", "fviz_nbclust silhouette", "fviz_nbclust gap")):
            out[f"k {name}"] = row[f"k{j + 1}"]
            out[f"ari {name}"] = adjusted_rand(label, cuts[:, j])
        rows.append(out)
    return pd.DataFrame(rows)


def show(found: pd.DataFrame) -> None:
    """Print the table."""
    names = [column.removeprefix("ari ") for column in found.columns if column.startswith("ari ")]
    by_distance = "   all     3     4     5"
    print(f"{f'{len(found)} truths':49s}{by_distance}{'':9s}{by_distance}".rstrip())
    print(f"{'':49s}{'adjusted Rand index':33s}k right")
    for name in names:
        right = found[f"k {name}"] == found["k"]
        by = [found["apart"] == apart for apart in (3, 4, 5)]
        ari = [found[f"ari {name}"].mean(), *(found.loc[b, f"ari {name}"].mean() for b in by)]
        hit = [right.mean(), *(right[b].mean() for b in by)]
        print(
            f"{name:36s}{'':13s}"
            + "".join(f"{v:6.3f}" for v in ari)
            + f"{'':9s}"
            + "".join(f"{v:6.2f}" for v in hit)
        )


if __name__ == "__main__":
    n_truths = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    if len(sys.argv) > 3:
        kept = Path(sys.argv[3])
        kept.mkdir(parents=True, exist_ok=True)
        main(n_truths, first, kept)
    else:
        with tempfile.TemporaryDirectory() as made:
            main(n_truths, first, Path(made))
