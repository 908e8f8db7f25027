"""Time polychoric correlations of 100 items: `python measurement_correlation.py [runs] [python]`.

Prints the ratio of 100,000 to 10,000 respondents, the largest distance from the exact two-step
maximum over some pairs, and medians and median ratios of peers that are measured in turn with us,
`runs` times (3 unless said otherwise): psych::polychoric, lavaan::lavCor and PyPI's ordinalcorr,
the last where the interpreter `python` (this one unless said otherwise) has it. Everything has one
thread; peers are timed from inside, without their start-up and reading.
"""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.integrate import quad_vec
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from psychoseg.stats.correlation import polychoric

N_ITEMS = 100
#: Pairs whose exact maximum is sought.
N_EXACT = 20
#: Our own runs take so little time that there can be more of them.
OWN_RUNS = 9
READ_IN_R = "options(mc.cores = 1); x <- read.csv('{file}', header = FALSE); s <- Sys.time(); "
TELL_IN_R = "; cat(as.numeric(difftime(Sys.time(), s, units = 'secs')))"
PEERS_IN_R = {
    "psych::polychoric": "invisible(psych::polychoric(x, progress = FALSE))",
    "lavaan::lavCor": "invisible(lavaan::lavCor(x, ordered = names(x)))",
}
LOOP_IN_PYTHON = """
import itertools, time, numpy, ordinalcorr
x = numpy.loadtxt('{file}', delimiter=',', dtype=int)
start = time.perf_counter()
for i, j in itertools.combinations(range(x.shape[1]), 2):
    ordinalcorr.polychoric(x[:, i], x[:, j])
print(time.perf_counter() - start)
"""


def main(runs: int, python: str) -> None:
    """Print the figures."""
    small, large = survey(10_000), survey(100_000)
    clock(small)
    pairs = [(clock(small), clock(large)) for _ in range(max(runs, OWN_RUNS))]
    little, big = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"psychoseg, 100 x 10,000: {little:.3f} s; 100 x 100,000: {big:.3f} s, {ratio:.1f} times")
    print(f"largest difference from the exact maximum of {N_EXACT} pairs: {distance(small):.1e}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        np.savetxt(file, small, fmt="%d", delimiter=",")
        peers = {
            name: ["Rscript", "--vanilla", "-e", READ_IN_R.format(file=file) + code + TELL_IN_R]
            for name, code in PEERS_IN_R.items()
        }
        if subprocess.run([python, "-c", "import ordinalcorr"], capture_output=True).returncode:
            print(f"ordinalcorr: not installed for {python}, not measured")
        else:
            peers["ordinalcorr"] = [python, "-c", LOOP_IN_PYTHON.format(file=file)]
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in peers}
        for _ in range(runs):
            for name, command in peers.items():
                ours = statistics.median(clock(small) for _ in range(3))
                times[name].append((ours, last_number(command)))
    for name, measured in times.items():
        ours, theirs = (statistics.median(side) for side in zip(*measured, strict=True))
        ratio = statistics.median(b / a for a, b in measured)
        print(f"{name}, 100 x 10,000: {theirs:.1f} s, ours {ours:.3f} s, {ratio:.0f} times ours")


def survey(n: int) -> np.ndarray:
    """Return five-point answers on ten correlated factors with skewed thresholds."""
    rng = np.random.default_rng(1)
    factors = rng.standard_normal((n, 10)) * 0.9 + 0.4 * rng.standard_normal((n, 1))
    latent = 0.7 * factors[:, np.arange(N_ITEMS) % 10] + 0.7 * rng.standard_normal((n, N_ITEMS))
    cuts = np.sort(rng.normal(0.3, 0.8, (N_ITEMS, 4)), axis=1)
    return 1.0 + (latent[:, :, None] > cuts).sum(axis=2)


def clock(items: np.ndarray) -> float:
    """Return the wall seconds of one call."""
    weights = np.ones(len(items))
    start = time.perf_counter()
    polychoric(items, weights)
    return time.perf_counter() - start


def last_number(command: list[str]) -> float:
    """Run a command and return the last number it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def distance(items: np.ndarray) -> float:
    """Return how far our estimates are from the exact maximum, at most, over some pairs."""
    ours = polychoric(items, np.ones(len(items)))
    all_pairs = list(itertools.combinations(range(N_ITEMS), 2))
    chosen = np.random.default_rng(2).choice(len(all_pairs), N_EXACT, replace=False)
    pairs = [all_pairs[k] for k in chosen]
    return max(abs(exact(items[:, i], items[:, j]) - ours[i, j]) for i, j in pairs)


def exact(x: np.ndarray, y: np.ndarray) -> float:
    """Return the two-step maximum by other means: cells by adaptive quadrature, rho by Brent.

    Good to about 1e-7, the root of the precision of the likelihood.
    """
    codes, a = np.unique(x, return_inverse=True)
    others, b = np.unique(y, return_inverse=True)
    counts = np.zeros((len(codes), len(others)))
    np.add.at(counts, (a, b), 1)
    # Beyond nine standard deviations there is less than the last digit.
    rows = norm.ppf(np.cumsum(counts.sum(axis=1)) / len(x)).clip(-9, 9)
    cols = np.r_[-np.inf, norm.ppf(np.cumsum(counts.sum(axis=0))[:-1] / len(x)), np.inf]
    edges = np.r_[-9, rows]

    def loss(rho: float) -> float:
        def strip(z: float) -> np.ndarray:
            return norm.pdf(z) * np.diff(norm.cdf((cols - rho * z) / np.sqrt(1 - rho**2)))

        ends = itertools.pairwise(edges)
        cells = np.array([quad_vec(strip, *end, epsabs=1e-13, epsrel=1e-12)[0] for end in ends])
        return -float((counts * np.log(np.maximum(cells, 1e-300))).sum())

    middle = np.corrcoef(x, y)[0, 1]
    bounds = (max(middle - 0.3, -0.999), min(middle + 0.3, 0.999))
    return minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9}).x


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # for the peers
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    with threadpool_limits(1):
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, python)
