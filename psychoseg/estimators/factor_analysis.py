"""Factor analysis of survey items as a scikit-learn transformer; never reads a Survey."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from psychoseg.estimators.factors import Correlation, FactorCount, Missing, Seed, find_factors
from psychoseg.estimators.inputs import (
    SHARE_ROUNDING,
    check_input_features,
    check_option,
    check_share,
    item_names,
    new_respondents,
    respondents,
)
from psychoseg.stats.arrays import FloatArray, one_thread
from psychoseg.stats.extraction import ExtractionMethod
from psychoseg.stats.factor import communalities
from psychoseg.stats.fit import factor_fit
from psychoseg.stats.rotation import RotationMethod, structure_matrix
from psychoseg.stats.scores import SCORE_METHODS, ScoreMethod, factor_scores, score_weights

__all__ = ["LikertFactorAnalysis"]


class LikertFactorAnalysis(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Factor analysis of survey items, and factor scores of people.

    Unlike ``sklearn.decomposition.FactorAnalysis`` it factors correlations (polychoric ones where
    answers are ordinal), rotates obliquely, finds the number of factors, takes case weights, and
    takes missing answers as they are.

    Parameters
    ----------
    n_factors : int or {"auto", "parallel"}
        ``auto`` is the recommendation of :func:`psychoseg.stats.dimension.how_many_factors`,
        ``parallel`` parallel analysis of components alone; both at least 1, with a warning where no
        factor stands out or there are no more people than items, and at most half the items.
    correlation : {"auto", "pearson", "spearman", "polychoric"}
        ``auto`` is polychoric where the answers to every item are whole numbers, at most 20
        different ones, and Pearson elsewhere and with ``missing="em"``.
    missing : {"pairwise", "listwise", "em"}
        Which people a correlation, and each item's mean and standard deviation, use in ``fit``:
        those who answered the pair (the item), those who answered everything, or everybody, by
        maximum likelihood under normality, which is for Pearson alone.
    extraction : {"minres", "ml", "principal_axes", "components"}
    rotation : str
        One of :data:`psychoseg.stats.rotation.ROTATIONS`, with psych's conventions.
    target : ndarray, shape (p, m), optional
        Of a target rotation; NaN where a loading is free.
    starts : int
        Random starts of the rotation beside the usual one; the best optimum is taken. Rotations to
        a target, bifactor and geomin ones need some.
    scores : {"regression", "bartlett", "ten_berge"}
    min_answered : float
        Least share of the items a person must answer to be scored.
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None
        Of parallel analysis and the random starts. An int gives the same answer twice.

    Attributes
    ----------
    loadings_ : ndarray, shape (p, m)
        Pattern loadings; factors by explained variance, each turned so that its loadings sum
        positive. A bifactor rotation's general factor comes first, and the columns of a target
        rotation stay as the target has them.
    phi_ : ndarray, shape (m, m)
        Correlations of the factors.
    structure_ : ndarray, shape (p, m)
        Correlations of the items with the factors.
    communalities_, uniquenesses_ : ndarray, shape (p,)
    heywood_ : ndarray of int
        Positions of items with a communality of .995 or more.
    corr_ : ndarray, shape (p, p)
        The correlations that were factored, smoothed where they were not positive definite.
    correlation_ : {"pearson", "spearman", "polychoric"}
        What they are.
    mean_, sd_ : ndarray, shape (p,)
        What answers are standardised with; ddof 0.
    weights_ : ndarray, shape (p, m)
        Scores of a person who answered everything are ``(x - mean_) / sd_ @ weights_``.
    determinacy_ : ndarray, shape (m,)
        Highest correlation that scores can have with each factor.
    fit_statistics_ : psychoseg.stats.fit.FactorFit
    n_factors_ : int
    n_obs_ : float
        Sum of the weights of the people used.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where ``X`` had column names.

    Notes
    -----
    A sample weight of w is that person given w times, to the last digit for integers; rescaling all
    weights changes nothing but ``n_obs_``, on which the number of factors and the tests of fit
    rest: let sampling weights sum to Kish's effective size. Identical rows are one weighted point
    in canonical order, so that the order of the rows does not matter.

    Nothing is imputed: who left answers out is scored by the answered items' own weights, see
    :func:`psychoseg.stats.scores.factor_scores`.

    References
    ----------
    See ``psychoseg.stats``: ``correlation``, ``extraction``, ``rotation``, ``scores``,
    ``dimension``.

    Examples
    --------
    >>> from psychoseg.estimators import LikertFactorAnalysis
    >>> LikertFactorAnalysis(n_factors=5).set_output(transform="pandas")
    LikertFactorAnalysis(n_factors=5)
    """

    def __init__(
        self,
        n_factors: int | FactorCount = "auto",
        *,
        correlation: Correlation = "auto",
        missing: Missing = "pairwise",
        extraction: ExtractionMethod = "minres",
        rotation: RotationMethod = "oblimin",
        target: FloatArray | None = None,
        starts: int = 20,
        scores: ScoreMethod = "regression",
        min_answered: float = 0.5,
        random_state: Seed = 1,
    ) -> None:
        self.n_factors = n_factors
        self.correlation = correlation
        self.missing = missing
        self.extraction = extraction
        self.rotation = rotation
        self.target = target
        self.starts = starts
        self.scores = scores
        self.min_answered = min_answered
        self.random_state = random_state

    @one_thread
    def fit(self, X: npt.ArrayLike, y: object = None, sample_weight: object = None) -> Self:
        """Find the factors of the items.

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
        LikertFactorAnalysis

        Raises
        ------
        ValueError
            Where an item is constant, a pair of items cannot be correlated, or a parameter has no
            meaning.

        Warns
        -----
        PsychosegWarning
            For a smoothed matrix, a Heywood case, what did not converge or has several optima, a
            number of factors that could not be found.
        """
        check_option("scores", self.scores, SCORE_METHODS)
        check_share("min_answered", self.min_answered)
        items, weights = respondents(self, X, sample_weight)
        found = find_factors(
            items,
            weights,
            item_names(self),
            n_factors=self.n_factors,
            most=items.shape[1] - 1,
            correlation=self.correlation,
            missing=self.missing,
            extraction=self.extraction,
            rotation=self.rotation,
            target=self.target,
            starts=self.starts,
            random_state=self.random_state,
        )
        scoring = score_weights(found.corr, found.loadings, found.phi, method=self.scores)
        self.loadings_ = found.loadings
        self.phi_ = found.phi
        self.structure_ = structure_matrix(found.loadings, found.phi)
        self.communalities_ = communalities(found.loadings, found.phi)
        self.uniquenesses_ = 1 - self.communalities_
        self.heywood_ = found.heywood
        self.corr_ = found.corr
        self.correlation_ = found.kind
        self.mean_ = found.mean
        self.sd_ = found.sd
        self.weights_ = scoring.weights
        self.determinacy_ = scoring.determinacy
        self.fit_statistics_ = factor_fit(found.corr, found.loadings, found.phi, found.n_obs)
        self.n_factors_ = found.loadings.shape[1]
        self.n_obs_ = found.n_obs
        return self

    @one_thread
    def transform(self, X: npt.ArrayLike) -> FloatArray:
        """Score people on the factors, with the mean, standard deviation and weights of ``fit``.

        Parameters
        ----------
        X : array-like, shape (n, p)
            Answers, NaN where missing.

        Returns
        -------
        ndarray, shape (n, m)
            NaN where too few items were answered, or those answered do not determine the scores.
        """
        check_is_fitted(self)
        items = new_respondents(self, X)
        answered = (~np.isnan(items)).sum(axis=1)
        least = self.min_answered * items.shape[1] - SHARE_ROUNDING
        enough = (answered >= least) & (answered > 0)
        scores = np.full((len(items), self.n_factors_), np.nan)
        if enough.any():
            scores[enough] = factor_scores(
                items[enough],
                np.ones(int(enough.sum())),
                self.corr_,
                self.loadings_,
                self.phi_,
                method=self.scores,
                min_share=0.0,
                mean=self.mean_,
                sd=self.sd_,
            ).scores
        return scores

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """Return the names of the factors: F1, F2, ...

        Parameters
        ----------
        input_features : array-like of str, optional
            Only checked against the items of ``fit``.

        Returns
        -------
        ndarray of str, shape (m,)
        """
        check_is_fitted(self)
        check_input_features(self, input_features)
        return np.array([f"F{j + 1}" for j in range(self.n_factors_)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
