"""Whether the optimum of an extraction is the optimum: the same search from other places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import FloatArray
from psychoseg.stats.extraction import (
    UNIQUENESS_HIGH,
    UNIQUENESS_LOW,
    Extraction,
    extract_minres,
    extract_ml,
)

__all__ = ["Optima", "extract_minres_from", "search_optima"]

#: One objective is lower than another by more than this share of it; less is rounding.
_LOWER = 1e-6


@dataclass(frozen=True, slots=True)
class Optima:
    """Where the search for uniquenesses ends from several starts.

    Attributes
    ----------
    best : Extraction
        The one with the lowest objective; the usual start's where it is as low as any.
    objectives : ndarray, shape (starts + 1,)
        That of the usual start first; NaN where a start did not converge.
    n_at_best : int
        Starts that reached the best objective, to 1e-6 of it.
    usual_is_best : bool
        False where the usual start ended in a local optimum only.
    """

    best: Extraction
    objectives: FloatArray
    n_at_best: int
    usual_is_best: bool


def search_optima(
    corr: FloatArray,
    n_factors: int,
    *,
    method: Literal["minres", "ml"],
    rng: np.random.Generator,
    starts: int = 20,
) -> Optima:
    """Check by restarts that the optimum is the optimum.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    n_factors : int
    method : {"minres", "ml"}
    rng : numpy.random.Generator
    starts : int
        Random starts beside the usual one: uniquenesses uniform in [.05, .95].

    Returns
    -------
    Optima

    Notes
    -----
    An objective counts as the best where it is within 1e-6 of it, relative or absolute.
    """
    run = {"minres": extract_minres, "ml": extract_ml}[method]
    found = [run(corr, n_factors)]
    found += [run(corr, n_factors, start=rng.uniform(0.05, 0.95, len(corr))) for _ in range(starts)]
    objectives = np.array([e.objective if e.converged else np.nan for e in found])
    lowest = np.nanmin(objectives) if not np.isnan(objectives).all() else found[0].objective
    near = objectives <= lowest + 1e-6 * max(1.0, abs(lowest))
    usual = bool(near[0])
    best = found[0] if usual or np.isnan(objectives).all() else found[int(np.nanargmin(objectives))]
    return Optima(best=best, objectives=objectives, n_at_best=int(near.sum()), usual_is_best=usual)


def extract_minres_from(corr: FloatArray, n_factors: int, *, start: FloatArray) -> Extraction:
    """Extract by minres from the usual start and from another one, and return the lower end.

    With many factors the usual start may end in a local optimum; the uniquenesses of the solution
    with one factor fewer lead elsewhere.

    Parameters
    ----------
    corr : ndarray, shape (p, p)
    n_factors : int
    start : ndarray, shape (p,)
        Uniquenesses.

    Returns
    -------
    Extraction
        That of the usual start where the two end alike.
    """
    usual = extract_minres(corr, n_factors)
    other = extract_minres(corr, n_factors, start=np.clip(start, UNIQUENESS_LOW, UNIQUENESS_HIGH))
    return other if other.objective < usual.objective * (1 - _LOWER) else usual
