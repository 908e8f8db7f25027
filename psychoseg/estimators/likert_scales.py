"""Likert scales as a scikit-learn transformer: items found or named, unit-weighted scores.

Never reads a Survey; ``fit_scales`` does, and says more about what it found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from psychoseg.errors import tell
from psychoseg.estimators.factors import MIN_ITEMS, Correlation, FactorCount, Seed, find_factors
from psychoseg.estimators.inputs import (
    SHARE_ROUNDING,
    check_input_features,
    check_option,
    check_share,
    check_varying,
    item_names,
    listed,
    new_respondents,
    respondents,
)
from psychoseg.stats.alpha_interval import alpha_interval
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray, one_thread
from psychoseg.stats.correlation import covariance
from psychoseg.stats.reliability import cronbach_alpha
from psychoseg.stats.scores import unit_scores

__all__ = ["LikertScales"]

Statistic = Literal["mean", "sum"]

#: Random starts of the rotation beside the usual one.
_STARTS = 20


class LikertScales(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Likert items to scales, found by factor analysis or given, and their unit-weighted scores.

    Parameters
    ----------
    n_factors : int or {"auto", "parallel"}
        As in :class:`LikertFactorAnalysis`; at most half the items. Not used where ``scales`` are
        given.
    scales : mapping of str to sequence, or sequence of sequences, optional
        The items of each scale, by column name or position; found where absent. Without names they
        are ``scale_1``, ``scale_2``, ...
    reverse : sequence of str or int
        Items that count the other way, as ``low + high - answer``.
    answer_range : (float, float), optional
        Lowest and highest answer that the items offer; an answer outside is refused. Where absent,
        the lowest and highest that any item got in ``fit``.
    correlation : {"auto", "pearson", "spearman", "polychoric"}
        As in :class:`LikertFactorAnalysis`. Not used where ``scales`` are given.
    min_loading : float
        An item whose largest absolute loading is below this is in no scale.
    min_answered : float
        Least share of a scale's items that a person must answer.
    statistic : {"mean", "sum"}
        A sum with gaps is the mean of the answers times the number of items.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        Of parallel analysis and the rotation's random starts. An int gives the same answer twice.

    Attributes
    ----------
    keys_ : ndarray of int, shape (p, s)
        1 where an item counts in a scale as answered, -1 turned round, 0 not at all.
    scale_names_ : list of str
        Found scales are called ``factor_1`` and so on, after their factor.
    alphas_ : ndarray, shape (s,)
        Cronbach's alpha; NaN for a scale of one item.
    alpha_intervals_ : ndarray, shape (s, 2)
        Its 95% interval, see :func:`psychoseg.stats.alpha_interval.alpha_interval`.
    answer_range_ : (float, float)
    loadings_ : ndarray, shape (p, m), or None
        Of the items after the declared reversals; None where ``scales`` are given, as the next two.
    phi_ : ndarray, shape (m, m), or None
    n_factors_ : int or None
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where ``X`` had column names.

    Notes
    -----
    The rules are those of ``fit_scales``: pairwise correlations, minres, oblimin; an item goes to
    the factor with its largest absolute pattern loading where that reaches ``min_loading``, with
    that loading's sign as its key; a factor with fewer than two items is no scale; a score is the
    mean of the answered items, reverse-keyed ones turned round. Where no factor has two items,
    there is a warning and ``transform`` returns no columns, as scikit-learn's selectors do.
    ``fit_scales`` brings items with different answer scales to a common one; this takes one
    range for all. Weights and row order: see :class:`LikertFactorAnalysis`.

    References
    ----------
    Cronbach (1951), Psychometrika 16, 297-334.

    Examples
    --------
    >>> from psychoseg.estimators import LikertScales
    >>> LikertScales(scales={"warm": ["A2", "A3"], "tidy": ["C1", "C4"]}, reverse=["C4"])
    LikertScales(reverse=['C4'],
                 scales={'tidy': ['C1', 'C4'], 'warm': ['A2', 'A3']})
    """

    def __init__(
        self,
        n_factors: int | FactorCount = "auto",
        *,
        scales: Mapping[str, Sequence[str | int]] | Sequence[Sequence[str | int]] | None = None,
        reverse: Sequence[str | int] = (),
        answer_range: tuple[float, float] | None = None,
        correlation: Correlation = "auto",
        min_loading: float = 0.3,
        min_answered: float = 0.5,
        statistic: Statistic = "mean",
        random_state: Seed = 1,
    ) -> None:
        self.n_factors = n_factors
        self.scales = scales
        self.reverse = reverse
        self.answer_range = answer_range
        self.correlation = correlation
        self.min_loading = min_loading
        self.min_answered = min_answered
        self.statistic = statistic
        self.random_state = random_state

    @one_thread
    def fit(self, X: npt.ArrayLike, y: object = None, sample_weight: object = None) -> Self:
        """Find the scales, or take those given, and their reliability.

        Parameters
        ----------
        X : array-like, shape (n, p)
            Answers, NaN where missing; at least 2 people and 2 items.
        y : object
            Not used.
        sample_weight : array-like, shape (n,), optional
            Not negative; who has a weight of zero is not there.

        Returns
        -------
        LikertScales

        Raises
        ------
        ValueError
            As :meth:`LikertFactorAnalysis.fit` does, and for an item that does not exist, a scale
            without items or an answer outside ``answer_range``.

        Warns
        -----
        PsychosegWarning
            As :meth:`LikertFactorAnalysis.fit` does, and for items in no scale, items that count
            the other way and factors without items enough.
        """
        check_option("statistic", self.statistic, get_args(Statistic))
        check_share("min_loading", self.min_loading)
        check_share("min_answered", self.min_answered)
        items, weights = respondents(self, X, sample_weight)
        names = item_names(self)
        sign = np.ones(len(names), dtype=np.intp)
        sign[_positions(self, self.reverse, "reverse")] = -1
        self._check_range(items)
        low, high = self.answer_range or (float(np.nanmin(items)), float(np.nanmax(items)))
        self.answer_range_ = (float(low), float(high))
        if self.scales is None:
            found = find_factors(
                self._turned(items, sign),
                weights,
                names,
                n_factors=self.n_factors,
                most=len(names) // MIN_ITEMS,
                correlation=self.correlation,
                missing="pairwise",
                extraction="minres",
                rotation="oblimin",
                target=None,
                starts=_STARTS,
                random_state=self.random_state,
            )
            self.loadings_: FloatArray | None = found.loadings
            self.phi_: FloatArray | None = found.phi
            self.n_factors_: int | None = found.loadings.shape[1]
            self.scale_names_, keys = _found_keys(found.loadings, self.min_loading, names)
        else:
            check_varying(items, names)
            self.loadings_, self.phi_, self.n_factors_ = None, None, None
            self.scale_names_, keys = self._given_keys()
        self.keys_ = keys * sign[:, None]
        self._set_alphas(items, weights)
        return self

    @one_thread
    def transform(self, X: npt.ArrayLike) -> FloatArray:
        """Score people on the scales.

        Parameters
        ----------
        X : array-like, shape (n, p)
            Answers, NaN where missing.

        Returns
        -------
        ndarray, shape (n, s)
            NaN where too few items of a scale were answered.

        Raises
        ------
        ValueError
            For an answer outside a stated ``answer_range``.
        """
        check_is_fitted(self)
        items = new_respondents(self, X)
        self._check_range(items)
        return self._scored(items, self.statistic)

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """Return the names of the scales.

        Parameters
        ----------
        input_features : array-like of str, optional
            Only checked against the items of ``fit``.

        Returns
        -------
        ndarray of str, shape (s,)
        """
        check_is_fitted(self)
        check_input_features(self, input_features)
        return np.array(self.scale_names_, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _turned(self, items: FloatArray, sign: IntArray) -> FloatArray:
        return np.where(sign < 0, sum(self.answer_range_) - items, items)

    def _scored(self, items: FloatArray, statistic: Statistic) -> FloatArray:
        # An item has one sign, whatever number of scales it is in.
        keyed = self._turned(items, self.keys_.min(axis=1, initial=0))
        share = self.min_answered - SHARE_ROUNDING
        return unit_scores(keyed, self.keys_ != 0, statistic=statistic, min_share=share)

    def _check_range(self, items: FloatArray) -> None:
        if self.answer_range is None:
            return
        low, high = self.answer_range
        if not low < high:
            msg = f"answer_range = {self.answer_range!r}: give the lowest answer, then the highest"
            raise ValueError(msg)
        rows, cols = np.nonzero((items < low) | (items > high))
        if len(rows):
            names = item_names(self)
            wrong = sorted(
                {f"{names[j]}: {items[i, j]:g}" for i, j in zip(rows, cols, strict=True)}
            )
            msg = (
                f"{len(rows)} answers lie outside answer_range = {low:g} to {high:g} "
                f"({listed(wrong)}): code no answer as NaN, or widen the range"
            )
            raise ValueError(msg)

    def _given_keys(self) -> tuple[list[str], IntArray]:
        """Return the names of the given scales, and which items are in them as 0 and 1."""
        given = self.scales
        if not isinstance(given, Mapping):
            given = {f"scale_{j + 1}": members for j, members in enumerate(given or ())}
        if not given:
            msg = f"scales = {self.scales!r} names no scale; leave it None to find them"
            raise ValueError(msg)
        keys = np.zeros((self.n_features_in_, len(given)), dtype=np.intp)
        for j, (name, members) in enumerate(given.items()):
            places = _positions(self, members, f"the scale {name}")
            if len(places) == 0 or len(set(places)) < len(places):
                what = "names an item twice" if places else "names no item"
                msg = f"the scale {name} {what}: {list(members)!r}"
                raise ValueError(msg)
            keys[places, j] = 1
        return [str(name) for name in given], keys

    def _set_alphas(self, items: FloatArray, weights: FloatArray) -> None:
        """Set alpha of each scale and its interval over pairwise complete answers."""
        n_scales = self.keys_.shape[1]
        self.alphas_ = np.full(n_scales, np.nan)
        self.alpha_intervals_ = np.full((n_scales, 2), np.nan)
        for j in range(n_scales):
            members = np.flatnonzero(self.keys_[:, j])
            if len(members) < MIN_ITEMS:
                continue
            keyed = self._turned(items[:, members], self.keys_[members, j])
            self.alphas_[j] = cronbach_alpha(covariance(keyed, weights)).alpha
            self.alpha_intervals_[j] = alpha_interval(keyed, weights, counts=True)


def _found_keys(
    loadings: FloatArray, min_loading: float, names: list[str]
) -> tuple[list[str], IntArray]:
    """Assign each item to the factor it loads on most; return the scales' names and keys."""
    size = np.abs(loadings).round(9)
    best = size.argmax(axis=1)
    enough: BoolArray = size.max(axis=1) >= min_loading
    left_out = [names[i] for i in np.flatnonzero(~enough)]
    if left_out:
        tell(
            f"{len(left_out)} of {len(names)} items load below {min_loading:g} on every factor and "
            f"are in no scale: {listed(left_out)}"
        )
    scales: list[str] = []
    columns: list[IntArray] = []
    for j in range(loadings.shape[1]):
        members = enough & (best == j)
        if members.sum() < MIN_ITEMS:
            tell(
                f"factor F{j + 1} has {int(members.sum())} items of its own and is not made a "
                "scale; fewer factors may serve better"
            )
            continue
        scales.append(f"factor_{j + 1}")
        columns.append(np.where(members, np.where(loadings[:, j] > 0, 1, -1), 0))
        turned = [names[i] for i in np.flatnonzero(columns[-1] < 0)]
        if turned:
            tell(f"in the scale {scales[-1]}, these count the other way: {listed(turned)}")
    if not scales:
        tell(
            f"no factor has {MIN_ITEMS} items that load at least {min_loading:g}: there are no "
            "scales, and transform returns no columns. Lower min_loading, or give scales"
        )
        return scales, np.zeros((len(names), 0), dtype=np.intp)
    return scales, np.column_stack(columns).astype(np.intp)


def _positions(estimator: BaseEstimator, items: Sequence[str | int], where: str) -> list[int]:
    """Return the positions of items given by name or by position."""
    names = item_names(estimator)
    place = {name: i for i, name in enumerate(names)}
    places = [place.get(item) if isinstance(item, str) else item for item in items]
    unknown = [
        repr(item)
        for item, i in zip(items, places, strict=True)
        if not isinstance(i, Integral) or isinstance(i, bool) or not 0 <= i < len(names)
    ]
    if unknown:
        msg = (
            f"{where} names {listed(unknown)}, which X does not have; give positions from 0 to "
            f"{len(names) - 1} or, where X is a DataFrame, names among {listed(names)}"
        )
        raise ValueError(msg)
    return [int(i) for i in places if i is not None]
