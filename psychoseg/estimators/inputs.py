"""What scikit-learn hands to an estimator: rows, weights, names and parameters, checked.

Never computes a statistic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, validate_data

from psychoseg.stats.arrays import FloatArray, collapse

__all__ = [
    "SHARE_ROUNDING",
    "check_input_features",
    "check_option",
    "check_share",
    "check_varying",
    "item_names",
    "listed",
    "new_respondents",
    "respondents",
]

#: A share of the items counts as reached this close below it: in floats .56 * 25 is above 14.
SHARE_ROUNDING = 1e-9
#: Items named in a message before the rest is only counted.
_SHOWN = 8


def respondents(
    estimator: BaseEstimator, X: npt.ArrayLike, sample_weight: object
) -> tuple[FloatArray, FloatArray]:
    """Validate what ``fit`` got and bring it to distinct weighted rows in canonical order.

    Parameters
    ----------
    estimator : BaseEstimator
        Gets ``n_features_in_`` and ``feature_names_in_``.
    X : array-like, shape (n, p)
        NaN where missing.
    sample_weight : array-like, shape (n,), optional

    Returns
    -------
    items : ndarray, shape (m, p)
        Rows without any answer or weight are left out. Rows given three times and one row of weight
        three come out as the same bytes.
    weights : ndarray, shape (m,)

    Raises
    ------
    ValueError
        In scikit-learn's words where ``X`` or the weights are not what they should be.
    """
    items: FloatArray = validate_data(
        estimator,
        X,
        dtype=np.float64,
        ensure_all_finite="allow-nan",
        ensure_min_samples=2,
        ensure_min_features=2,
    )
    weights = np.ones(len(items))
    if sample_weight is not None:
        weights = check_array(
            sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
        )
    if weights.shape != (len(items),):
        msg = (
            f"sample_weight has the shape {weights.shape}; it takes one weight a row: {len(items)}"
        )
        raise ValueError(msg)
    if (weights < 0).any():
        msg = f"sample_weight holds {weights.min():g}; weights are not negative"
        raise ValueError(msg)
    if not weights.any():
        msg = "all of sample_weight is zero: nobody is left"
        raise ValueError(msg)
    kept = (weights > 0) & ~np.isnan(items).all(axis=1)
    # NaN equals nothing; infinity, which no answer is, stands for it while rows are compared.
    points = collapse(np.where(np.isnan(items), np.inf, items)[kept], weights[kept])
    return np.where(np.isinf(points.x), np.nan, points.x), points.weights


def new_respondents(estimator: BaseEstimator, X: npt.ArrayLike) -> FloatArray:
    """Return what ``transform`` got, checked against what ``fit`` got, shape (n, p)."""
    items: FloatArray = validate_data(
        estimator, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan"
    )
    return items


def item_names(estimator: BaseEstimator) -> list[str]:
    """Return the names of the columns of ``X``, x0, x1, ... where it had none."""
    given = getattr(estimator, "feature_names_in_", None)
    if given is None:
        return [f"x{i}" for i in range(estimator.n_features_in_)]
    return [str(name) for name in given]


def check_varying(items: FloatArray, names: list[str]) -> None:
    """Refuse, by name, items that are constant or never answered."""
    if len(items) < 2:
        msg = f"n_samples = {len(items)} after equal rows were put together; 2 is the least"
        raise ValueError(msg)
    there = ~np.isnan(items)
    lowest = np.where(there, items, np.inf).min(axis=0)
    highest = np.where(there, items, -np.inf).max(axis=0)
    constant = [names[j] for j in np.flatnonzero(~(lowest < highest))]
    if constant:
        msg = (
            f"everybody gave the same answer, or none, to {listed(constant)}: leave such items out"
        )
        raise ValueError(msg)


def check_input_features(estimator: BaseEstimator, input_features: object) -> None:
    """Refuse names that are not those of the columns of ``fit``, as scikit-learn's own do."""
    if input_features is None:
        return
    given = np.asarray(input_features, dtype=object)
    if len(given) != estimator.n_features_in_:
        msg = (
            f"input_features should have length equal to number of features "
            f"({estimator.n_features_in_}), got {len(given)}"
        )
        raise ValueError(msg)
    if hasattr(estimator, "feature_names_in_") and (given != estimator.feature_names_in_).any():
        msg = "input_features is not equal to feature_names_in_"
        raise ValueError(msg)


def check_option(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse a parameter that is none of the words it may be."""
    if not isinstance(value, str) or value not in allowed:
        msg = f"{name} = {value!r} is none of {', '.join(allowed)}"
        raise ValueError(msg)


def check_share(name: str, value: float) -> None:
    """Refuse a parameter that is no share."""
    if not 0 <= value <= 1:
        msg = f"{name} = {value!r} must lie between 0 and 1"
        raise ValueError(msg)


def listed(texts: list[str]) -> str:
    """Join names for a message; of many, the first and how many more."""
    shown = ", ".join(texts[:_SHOWN])
    return f"{shown} and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else shown
