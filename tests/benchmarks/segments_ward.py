"""Time Ward's tree against its peers: `python segments_ward.py [size ...] [--runs 3]`.

Standard normal rows in 8 dimensions, no two alike, which is the worst case. Each measurement has a
process of its own and is taken from inside, without start-up, compilation and reading. Programs run
in turn, `runs` times (sizes from 300,000 on once), each up to the size that it can take. Prints
medians of wall and processor time, the median ratio of wall time to ours, by how much the peak
memory rose while the tree was built, and the power of n with which our processor time grows.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

SIZES = (2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000)
DIMENSIONS = 8
#: From this size on one run is enough: it takes minutes.
ONCE_FROM = 300_000
OURS = "psychoseg"


class Peer(NamedTuple):
    """What comes before the clock starts, what builds the tree of x, and for which sizes."""

    before: str
    build: str
    largest: int
    smallest: int = 0


#: The largest sizes are where a peer takes gigabytes (scipy 3.2 GB, R's hclust 3 GB at 20,000) or
#: minutes (linkage_vector is quadratic from 50,000 on).
PYTHON = {
    OURS: Peer(
        # The first tree loads the compiled code, or compiles it.
        "from psychoseg.stats.linkage import ward_linkage; ones = np.ones(len(x)); rng = "
        "np.random.default_rng(1); ward_linkage(rng.random((3000, 8)), np.ones(3000), "
        "compiled=True)",
        "ward_linkage(x, ones)",
        1_000_000,
    ),
    "psychoseg, 20,000 heaps": Peer(
        "from psychoseg.stats.micro_clusters import approximate_ward; ones = np.ones(len(x)); rng "
        "= np.random.default_rng(1); from psychoseg.stats.linkage import ward_linkage; "
        "ward_linkage(rng.random((3000, 8)), np.ones(3000), compiled=True)",
        "approximate_ward(x, ones)",
        5_000_000,
        # Below, each point is a heap.
        smallest=20_001,
    ),
    "scipy": Peer("from scipy.cluster.hierarchy import linkage", "linkage(x, 'ward')", 20_000),
    "fastcluster linkage_vector": Peer(
        "import fastcluster", "fastcluster.linkage_vector(x, 'ward')", 50_000
    ),
    "scikit-learn": Peer(
        "from sklearn.cluster import AgglomerativeClustering as A; "
        "model = A(n_clusters=None, distance_threshold=0, linkage='ward')",
        "model.fit(x)",
        20_000,
    ),
}
R = {
    "R hclust": Peer("", "hclust(dist(x), 'ward.D2')", 10_000),
    "FactoMineR HCPC": Peer(
        "suppressMessages(library(FactoMineR))",
        "HCPC(as.data.frame(x), nb.clust = 4, consol = FALSE, graph = FALSE)",
        5_000,
    ),
}
IN_PYTHON = """
import resource, time
import numpy as np
x = np.load('{file}.npy')
{before}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
{build}
print(time.perf_counter() - wall, time.process_time() - cpu,
      (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024)
"""
IN_R = """
peak <- function() {{
  line <- grep('VmHWM', readLines('/proc/self/status'), value = TRUE)
  as.numeric(gsub('[^0-9]', '', line)) / 1024
}}
{before}
x <- matrix(readBin('{file}.bin', 'double', {n} * {d}), ncol = {d}, byrow = TRUE)
before <- peak()
took <- system.time({build})
cat(took[['elapsed']], took[['user.self']] + took[['sys.self']], peak() - before)
"""


def main(sizes: list[int], runs: int) -> None:
    """Print the figures."""
    print(f"{'rows':>9} {'program':26} {'wall':>9} {'processor':>9} {'ratio':>7} {'memory':>8}")
    ours: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for n in sizes:
            file = Path(folder) / "x"
            x = np.random.default_rng(n).standard_normal((n, DIMENSIONS))
            np.save(file, x)
            x.tofile(f"{file}.bin")
            names = [
                name for name, peer in (PYTHON | R).items() if peer.smallest <= n <= peer.largest
            ]
            rounds = [
                {name: measure(name, file, n) for name in names}
                for _ in range(1 if n >= ONCE_FROM else runs)
            ]
            for name in names:
                wall, cpu = (statistics.median(r[name][i] for r in rounds) for i in (0, 1))
                memory = max(r[name][2] for r in rounds)
                ratio = "-"
                if OURS in names:
                    ratio = f"{statistics.median(r[name][0] / r[OURS][0] for r in rounds):.2f}"
                print(
                    f"{n:9,} {name:26} {wall:7.2f} s {cpu:7.2f} s {ratio:>7} {memory:5.0f} MB",
                    flush=True,
                )
            if OURS in names:
                ours.append((n, statistics.median(r[OURS][1] for r in rounds)))
    for (small, little), (large, much) in itertools.pairwise(ours):
        power = math.log(much / little) / math.log(large / small)
        print(f"{OURS} from {small:,} to {large:,}: processor time grows as n to the {power:.2f}")


def measure(name: str, file: Path, n: int) -> tuple[float, float, float]:
    """Return wall and processor seconds of one tree, and by how many MB the peak memory rose."""
    peer = (PYTHON | R)[name]
    script = (IN_R if name in R else IN_PYTHON).format(
        file=file, n=n, d=DIMENSIONS, before=peer.before, build=peer.build
    )
    command = ["Rscript", "-e", script] if name in R else [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, cpu, memory = (float(value) for value in done.stdout.split()[-3:])
    return wall, cpu, memory


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    main(sorted(given.sizes), given.runs)
