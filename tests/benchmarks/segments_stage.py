"""Time the whole segmentation stage and its peak memory, by size and method; run on demand.

    python tests/benchmarks/segments_stage.py [respondents ...] [--methods ward kmeans ...]

Eight structureless normal columns, the worst case: no two respondents alike, nothing to find. Every
measurement is a process of its own; memory is its peak resident size. Bootstrap, single clouds,
audits and all other defaults are as a study has them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time


def measure(n: int, method: str) -> None:
    """Fit once in this process and print seconds, processor seconds and peak memory."""
    import warnings

    import numpy as np
    import pandas as pd

    from psychoseg import fit_segments
    from psychoseg.study import SegmentsSettings

    warnings.simplefilter("ignore")
    x = np.random.default_rng(1).normal(size=(n, 8))
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(8)])
    start, cpu = time.perf_counter(), os.times()
    segments = fit_segments(frame, settings=SegmentsSettings(method=method))
    used, now = time.perf_counter() - start, os.times()
    spent = sum(now[:4]) - sum(cpu[:4])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{n:>9,}  {method:10s} {used:8.1f} s  {spent:8.1f} s cpu  {peak:7.0f} MB, a worker "
        f"{child:5.0f} MB  k = {segments.k}, {segments.verdict}",
        flush=True,
    )


def main() -> None:
    """Measure each size with each method."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000])
    parser.add_argument("--methods", nargs="+", default=["ward"])
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    for n in asked.sizes:
        for method in asked.methods:
            if asked.one:
                measure(n, method)
            else:
                own = [sys.executable, __file__, str(n), "--methods", method, "--one"]
                subprocess.run(own, check=False)


if __name__ == "__main__":
    main()
