"""How often alpha's 95% interval holds the true alpha, beside Feldt's; run on demand.

    python tests/benchmarks/measurement_alpha.py [samples]

Answers of five points and one factor (loadings .7), most of them the highest: a ceiling. Prints of
each number of items, share of top answers and number of respondents the share of samples whose
interval holds the alpha of 2,000,000 respondents, and the median width over Feldt's.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.stats import f, norm

from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.correlation import covariance
from psychoseg.stats.reliability import cronbach_alpha


def main(samples: int) -> None:
    """Print the table."""
    rng = np.random.default_rng(2)
    print("items  top   n    alpha  held  Feldt  width / Feldt's")
    for p in (3, 5, 10):
        for top in (0.05, 0.62, 0.79, 0.9):
            truth = float(np.mean([alpha_of(answers(rng, 500_000, p, top)) for _ in range(4)]))
            for n in (60, 100, 200, 500):
                held, classical, wider = coverage(rng, samples, n, p, top, truth)
                line = f"{p:5d} {top:5.2f} {n:4d} {truth:7.3f} {held:6.1%} {classical:6.1%}"
                print(f"{line} {wider:6.2f}", flush=True)


def coverage(
    rng: np.random.Generator, samples: int, n: int, p: int, top: float, truth: float
) -> tuple[float, float, float]:
    """Return the shares of samples whose intervals hold the truth, and the ratio of widths."""
    ours, theirs, wider = [], [], []
    while len(ours) < samples:
        x = answers(rng, n, p, top)
        if (x.std(axis=0) == 0).any():
            continue
        low, high = alpha_interval(x, np.ones(n), counts=True)
        first, last = feldt(alpha_of(x), n, p)
        ours.append(low < truth < high)
        theirs.append(first < truth < last)
        wider.append((high - low) / (last - first))
    return float(np.mean(ours)), float(np.mean(theirs)), float(np.median(wider))


def answers(rng: np.random.Generator, n: int, p: int, top: float) -> FloatArray:
    """Return five-point answers of one factor, a share ``top`` of them the highest."""
    latent = 0.7 * rng.standard_normal((n, 1)) + np.sqrt(0.51) * rng.standard_normal((n, p))
    cuts = norm.ppf((1 - top) * np.array([0.12, 0.3, 0.55, 1.0]))
    return np.searchsorted(cuts, latent) + 1.0


def alpha_of(x: FloatArray) -> float:
    """Return raw alpha."""
    return cronbach_alpha(covariance(x, np.ones(len(x)))).alpha


def feldt(alpha: float, n: int, p: int) -> tuple[float, float]:
    """Return Feldt's (1965) interval, that of ``psych::alpha.ci``."""
    low, high = f.ppf([0.975, 0.025], n - 1, (n - 1) * (p - 1))
    return 1 - (1 - alpha) * float(low), 1 - (1 - alpha) * float(high)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
