"""Rotation of factor loadings: orthogonal and oblique criteria, random starts, named variants.

Owns how factors are turned; never orders them or fixes their signs (see ``factor``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from psychoseg.stats.arrays import FloatArray, IntArray
from psychoseg.stats.factor import match_factors

__all__ = [
    "ROTATIONS",
    "Rival",
    "Rotation",
    "RotationMethod",
    "is_oblique",
    "rotate",
    "rotation_objective",
    "structure_matrix",
    "uses_kaiser",
]

RotationMethod = Literal[
    "none",
    "varimax",
    "quartimax",
    "equamax",
    "geomin_t",
    "target_t",
    "bifactor_t",
    "promax",
    "oblimin",
    "quartimin",
    "geomin_q",
    "target_q",
    "bifactor_q",
]
_ORTHOGONAL = ("none", "varimax", "quartimax", "equamax", "geomin_t", "target_t", "bifactor_t")
_OBLIQUE = ("promax", "oblimin", "quartimin", "geomin_q", "target_q", "bifactor_q")
ROTATIONS: tuple[str, ...] = _ORTHOGONAL + _OBLIQUE

#: Norm of the projected gradient at an optimum. GPArotation stops at 1e-5, which leaves 1e-6 in a
#: loading; repeated rows must give the loadings of weighted ones to 1e-10.
_GRADIENT_TOLERANCE = 1e-12
#: Below this the optimum counts as found, and the gradient decides over steps: what they gain in
#: the criterion is lost in rounding.
_GRADIENT_ENOUGH = 1e-5
_MAX_STEPS = 10_000
_MAX_HALVINGS = 11
#: Two optima are one where their criteria are this close, relative to the size of the criterion.
_SAME_OBJECTIVE = 1e-6
#: ... and their matched loadings this close; a tenth of what a reader would notice.
_SAME_LOADINGS = 0.01
#: An optimum whose criterion is at most this much worse, relative, rivals the best.
_RIVAL_OBJECTIVE = 0.01

#: The criterion and its gradient of loadings (s, p, m): values (s,) and (s, p, m).
_Criterion = Callable[[FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another optimum of the rotation, hardly worse than the one chosen.

    Attributes
    ----------
    objective : float
    loadings : ndarray, shape (p, m)
        Columns matched to those of the chosen optimum.
    largest_difference : float
        Largest absolute difference from the chosen loadings.
    times : int
        Starts that ended here.
    """

    objective: float
    loadings: FloatArray
    largest_difference: float
    times: int


@dataclass(frozen=True, slots=True)
class Rotation:
    """Rotated factors.

    Attributes
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings, ``unrotated @ inv(transform).T``.
    phi : ndarray, shape (m, m)
        Correlations of the factors, ``transform.T @ transform``.
    transform : ndarray, shape (m, m)
    objective : float
        The criterion, of the Kaiser-weighted loadings where these were rotated; NaN for ``none``
        and ``promax`` (which minimises none).
    converged : bool
    gradient : float
        Norm of the projected gradient; NaN for ``none`` and ``promax``.
    iterations : int
    kaiser : bool
        Whether Kaiser's normalisation was used.
    objectives : ndarray, shape (starts + 1,)
        Where each start ended, the unrotated axes first; NaN where it did not converge.
    n_at_best : int
        Starts that reached the best.
    rivals : tuple of Rival
        Other optima within 1% of the best criterion whose loadings differ by .01 or more; a
        reader should know of them.
    """

    loadings: FloatArray
    phi: FloatArray
    transform: FloatArray
    objective: float
    converged: bool
    gradient: float
    iterations: int
    kaiser: bool
    objectives: FloatArray
    n_at_best: int
    rivals: tuple[Rival, ...]


def rotate(
    loadings: FloatArray,
    method: RotationMethod,
    *,
    variant: Literal["psych", "spss"] = "psych",
    kaiser: bool | None = None,
    gamma: float = 0.0,
    delta: float = 0.01,
    power: float = 4.0,
    target: FloatArray | None = None,
    starts: int = 0,
    rng: np.random.Generator | None = None,
) -> Rotation:
    """Rotate factor loadings.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Unrotated, or rotated orthogonally.
    method : str
        One of :data:`ROTATIONS`; those that end in ``_t`` are orthogonal, in ``_q`` oblique.
    variant : {"psych", "spss"}
        Whose conventions hold where programs differ: Kaiser's normalisation, and the target of
        promax.
    kaiser : bool, optional
        Divide each item's loadings by the root of its communality before, and multiply after. Where
        absent, ``psych`` does so for varimax and promax alone and ``spss`` for every rotation.
    gamma : float
        Of oblimin: 0 is quartimin, .5 biquartimin; SPSS calls it delta. Above 0 the criterion has
        no minimum for some loadings.
    delta : float
        Of geomin, added to the squared loadings; .01 is GPArotation's, and Mplus' for 4 factors or
        more (it takes .0001 for 2 and .001 for 3).
    power : float
        Of promax; SPSS calls it kappa. 4 in psych and SPSS.
    target : ndarray, shape (p, m), optional
        Of target rotation; NaN where a loading is free. Orthogonal with nothing free it is
        Procrustes rotation.
    starts : int
        Random orthogonal starts beside the unrotated axes; promax takes none.
    rng : numpy.random.Generator, optional
        For the random starts.

    Returns
    -------
    Rotation
        The unrotated axes' own optimum where no start found a better one. Columns from a random
        start are matched to it. One factor comes back as it is.

    Raises
    ------
    ValueError
        For an unknown method, a target absent or of another shape, starts without ``rng``, or
        loadings that are not finite.

    Notes
    -----
    Gradient projection in all starts at once, with the step rule of GPArotation, so that the same
    start leads to the same one of several optima; it goes on until rounding ends it (GPArotation: a
    gradient of 1e-5). Matches GPArotation 2022.10.2: Varimax, quartimax, cfT (equamax: kappa = m /
    2p), geominT, targetT, bifactorT, oblimin, quartimin, geominQ, targetQ, bifactorQ. ``promax`` in
    the variant ``psych`` is ``psych::fa(rotate = "promax")``, and with ``kaiser=False``
    ``stats::promax`` and psych's ``"Promax"``; in the variant ``spss`` its target is made from
    Kaiser-weighted varimax loadings and fitted to the plain ones, as in SPSS and GNU PSPP. Bifactor
    leaves the first column free as the general factor.

    References
    ----------
    Jennrich (2001), Psychometrika 66, 289-306, and (2002), Psychometrika 67, 7-19, gradient
    projection. Bernaards & Jennrich (2005), Educ. Psychol. Meas. 65, 676-696, the criteria. Kaiser
    (1958), Psychometrika 23, 187-200. Crawford & Ferguson (1970), Psychometrika 35, 321-332. Yates
    (1987), Multivariate Exploratory Data Analysis, geomin. Jennrich & Bentler (2011, 2012),
    Psychometrika 76, 537-549 and 77, 442-454, bifactor. Hendrickson & White (1964), Br. J. Stat.
    Psychol. 17, 65-70, promax. Grieder & Steiner (2022), Behav. Res. Methods 54, 54-74, promax in
    psych and SPSS. IBM SPSS Statistics Algorithms, FACTOR.
    """
    if method not in ROTATIONS:
        msg = f"method = {method!r} is none of {', '.join(ROTATIONS)}"
        raise ValueError(msg)
    if not np.isfinite(loadings).all():
        msg = "the loadings hold NaN or infinity: the extraction failed"
        raise ValueError(msg)
    if starts > 0 and rng is None:
        msg = f"starts = {starts} takes an rng"
        raise ValueError(msg)
    m = loadings.shape[1]
    kaiser = uses_kaiser(method, variant) if kaiser is None else kaiser
    if method == "none" or m == 1:
        return _plain(loadings, np.eye(m), kaiser=False)
    if method == "promax":
        return _promax(loadings, variant=variant, kaiser=kaiser, power=power)
    scale = _kaiser_weights(loadings) if kaiser else np.ones((len(loadings), 1))
    criterion = _criterion(method, loadings.shape, gamma=gamma, delta=delta, target=target)
    first = np.eye(m)
    if method == "target_t" and target is not None and not np.isnan(target).any():
        # With nothing free the optimum is known: the polar factor (Schonemann 1966).
        left, _, right = np.linalg.svd((loadings / scale).T @ target)
        first = left @ right
    begin = [first]
    if rng is not None:
        begin += [_random_orthogonal(m, rng) for _ in range(starts)]
    ends = _project(loadings / scale, criterion, np.array(begin), oblique=method in _OBLIQUE)
    pinned = {"bifactor": "first", "target": "all"}.get(method.rsplit("_", 1)[0], "none")
    if pinned == "all" and target is not None and not np.nan_to_num(target).any():
        # A target of nothing but zeros does not mind which way a factor points.
        pinned = "order"
    return _chosen(ends, scale, kaiser=kaiser, pinned=pinned)


def rotation_objective(
    loadings: FloatArray,
    phi: FloatArray,
    method: RotationMethod,
    *,
    variant: Literal["psych", "spss"] = "psych",
    kaiser: bool | None = None,
    gamma: float = 0.0,
    delta: float = 0.01,
    target: FloatArray | None = None,
) -> float:
    """Return the criterion of loadings that some program has rotated.

    Parameters
    ----------
    loadings : ndarray, shape (p, m)
        Pattern loadings.
    phi : ndarray, shape (m, m)
    method, variant, kaiser, gamma, delta, target
        As in :func:`rotate`.

    Returns
    -------
    float
        On the scale of :attr:`Rotation.objective`; NaN for ``none`` and ``promax``.
    """
    if method in ("none", "promax"):
        return np.nan
    kaiser = uses_kaiser(method, variant) if kaiser is None else kaiser
    root = np.sqrt(np.maximum(((loadings @ phi) * loadings).sum(axis=1, keepdims=True), 0.0))
    scale = np.where(root > 0, root, 1.0) if kaiser else 1.0
    criterion = _criterion(method, loadings.shape, gamma=gamma, delta=delta, target=target)
    return float(criterion((loadings / scale)[None])[0][0])


def structure_matrix(loadings: FloatArray, phi: FloatArray) -> FloatArray:
    """Return the correlations of the items with the factors, ``loadings @ phi``, shape (p, m)."""
    return loadings @ phi


def uses_kaiser(method: RotationMethod, variant: Literal["psych", "spss"]) -> bool:
    """Return whether a program rotates by this method with Kaiser's normalisation."""
    return method != "none" and (variant == "spss" or method in ("varimax", "promax"))


def is_oblique(method: RotationMethod) -> bool:
    """Return whether a rotation lets factors correlate."""
    return method in _OBLIQUE


@dataclass(frozen=True, slots=True)
class _Ends:
    """Where each of s starts ended."""

    loadings: FloatArray
    transform: FloatArray
    objective: FloatArray
    gradient: FloatArray
    iterations: IntArray


def _criterion(
    method: str,
    shape: tuple[int, ...],
    *,
    gamma: float,
    delta: float,
    target: FloatArray | None,
) -> _Criterion:
    p, m = shape
    if method in ("target_t", "target_q"):
        if target is None or target.shape != (p, m):
            got = "none" if target is None else f"one of shape {target.shape}"
            msg = f"{method} takes a target of shape {(p, m)}, NaN where free, and got {got}"
            raise ValueError(msg)
        goal = target
        return lambda x: _target(x, goal)
    if method in ("geomin_t", "geomin_q"):
        return lambda x: _geomin(x, delta)
    if method == "equamax":
        return lambda x: _crawford_ferguson(x, m / (2 * p))
    fixed: dict[str, _Criterion] = {
        "varimax": _varimax,
        "quartimax": _quartimax,
        "oblimin": lambda x: _oblimin(x, gamma),
        "quartimin": lambda x: _oblimin(x, 0.0),
        "bifactor_t": _bifactor,
        "bifactor_q": _bifactor,
    }
    return fixed[method]


def _varimax(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    centred = x**2 - (x**2).mean(axis=-2, keepdims=True)
    return -(centred**2).sum(axis=(-2, -1)) / 4, -x * centred


def _quartimax(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    return -(x**4).sum(axis=(-2, -1)) / 4, -(x**3)


def _crawford_ferguson(x: FloatArray, kappa: float) -> tuple[FloatArray, FloatArray]:
    squared = x**2
    in_row = squared.sum(axis=-1, keepdims=True) - squared
    in_column = squared.sum(axis=-2, keepdims=True) - squared
    slope = (1 - kappa) * in_row + kappa * in_column
    return (squared * slope).sum(axis=(-2, -1)) / 4, x * slope


def _oblimin(x: FloatArray, gamma: float) -> tuple[FloatArray, FloatArray]:
    squared = x**2
    others = squared.sum(axis=-1, keepdims=True) - squared
    others = others - gamma * others.mean(axis=-2, keepdims=True)
    return (squared * others).sum(axis=(-2, -1)) / 4, x * others


def _geomin(x: FloatArray, delta: float) -> tuple[FloatArray, FloatArray]:
    m = x.shape[-1]
    raised = x**2 + delta
    product = np.exp(np.log(raised).sum(axis=-1, keepdims=True) / m)
    return product.sum(axis=(-2, -1)), (2 / m) * (x / raised) * product


def _target(x: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    away = np.where(np.isnan(target), 0.0, x - target)
    return (away**2).sum(axis=(-2, -1)), 2 * away


def _bifactor(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    group = x[..., 1:] ** 2
    others = group.sum(axis=-1, keepdims=True) - group
    gradient = np.zeros_like(x)
    gradient[..., 1:] = 4 * x[..., 1:] * others
    return (group * others).sum(axis=(-2, -1)), gradient


def _project(a: FloatArray, criterion: _Criterion, begin: FloatArray, *, oblique: bool) -> _Ends:
    """Follow the projected gradient from every start (s, m, m) at once."""
    axes = begin.copy()
    loadings = _turned(a, axes, oblique=oblique)
    value, slope = criterion(loadings)
    size: FloatArray = np.ones(len(axes))
    norm: FloatArray = np.full(len(axes), np.inf)
    iterations: IntArray = np.zeros(len(axes), dtype=np.intp)
    going = np.arange(len(axes))
    for _ in range(_MAX_STEPS):
        downhill = _tangent(a, axes[going], loadings[going], slope[going], oblique=oblique)
        norm[going] = np.sqrt((downhill**2).sum(axis=(1, 2)))
        unfinished = norm[going] >= _GRADIENT_TOLERANCE
        going, downhill = going[unfinished], downhill[unfinished]
        if len(going) == 0:
            break
        near = norm[going] < _GRADIENT_ENOUGH
        step = np.where(near, 1.0, 2.0) * size[going]
        for halving in range(_MAX_HALVINGS):
            trial = _onto(axes[going] - step[:, None, None] * downhill, oblique=oblique)
            turned = _turned(a, trial, oblique=oblique)
            new, new_slope = criterion(turned)
            enough = new < value[going] - 0.5 * norm[going] ** 2 * step
            if near.any():
                left = _tangent(a, trial, turned, new_slope, oblique=oblique)
                enough[near] = (np.sqrt((left**2).sum(axis=(1, 2))) < norm[going])[near]
            # Like GPArotation, take the last trial whatever it is.
            if enough.all() or halving == _MAX_HALVINGS - 1:
                break
            step[~enough] /= 2
        # Near the optimum, no step that shortens the gradient is left: what remains is rounding.
        stuck = near & ~enough
        moved = going[~stuck]
        axes[moved], loadings[moved] = trial[~stuck], turned[~stuck]
        value[moved], slope[moved], size[moved] = new[~stuck], new_slope[~stuck], step[~stuck]
        iterations[moved] += 1
        going = moved
    return _Ends(loadings, axes, value, norm, iterations)


def _turned(a: FloatArray, axes: FloatArray, *, oblique: bool) -> FloatArray:
    return a @ (np.linalg.inv(axes).swapaxes(1, 2) if oblique else axes)


def _tangent(
    a: FloatArray, axes: FloatArray, loadings: FloatArray, slope: FloatArray, *, oblique: bool
) -> FloatArray:
    """Project the gradient in the axes onto what keeps them of unit length, or orthogonal."""
    if oblique:
        inner = loadings.swapaxes(1, 2) @ slope @ np.linalg.inv(axes)
        gradient = -inner.swapaxes(1, 2)
        return np.asarray(gradient - axes * (axes * gradient).sum(axis=1, keepdims=True))
    gradient = a.T @ slope
    cross = axes.swapaxes(1, 2) @ gradient
    return np.asarray(gradient - axes @ ((cross + cross.swapaxes(1, 2)) / 2))


def _onto(axes: FloatArray, *, oblique: bool) -> FloatArray:
    """Return the nearest axes of unit length, or orthogonal ones."""
    if oblique:
        return np.asarray(axes / np.sqrt((axes**2).sum(axis=1, keepdims=True)))
    left, _, right = np.linalg.svd(axes)
    return np.asarray(left @ right)


def _chosen(ends: _Ends, scale: FloatArray, *, kaiser: bool, pinned: str) -> Rotation:
    """Take the best end, the first one's where it is as good, and name its rivals."""
    converged = ends.gradient < _GRADIENT_ENOUGH
    objectives = np.where(converged, ends.objective, np.nan)
    lowest = np.nanmin(objectives) if converged.any() else ends.objective[0]
    size = max(abs(lowest), 1e-12)
    at_best = objectives <= lowest + _SAME_OBJECTIVE * size
    best = 0 if at_best[0] or not converged.any() else int(np.nanargmin(objectives))
    order, sign = _matching(ends.loadings[0], ends.loadings[best], pinned)
    loadings = (ends.loadings[best] * scale)[:, order] * sign
    rivals: list[Rival] = []
    for i in np.flatnonzero(objectives <= lowest + _RIVAL_OBJECTIVE * size):
        columns, turn = _matching(loadings, ends.loadings[i] * scale, pinned)
        other = (ends.loadings[i] * scale)[:, columns] * turn
        away = float(np.abs(other - loadings).max())
        if away < _SAME_LOADINGS:
            continue
        for j, known in enumerate(rivals):
            if np.abs(other - known.loadings).max() < _SAME_LOADINGS:
                rivals[j] = Rival(
                    known.objective, known.loadings, known.largest_difference, known.times + 1
                )
                break
        else:
            rivals.append(Rival(float(objectives[i]), other, away, 1))
    transform = ends.transform[best][:, order] * sign
    return Rotation(
        loadings=loadings,
        phi=_unit(transform.T @ transform),
        transform=transform,
        objective=float(ends.objective[best]),
        converged=bool(converged[best]),
        gradient=float(ends.gradient[best]),
        iterations=int(ends.iterations[best]),
        kaiser=kaiser,
        objectives=objectives,
        n_at_best=int(at_best.sum()),
        rivals=tuple(sorted(rivals, key=lambda rival: rival.objective)),
    )


def _matching(a: FloatArray, b: FloatArray, pinned: str) -> tuple[IntArray, FloatArray]:
    """Return the order and signs of b's columns that match a's, those that stay put left alone."""
    m = a.shape[1]
    fixed = {"all": m, "order": m, "first": 1, "none": 0}[pinned]
    order = np.arange(m)
    if fixed < m:
        order[fixed:] = match_factors(a[:, fixed:], b[:, fixed:])[1] + fixed
    sign = np.where((a * b[:, order]).sum(axis=0) < 0, -1.0, 1.0)
    return order, np.ones(m) if pinned == "all" else sign


def _promax(
    loadings: FloatArray, *, variant: Literal["psych", "spss"], kaiser: bool, power: float
) -> Rotation:
    """Raise varimax loadings to a power and fit them to that, obliquely."""
    scale = _kaiser_weights(loadings) if kaiser else np.ones((len(loadings), 1))
    # Varimax itself is Kaiser-weighted in both programs, and in stats::promax.
    varimax = rotate(loadings, "varimax", kaiser=True)
    if variant == "psych":
        fitted = varimax.loadings / scale
        goal = fitted * np.abs(fitted) ** (power - 1)
    else:
        fitted = varimax.loadings
        weighted = fitted / scale
        # A Kaiser-weighted power, in the units of the plain loadings.
        goal = weighted * np.abs(weighted) ** (power - 1)
    change = np.linalg.lstsq(fitted, goal, rcond=None)[0]
    change = change * np.sqrt(np.diag(np.linalg.inv(change.T @ change)))
    # Loadings are unrotated @ inv(transform).T.
    transform = varimax.transform @ np.linalg.inv(change).T
    found = _plain(loadings, transform, kaiser=kaiser)
    return Rotation(
        loadings=found.loadings,
        phi=found.phi,
        transform=transform,
        objective=np.nan,
        converged=varimax.converged,
        gradient=np.nan,
        iterations=varimax.iterations,
        kaiser=kaiser,
        objectives=found.objectives,
        n_at_best=1,
        rivals=(),
    )


def _plain(loadings: FloatArray, transform: FloatArray, *, kaiser: bool) -> Rotation:
    return Rotation(
        loadings=loadings @ np.linalg.inv(transform).T,
        phi=_unit(transform.T @ transform),
        transform=transform,
        objective=np.nan,
        converged=True,
        gradient=np.nan,
        iterations=0,
        kaiser=kaiser,
        objectives=np.array([np.nan]),
        n_at_best=1,
        rivals=(),
    )


def _kaiser_weights(loadings: FloatArray) -> FloatArray:
    """Return the root of each communality, shape (p, 1); 1 for an item without any."""
    root = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    return np.where(root > 0, root, 1.0)


def _unit(phi: FloatArray) -> FloatArray:
    """Return the correlations with a diagonal of exactly 1."""
    phi = (phi + phi.T) / 2
    np.fill_diagonal(phi, 1.0)
    return phi


def _random_orthogonal(m: int, rng: np.random.Generator) -> FloatArray:
    """Return an orthogonal matrix drawn uniformly (Stewart 1980)."""
    q, r = np.linalg.qr(rng.standard_normal((m, m)))
    return q * np.sign(np.diag(r))
