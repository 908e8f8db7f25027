"""Time polychoric correlations of 100 items on one thread; run on demand, with the number of runs.

Takes, after the number of runs, a Python that has ordinalcorr installed (optional, see its package
page; kept out of our own environment). Prints medians and median ratios to psych::polychoric and
ordinalcorr, measured in turn, and the ratio of 100,000 to 10,000 respondents.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from psychoseg.stats.correlation import polychoric

N_ITEMS = 100


def main(runs: int, other_python: str | None) -> None:
    """Print the figures."""
    small, large = survey(10_000), survey(100_000)
    ones, many = np.ones(len(small)), np.ones(len(large))
    polychoric(small, ones)
    times = [(clock(small, ones), clock(large, many)) for _ in range(max(runs, 5))]
    a, b = (statistics.median(side) for side in zip(*times, strict=True))
    ratio = statistics.median(big / little for little, big in times)
    print(f"polychoric, 100 x 10,000: {a:.3f} s; 100 x 100,000: {b:.3f} s; ratio {ratio:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        np.savetxt(file, small, fmt="%d", delimiter=",")
        peers = {"psych::polychoric": in_r}
        if other_python:
            peers["ordinalcorr"] = lambda file: in_python(other_python, file)
        for name, peer in peers.items():
            pairs = [(clock(small, ones), peer(file)) for _ in range(runs)]
            theirs = statistics.median(pair[1] for pair in pairs)
            ratio = statistics.median(other / ours for ours, other in pairs)
            print(f"{name}, 100 x 10,000: {theirs:.1f} s, {ratio:.0f} times ours")


def survey(n: int) -> np.ndarray:
    """Return five-point answers on ten correlated factors with skewed thresholds."""
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((n, 10)) * 0.9 + 0.4 * rng.standard_normal((n, 1))
    latent = 0.7 * factors[:, np.arange(N_ITEMS) % 10] + 0.7 * rng.standard_normal((n, N_ITEMS))
    cuts = np.sort(rng.normal(0.3, 0.8, (N_ITEMS, 4)), axis=1)
    return 1.0 + (latent[:, :, None] > cuts).sum(axis=2)


def clock(items: np.ndarray, weights: np.ndarray) -> float:
    """Return the wall seconds of one call."""
    start = time.perf_counter()
    polychoric(items, weights)
    return time.perf_counter() - start


def in_r(file: Path) -> float:
    """Return psych's seconds on one core, without start-up and reading."""
    script = (
        f"suppressMessages(library(psych)); options(mc.cores = 1); x <- read.csv('{file}', "
        "header = FALSE); s <- Sys.time(); invisible(polychoric(x, progress = FALSE)); "
        "cat(as.numeric(difftime(Sys.time(), s, units = 'secs')))"
    )
    return last_number(["Rscript", "--vanilla", "-e", script])


def in_python(python: str, file: Path) -> float:
    """Return ordinalcorr's seconds over all pairs, without start-up and reading."""
    script = (
        f"import itertools, time, numpy as np, ordinalcorr as o; "
        f"x = np.loadtxt('{file}', delimiter=',', dtype=int); s = time.perf_counter()\n"
        "for i, j in itertools.combinations(range(x.shape[1]), 2): o.polychoric(x[:, i], x[:, j])\n"
        "print(time.perf_counter() - s)"
    )
    return last_number([python, "-c", script])


def last_number(command: list[str]) -> float:
    """Run a command and return the last number it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2] if len(sys.argv) > 2 else None)
