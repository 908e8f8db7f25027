"""Time the main job and its costly parts; run on demand, with the number of runs.

Prints wall seconds and peak memory of `psychoseg run surveys/fitness_app` as a whole process, and
the median ratio of each costly part to a peer measured in turn with it in the same run:
psych::polychoric and R's hclust (timed inside R, without its start-up), scipy's and scikit-learn's
Ward.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import AgglomerativeClustering

from psychoseg.stats.correlation import polychoric
from psychoseg.stats.linkage import ward_linkage

ROOT = Path(__file__).resolve().parents[2]


def main(runs: int) -> None:
    """Print the figures."""
    whole_process(runs)
    data = pd.read_csv(ROOT / "surveys" / "big_five" / "data.csv")
    items = data.loc[:, "A1":"O5"].to_numpy(np.float64)
    ones = np.ones(len(items))
    compare(
        "polychoric, bfi 25 items x 2,800",
        lambda: seconds(lambda: polychoric(items, ones)),
        "psych::polychoric",
        lambda: in_r(
            "x <- read.csv(f)[, 2:26]; invisible(psych::polychoric(x, progress = FALSE))",
            ROOT / "surveys" / "big_five" / "data.csv",
        ),
        runs,
    )
    for n in (2_000, 10_000):
        x = np.random.default_rng(1).standard_normal((n, 8))
        peers: dict[str, Callable[[], float]] = {
            "scipy linkage": lambda x=x: seconds(lambda: linkage(x, "ward")),
            "scikit-learn": lambda x=x: seconds(
                lambda: AgglomerativeClustering(n_clusters=5, linkage="ward").fit(x)
            ),
        }
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "x.csv"
            pd.DataFrame(x).to_csv(file, index=False)
            code = "x <- as.matrix(read.csv(f)); s <- Sys.time(); h <- hclust(dist(x), 'ward.D2')"
            peers["R dist + hclust"] = lambda code=code, file=file: in_r(code, file)
            for name, peer in peers.items():
                ours = lambda x=x, n=n: seconds(lambda: ward_linkage(x, np.ones(n)))  # noqa: E731
                compare(f"Ward, {n:,} x 8, no ties", ours, name, peer, runs)


def whole_process(runs: int) -> None:
    """Time the command as a user meets it."""
    times = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "psychoseg.cli", "run", "surveys/fitness_app"]
            command += ["--quiet", "--out", f"{folder}/run"]
            times.append(seconds(lambda c=command: subprocess.run(c, cwd=ROOT, check=True)))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"psychoseg run surveys/fitness_app: median {statistics.median(times):.1f} s "
        f"({min(times):.1f} to {max(times):.1f}), peak {peak:.0f} MB"
    )


def compare(
    what: str, ours: Callable[[], float], name: str, peer: Callable[[], float], runs: int
) -> None:
    """Measure in turn and print medians and the median ratio."""
    pairs = [(ours(), peer()) for _ in range(runs)]
    ratio = statistics.median(b / a for a, b in pairs)
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{what}: psychoseg {mine:.3f} s, {name} {theirs:.3f} s, ratio {ratio:.1f}")


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def in_r(code: str, file: Path) -> float:
    """Return the seconds R takes for the code, packages loaded and data read in it."""
    script = f"f <- '{file}'; suppressMessages(library(psych)); s <- Sys.time(); {code}; "
    script += "cat(as.numeric(difftime(Sys.time(), s, units = 'secs')))"
    command = ["Rscript", "--vanilla", "-e", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
