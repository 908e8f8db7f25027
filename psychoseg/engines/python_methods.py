"""Flat methods of the python engine: k-means, medoids, mixtures, latent classes, density.

Owns which library or function of ``stats`` divides the points, what it cannot do, and the numbers
of the segments. Never chooses how many there are.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy.linalg import eigh
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

from psychoseg.engines.base import (
    FlatMethod,
    FloatArray,
    IntArray,
    PartitionOptions,
    RawPartition,
    by_weight,
    no_distances,
)
from psychoseg.errors import EngineError, PsychosegWarning
from psychoseg.stats.arrays import collapse, one_thread
from psychoseg.stats.partition import consolidate, k_means, k_medoids

if TYPE_CHECKING:
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from stepmix.stepmix import StepMix

__all__ = ["KDistances", "flat_partition", "k_distances"]

#: Points of pam, which holds their distances several times: 1.5 GB at 6,000.
_MOST_MEDOID_POINTS = 6_000
#: People of hdbscan, whose time grows with their square: a minute at 50,000.
_MOST_HDBSCAN_PEOPLE = 50_000
#: Neighbours that dbscan may hold, 8 bytes each, and points that they are guessed from.
_MOST_NEIGHBOURS, _SAMPLED = 100_000_000, 1_000
#: Points up to which every start of k-means moves points one by one, and from which none does and
#: the search ends at scikit-learn's own tolerance: to the very end a million takes minutes.
_FEW_POINTS, _MANY_POINTS = 2_000, 200_000
#: Points that all starts together look at: with few points more starts than asked for cost nothing,
#: with many points fewer end at sums that hardly differ.
_LEAST_LOOKED_AT, _MOST_LOOKED_AT, _FEW_STARTS = 50_000, 500_000, 4
#: More starts than these find nothing new among few points, and up to so many segments few are
#: needed: more segments have more divisions that no single move betters.
_MANY_STARTS, _FEW_SEGMENTS = 300, 6
#: People a step of mini-batch k-means looks at: scikit-learn's advice is 256 for each core and more
#: for precision.
_BATCH = 4_096
#: Covariances of a Gaussian mixture, the simplest first, as StepMix calls them.
_COVARIANCES = ("spherical", "diag", "tied", "full")
#: The least variance of a segment in any direction, of that of all people: less is a spike on tied
#: answers, whose likelihood has no bound.
_SPIKE = 1e-3
#: What StepMix adds to each variance.
_REGULAR = 1e-6
#: EM: steps and change of the mean log-likelihood of the first look, from all starts, and of the
#: run to the end from the best of them; a step of StepMix takes a millisecond or more.
_LOOK_STEPS, _LOOK_CHANGE = 50, 1e-5
_BEST, _EM_STEPS, _EM_CHANGE = 2, 5_000, 1e-9
#: Points whose nearest neighbours are held at once.
_ROWS = 50_000
#: Rounding between two programs' distances must not part equal ones.
_ROUNDING = 1e-9
#: Lloyd's steps of k-means, where some tens are usual, and scikit-learn's change of the centres at
#: which they end.
_LLOYD_STEPS, _LLOYD_CHANGE = 1_000, 1e-4
#: Seeds are drawn below this, as libraries take them.
_SEEDS = 2**31 - 1

_Search: TypeAlias = Callable[
    [FloatArray, FloatArray, int, np.random.Generator, PartitionOptions], "_Found"
]


@dataclass(frozen=True, slots=True)
class KDistances:
    """How far people are from their neighbours, for the plot that ``eps`` is read off.

    Attributes
    ----------
    distance : ndarray, shape (m,)
        Of each point, ascending: within it are ``min_samples`` people, those at the point included.
    share : ndarray, shape (m,)
        Share of the people up to and with this point.
    knee : float
        The distance at the knee, the default of ``eps``; NaN where all distances are 0.
    """

    distance: FloatArray
    share: FloatArray
    knee: float


@one_thread
def flat_partition(
    x: FloatArray,
    method: FlatMethod,
    weights: FloatArray,
    *,
    k: int | None,
    rng: np.random.Generator,
    options: PartitionOptions | None = None,
    distances: FloatArray | None = None,
) -> RawPartition:
    """Divide points into segments.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        Finite coordinates; for ``lca`` codes of categories, NaN where missing.
    method : {"kmeans", "minibatch", "pam", "gmm", "lca", "dbscan", "hdbscan"}
    weights : ndarray, shape (m,)
        Positive. A point of weight w counts as w people.
    k : int or None
        None for dbscan and hdbscan.
    rng : numpy.random.Generator
    options : PartitionOptions, optional
    distances : ndarray, shape (m, m), optional
        For ``pam``, such as Gower's; Euclidean where absent.

    Returns
    -------
    RawPartition

    Raises
    ------
    EngineError
        Where the method cannot do it: too many points, weights it does not take, no density.
    ValueError
        Where numbers are not finite, weights not positive, or k is out of range.

    Warns
    -----
    PsychosegWarning
        Where a search did not converge, a segment has no members, or a model has more parameters
        than the answers can tell.

    Notes
    -----
    ``kmeans``: :func:`psychoseg.stats.partition.k_means` to 2,000 points, from more starts than
    asked for where points are few. On McDonald's survey (264 points, k = 6) it ends at 1325.09,
    where scikit-learn's ``KMeans`` from as many starts ends at 1325.12 to 1329: Lloyd's steps stop
    where moving single points still helps. With more points ``KMeans`` makes the starts, twenty
    times faster, and single points move from its best (to 200,000 points).

    ``minibatch``: scikit-learn. ``pam``: :func:`psychoseg.stats.partition.k_medoids`, since no
    library's takes weights.

    ``gmm``: StepMix, because scikit-learn's ``GaussianMixture`` takes no weights (without weights
    both and mclust reach the same likelihood on iris). Of spherical, diagonal, common and full
    covariances the best BIC is kept, spikes on tied answers left out. ``lca``: StepMix, missing
    answers by full information maximum likelihood. BIC is ``-2 log L + p log(sum of weights)``, ICL
    that plus twice the entropy of the memberships.

    ``dbscan``, ``hdbscan``: scikit-learn. hdbscan takes no weights: a point of integer weight is
    repeated.

    Identical rows are one point of their weight, so repeated rows equal integer weights.

    References
    ----------
    Sculley (2010), WWW, 1177-1178, mini-batch. Fraley & Raftery (2002), JASA 97, 611-631, BIC.
    Biernacki, Celeux & Govaert (2000), IEEE PAMI 22, 719-725, ICL. Biernacki, Celeux & Govaert
    (2003), CSDA 41, 561-575, short runs of EM. Ester, Kriegel, Sander & Xu (1996), KDD, 226-231.
    Campello, Moulavi & Sander (2013), PAKDD, 160-172. Morin et al. (2025), J. Stat. Softw. 113(8),
    StepMix.
    """
    options = options or PartitionOptions()
    _check(x, weights, method, distances)
    if method == "pam":
        return _pam(x, weights, _check_k(k, method, len(weights)), distances)
    codes = _codes(x, options.categories) if method == "lca" else x
    points = collapse(codes, weights)
    if method in ("dbscan", "hdbscan"):
        density = _dbscan if method == "dbscan" else _hdbscan
        found = _Found(density(points.x, points.weights, options))
    else:
        n_wanted = _check_k(k, method, len(points.x))
        found = _SEARCHES[method](points.x, points.weights, n_wanted, rng, options)
        if (without := n_wanted - len(np.unique(found.labels))) > 0:
            _tell(f"{method} with {k} segments leaves {without} without members; try fewer")
    labels, order = by_weight(found.labels, points.weights)
    posterior = found.posterior
    if posterior is not None:
        empty = [j for j in range(posterior.shape[1]) if j not in order]
        posterior = posterior[:, [*order, *empty]][points.point_of]
    return RawPartition(labels[points.point_of], posterior, found.bic, found.icl)


def k_distances(x: FloatArray, weights: FloatArray, min_samples: int) -> KDistances:
    """Find how far from each point its ``min_samples``-th person is.

    Parameters
    ----------
    x : ndarray, shape (m, d)
        Finite coordinates.
    weights : ndarray, shape (m,)
        Positive. A point of weight w counts as w people.
    min_samples : int
        People, those at the point itself included, as dbscan counts them.

    Returns
    -------
    KDistances

    Raises
    ------
    ValueError
        Where numbers are not finite, weights not positive, or there are fewer people than
        ``min_samples``.

    Notes
    -----
    The knee is Kneedle's: both axes from 0 to 1, the point farthest below the diagonal. Where the
    knee is at 0, for most people share their answers with others, it is the least distance above.

    References
    ----------
    Ester, Kriegel, Sander & Xu (1996), KDD, 226-231, sec. 4.2. Satopaa, Albrecht, Irwin & Raghavan
    (2011), ICDCS Workshops, 166-171.
    """
    _check(x, weights, "dbscan", None)
    total = float(weights.sum())
    if not 1 <= min_samples <= total * (1 + _ROUNDING):
        msg = f"min_samples = {min_samples} is not between 1 and the {total:g} people"
        raise ValueError(msg)
    points = collapse(x, weights)
    distance = _reach(points.x, points.weights, min_samples)
    order = np.argsort(distance, kind="stable")
    distance, share = distance[order], np.cumsum(points.weights[order]) / total
    if distance[-1] == 0:
        return KDistances(distance, share, np.nan)
    height = (distance - distance[0]) / max(distance[-1] - distance[0], np.finfo(float).tiny)
    knee = float(distance[int((share - height).round(9).argmax())])
    if knee == 0:
        knee = float(distance[distance > 0][0])
    return KDistances(distance, share, knee)


@dataclass(frozen=True, slots=True)
class _Found:
    labels: IntArray
    posterior: FloatArray | None = None
    bic: float = np.nan
    icl: float = np.nan


def _check(
    x: FloatArray, weights: FloatArray, method: FlatMethod, distances: FloatArray | None
) -> None:
    if distances is not None and method != "pam":
        raise no_distances(method)
    if distances is None:
        if x.ndim != 2 or not x.size:
            msg = "there is nothing to divide: no rows or no columns"
            raise ValueError(msg)
        finite = ~np.isinf(x) if method == "lca" else np.isfinite(x)
        if not finite.all():
            msg = "coordinates must be finite"
            raise ValueError(msg)
    n = len(x if distances is None else distances)
    if weights.shape != (n,) or not (np.isfinite(weights) & (weights > 0)).all():
        msg = "weights must be positive and finite, one a point"
        raise ValueError(msg)


def _check_k(k: int | None, method: FlatMethod, n: int) -> int:
    if k is None or not 1 <= k <= n:
        msg = f"{method} takes a k between 1 and the {n} distinct points, not {k}"
        raise ValueError(msg)
    return k


def _k_means(
    x: FloatArray, weights: FloatArray, k: int, rng: np.random.Generator, options: PartitionOptions
) -> _Found:
    n, converged = len(x), True
    if n <= _FEW_POINTS:
        starts = options.starts
        if starts > _FEW_STARTS:
            looked_at = _LEAST_LOOKED_AT * max(k, _FEW_SEGMENTS) // _FEW_SEGMENTS
            starts = max(starts, min(looked_at // n, _MANY_STARTS))
        found = k_means(x, weights, k, rng=rng, starts=starts)
        labels, converged = found.labels, found.converged
    else:
        from sklearn.cluster import KMeans

        model = KMeans(
            k,
            n_init=min(options.starts, max(_FEW_STARTS, _MOST_LOOKED_AT // n)),
            max_iter=_LLOYD_STEPS,
            tol=0.0 if n < _MANY_POINTS else _LLOYD_CHANGE,
            random_state=_seed(rng),
        )
        labels = _fitted(model, x, weights)
        if n < _MANY_POINTS:
            better = consolidate(x, weights, labels).partition
            labels, converged = better.labels, better.converged
    if not converged:
        _tell(f"k-means with {k} segments was ended while points still moved; try fewer segments")
    return _Found(labels)


def _minibatch(
    x: FloatArray, weights: FloatArray, k: int, rng: np.random.Generator, options: PartitionOptions
) -> _Found:
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(
        k, batch_size=_BATCH, n_init=min(options.starts, _FEW_STARTS), random_state=_seed(rng)
    )
    return _Found(_fitted(model, x, weights))


def _pam(x: FloatArray, weights: FloatArray, k: int, distances: FloatArray | None) -> RawPartition:
    n = len(weights)
    if n > _MOST_MEDOID_POINTS:
        raise EngineError(
            f"pam holds the distances of all points and takes up to {_MOST_MEDOID_POINTS:,} of "
            f'them, not {n:,}. Use method = "kmeans".'
        )
    found = k_medoids(cdist(x, x) if distances is None else distances, weights, k)
    labels, _ = by_weight(found.labels, weights)
    return RawPartition(labels, None, np.nan, np.nan)


def _fitted(model: KMeans | MiniBatchKMeans, x: FloatArray, weights: FloatArray) -> IntArray:
    # Centred, so that a mean far from zero costs no digits, and the scale of the weights taken off.
    at = x - weights @ x / weights.sum()
    with _quiet():
        found = model.fit(at, sample_weight=weights / weights.mean())
    return np.asarray(found.labels_, dtype=np.intp)


def _gaussian_mixture(
    x: FloatArray, weights: FloatArray, k: int, rng: np.random.Generator, options: PartitionOptions
) -> _Found:
    total, d = float(weights.sum()), x.shape[1]
    at = x - weights @ x / total
    scale = float(np.sqrt(weights @ (at**2).sum(axis=1) / total / d))
    if scale == 0:
        raise EngineError("a Gaussian mixture needs points that differ, and these are all alike")
    at, seed = at / scale, _seed(rng)
    free = {"spherical": k, "diag": k * d, "tied": d * (d + 1) // 2, "full": k * d * (d + 1) // 2}
    spread = (weights * at.T) @ at / total + _REGULAR * np.eye(d)
    best: _Found | None = None
    for covariance in _COVARIANCES:
        model = _em(at, weights, k, f"gaussian_{covariance}", seed, options.starts, spread)
        if model is None:
            continue
        n_parameters = k - 1 + k * d + free[covariance]
        found = _mixture(model, at, weights, n_parameters, jacobian=-d * np.log(scale))
        if best is None or found.bic < best.bic:
            best = found
    if best is None:
        raise EngineError(
            f"every Gaussian mixture with k = {k} ends in a segment without spread: the answers "
            'are too few or too tied for it. Use a smaller k, or method = "lca" for categories.'
        )
    return best


def _latent_classes(
    x: FloatArray, weights: FloatArray, k: int, rng: np.random.Generator, options: PartitionOptions
) -> _Found:
    codes = np.where(x < 0, np.nan, x)
    observed = [len(np.unique(column[column >= 0])) for column in x.T]
    categories = options.categories or tuple(observed)
    if min(observed) == 0:
        raise EngineError(
            f"column {int(np.argmin(observed)) + 1} of the latent class analysis has no answer"
        )
    n_parameters = k - 1 + k * sum(c - 1 for c in categories)
    cells = min(float(np.prod([float(c) for c in categories])), float(weights.sum()))
    if k > 1 and n_parameters > cells - 1:
        _tell(
            f"{k} latent classes have {n_parameters} parameters, and the answers tell at most "
            f"{cells - 1:.0f}: the classes are not determined; try fewer"
        )
    model = _em(codes, weights, k, "categorical_nan", _seed(rng), options.starts)
    if model is None:
        raise EngineError(f"the latent class analysis with k = {k} failed; use a smaller k")
    return _mixture(model, codes, weights, n_parameters)


_SEARCHES: dict[FlatMethod, _Search] = {
    "kmeans": _k_means,
    "minibatch": _minibatch,
    "gmm": _gaussian_mixture,
    "lca": _latent_classes,
}


def _em(
    x: FloatArray,
    weights: FloatArray,
    k: int,
    measurement: str,
    seed: int,
    starts: int,
    spread: FloatArray | None = None,
) -> StepMix | None:
    """Run EM a little from every start and to the end from the best; None where all fail.

    With the covariances of all people as ``spread``, runs into a spike fail.
    """
    from stepmix.stepmix import StepMix

    mass = weights / weights.mean()

    def run(start: int, steps: int, change: float) -> tuple[float, StepMix] | None:
        model = StepMix(
            n_components=k,
            measurement=measurement,
            init_params="random" if measurement == "categorical_nan" else "kmeans",
            random_state=(seed + start) % _SEEDS,
            max_iter=steps,
            abs_tol=change,
            rel_tol=0,
            progress_bar=0,
        )
        try:
            with _quiet():
                model.fit(x, sample_weight=mass)
        except (ValueError, np.linalg.LinAlgError):
            # scikit-learn's word for a covariance that is none; another start may do.
            return None
        score = float(model.score(x, sample_weight=mass))
        if not np.isfinite(score) or (spread is not None and _has_spike(model, spread)):
            return None
        return score, model

    looks = [(run(start, _LOOK_STEPS, _LOOK_CHANGE), start) for start in range(starts)]
    ranked = sorted((-look[0], start) for look, start in looks if look is not None)
    # The same start again, which goes the same way and then on.
    done: list[tuple[float, StepMix]] = []
    for _, start in ranked:
        if len(done) < _BEST and (ended := run(start, _EM_STEPS, _EM_CHANGE)) is not None:
            done.append(ended)
    if not done:
        return None
    model = max(done, key=lambda one: one[0])[1]
    if model.n_iter_ >= _EM_STEPS:
        _tell(
            f"the mixture ({measurement}) with {k} segments did not converge after "
            f"{_EM_STEPS:,} steps; try fewer segments"
        )
    return model


def _mixture(
    model: StepMix,
    x: FloatArray,
    weights: FloatArray,
    n_parameters: int,
    *,
    jacobian: float = 0.0,
) -> _Found:
    total = float(weights.sum())
    with _quiet():
        posterior = np.asarray(model.predict_proba(x), dtype=np.float64)
        mean_log = float(model.score(x, sample_weight=weights / weights.mean()))
    bic = -2 * total * (mean_log + jacobian) + n_parameters * float(np.log(total))
    logs = np.log(posterior, where=posterior > 0, out=np.zeros_like(posterior))
    entropy = -float(weights @ (posterior * logs).sum(axis=1))
    return _Found(posterior.argmax(axis=1), posterior, bic, bic + 2 * entropy)


def _has_spike(model: StepMix, spread: FloatArray) -> bool:
    """Return whether a segment has next to no variance in some direction that all people have."""
    found = np.asarray(model.get_parameters()["measurement"]["covariances"])
    if found.ndim == 1:
        return bool(found.min() < _SPIKE * np.trace(spread) / len(spread))
    if model.measurement == "gaussian_diag":
        return bool((found < _SPIKE * np.diag(spread)).any())
    each = found[None] if found.ndim == 2 else found
    return any(float(eigh(c, spread, eigvals_only=True)[0]) < _SPIKE for c in each)


def _codes(x: FloatArray, categories: tuple[int, ...] | None) -> FloatArray:
    """Return codes from 0 without gaps, -1 where missing."""
    if categories is not None:
        given = np.isnan(x) | ((x >= 0) & (x < np.array(categories)) & (x == np.floor(x)))
        if len(categories) != x.shape[1] or not given.all():
            msg = f"codes of {len(categories)} columns must be whole, from 0 to below {categories}"
            raise ValueError(msg)
    codes = np.full(x.shape, -1.0)
    for j, column in enumerate(x.T):
        there = ~np.isnan(column)
        codes[there, j] = np.unique(column[there], return_inverse=True)[1]
    return codes


def _dbscan(x: FloatArray, weights: FloatArray, options: PartitionOptions) -> IntArray:
    from sklearn.cluster import DBSCAN

    eps = options.eps
    _check_people("dbscan", float(weights.sum()) * (1 + _ROUNDING), options.min_samples)
    if eps is None:
        eps = k_distances(x, weights, options.min_samples).knee
        if np.isnan(eps):
            raise EngineError(
                f"dbscan finds no eps: everybody has {options.min_samples - 1} others at distance "
                "0, so that there is no knee. Give eps in [segments], or a larger min_samples."
            )
    if not eps > 0:
        raise EngineError(f"dbscan takes an eps above 0, not {eps:g}. Give another in [segments].")
    eps *= 1 + _ROUNDING
    sample = x[:: max(1, len(x) // _SAMPLED)]
    neighbours = KDTree(x).query_ball_point(sample, eps, return_length=True).mean()
    if neighbours * len(x) > _MOST_NEIGHBOURS:
        raise EngineError(
            f"within eps = {eps:.4g} of a point there are {neighbours:,.0f} others on average, and "
            f"of {len(x):,} points these do not fit into memory. Use a smaller eps (and "
            'min_samples), or method = "minibatch".'
        )
    model = DBSCAN(eps=eps, min_samples=options.min_samples, n_jobs=1)
    # A sum of weights of 9.9999999 is ten people.
    found = model.fit(x, sample_weight=weights * (1 + _ROUNDING))
    return np.asarray(found.labels_, dtype=np.intp)


def _hdbscan(x: FloatArray, weights: FloatArray, options: PartitionOptions) -> IntArray:
    from sklearn.cluster import HDBSCAN

    people = weights.round().astype(np.intp)
    if (np.abs(weights - people) > _ROUNDING).any() or people.min() < 1:
        raise EngineError(
            "hdbscan counts people and takes no fractions of them: the weights go from "
            f'{weights.min():g} to {weights.max():g}. Use method = "dbscan", or no weights.'
        )
    if people.sum() > _MOST_HDBSCAN_PEOPLE:
        raise EngineError(
            f"hdbscan takes up to {_MOST_HDBSCAN_PEOPLE:,} people, not {people.sum():,}. "
            'Use method = "dbscan".'
        )
    _check_people("hdbscan", float(people.sum()), max(2, options.min_samples))
    model = HDBSCAN(
        min_cluster_size=max(2, options.min_samples),
        min_samples=options.min_samples,
        n_jobs=1,
        copy=True,
    )
    found = np.asarray(model.fit(np.repeat(x, people, axis=0)).labels_, dtype=np.intp)
    # Copies of a point belong together: its first speaks for all.
    labels: IntArray = found[np.cumsum(people) - people]
    return labels


def _check_people(method: FlatMethod, people: float, least: int) -> None:
    if people < least:
        raise EngineError(
            f"{method} with [segments] min_samples = {least} needs as many people, not "
            f"{people:.10g}. Set a smaller min_samples."
        )


def _reach(x: FloatArray, weights: FloatArray, min_samples: int) -> FloatArray:
    """Return the distance within which each point finds its people."""
    tree = KDTree(x)
    reach: FloatArray = np.empty(len(x))
    open_rows = np.arange(len(x))
    n_near = min(len(x), min_samples)
    wanted = min_samples * (1 - _ROUNDING)
    while len(open_rows):
        unreached = []
        for start in range(0, len(open_rows), _ROWS):
            rows = open_rows[start : start + _ROWS]
            distance, near = tree.query(x[rows], k=np.arange(1, n_near + 1))
            enough = np.cumsum(weights[near], axis=1) >= wanted
            enough[:, -1] |= n_near == len(x)
            reach[rows] = np.asarray(distance)[np.arange(len(rows)), enough.argmax(axis=1)]
            unreached.append(rows[~enough.any(axis=1)])
        # Points of weights below one need more neighbours than people.
        open_rows, n_near = np.concatenate(unreached), min(len(x), 2 * n_near)
    return reach


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(_SEEDS))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries say to programmers from users; what matters is checked and told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _tell(message: str) -> None:
    warnings.warn(message, PsychosegWarning, stacklevel=5)
