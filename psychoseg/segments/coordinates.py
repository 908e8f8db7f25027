"""Columns of distinct respondents -> coordinates: components, or principal coordinates of Gower's.

Owns the scale of columns, how many components are kept, and how new people are put among the old
ones. Never reads a survey (``space`` does).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from psychoseg.errors import DataError
from psychoseg.stats.arrays import FloatArray, IntArray, on_grid, positive_signs
from psychoseg.stats.gower import ColumnKind, gower_distances
from psychoseg.stats.mixed_reduction import block_divisors, code_columns
from psychoseg.stats.reduction import (
    component_parallel,
    components_by_share,
    principal_components,
)
from psychoseg.study_segments import ReduceSettings

__all__ = [
    "MAX_GOWER_POINTS",
    "Entry",
    "GowerProjection",
    "LinearProjection",
    "Reduced",
    "reduce_columns",
]

#: Distinct respondents that Gower's distances are reduced for: the eigenvectors of 4,000 take half
#: a minute and 0.7 GB, and both grow fast from there.
MAX_GOWER_POINTS = 4_000

#: An eigenvalue below this part of the largest is zero but for rounding.
_NO_VARIANCE = 1e-12
#: Coordinates are held to this part of the first component's spread: what is finer is rounding


@dataclass(frozen=True, slots=True)
class LinearProjection:
    """Columns to components, with the constants of the respondents they were found on.

    Attributes
    ----------
    levels : tuple of int
        Number of categories of each nominal column; these come after the others.
    mean, divisor : ndarray, shape (c,)
    vectors : ndarray, shape (c, d)
    """

    levels: tuple[int, ...]
    mean: FloatArray
    divisor: FloatArray
    vectors: FloatArray

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Return coordinates (r, d) of columns (r, v), which are those of ``Space.columns``."""
        coordinates: FloatArray = (
            (_widen(columns, self.levels) - self.mean) / self.divisor
        ) @ self.vectors
        return coordinates


@dataclass(frozen=True, slots=True)
class GowerProjection:
    """Columns to principal coordinates of the roots of Gower's distances.

    Attributes
    ----------
    levels : tuple of int
        As in :class:`LinearProjection`.
    scale : ndarray, shape (c,)
        Numbers and indicators times this have Gower's distances as city-block distances.
    points : ndarray, shape (m, c)
        The respondents that the coordinates were found on, so scaled.
    size : ndarray, shape (m,)
        Their squared distances from the centre.
    weights : ndarray, shape (m, d)
        Coordinates times case weight over twice the eigenvalue.

    References
    ----------
    Gower (1968), Biometrika 55, 582-585, adding a point to vector diagrams.
    """

    levels: tuple[int, ...]
    scale: FloatArray
    points: FloatArray
    size: FloatArray
    weights: FloatArray

    def __call__(self, columns: FloatArray) -> FloatArray:
        """Return coordinates (r, d) of columns (r, v), which are those of ``Space.columns``."""
        distances = cdist(_widen(columns, self.levels) * self.scale, self.points, "cityblock")
        coordinates: FloatArray = (self.size - distances) @ self.weights
        return coordinates


@dataclass(frozen=True, slots=True)
class Entry:
    """The active columns of the distinct points, before they are scaled.

    Attributes
    ----------
    raw : ndarray, shape (m, c)
        Numbers, then the indicators of each nominal column.
    weights : ndarray, shape (m,)
    columns : ndarray, shape (m, v)
        Numbers, then nominal columns as codes 0, 1, ...
    levels : tuple of int
        Number of categories of each nominal column.
    kinds : tuple of {"numeric", "ordinal", "nominal"}, length v
    column_block : ndarray of int, shape (v,)
    block_of : ndarray of int, shape (c,)
    block_weights : ndarray, shape (b,)
    """

    raw: FloatArray
    weights: FloatArray
    columns: FloatArray
    levels: tuple[int, ...]
    kinds: tuple[ColumnKind, ...]
    column_block: IntArray
    block_of: IntArray
    block_weights: FloatArray

    @property
    def n_numbers(self) -> int:
        """Return how many columns are not nominal."""
        return len(self.kinds) - len(self.levels)


@dataclass(frozen=True, slots=True)
class Reduced:
    """Coordinates and how they came about; see :class:`psychoseg.segments.space.Space`.

    ``eigenvalues`` are all above zero, descending, and ``threshold`` is NaN but in parallel
    analysis.
    """

    coded: FloatArray
    coordinates: FloatArray
    project: LinearProjection | GowerProjection
    distances: FloatArray | None
    eigenvalues: FloatArray
    threshold: FloatArray
    rule: str


def reduce_columns(
    entry: Entry, settings: ReduceSettings, *, n_obs: float, rng: np.random.Generator
) -> Reduced:
    """Find the coordinates of the distinct respondents.

    Parameters
    ----------
    entry : Entry
        No column constant.
    settings : ReduceSettings
    n_obs : float
        Respondents, for parallel analysis.
    rng : numpy.random.Generator
        For parallel analysis.

    Returns
    -------
    Reduced

    Raises
    ------
    DataError
        As in :func:`psychoseg.segments.space.build_space`.
    """
    if settings.method == "gower":
        return _gower(entry, settings)
    return _linear(entry, settings, n_obs=n_obs, rng=rng)


def _linear(
    entry: Entry, settings: ReduceSettings, *, n_obs: float, rng: np.random.Generator
) -> Reduced:
    p, w = entry.n_numbers, entry.weights
    coded = code_columns(entry.columns[:, :p], entry.columns[:, p:].astype(np.intp), w)
    divisor = coded.divisor.copy()
    if not settings.standardise:
        divisor[:p] = 1.0
    if settings.balance == "blocks":
        x = (entry.raw - coded.mean) / divisor
        divisor *= block_divisors(x, entry.block_of, w, block_weights=entry.block_weights)
    else:
        # Categories alone have the coordinates of MCA.
        divisor *= np.sqrt((1 if p else len(entry.levels)) / entry.block_weights[entry.block_of])
    x = (entry.raw - coded.mean) / divisor
    pca = principal_components(x, w)
    values = pca.eigenvalues[pca.eigenvalues > _NO_VARIANCE * pca.eigenvalues[0]]
    threshold = np.full(len(values), np.nan)
    if settings.method == "none":
        kept = len(values)
        rule = (
            f"no reduction: all {kept} dimensions of the columns, turned to their principal axes, "
            "which leaves every distance as it is"
        )
    elif settings.components == "parallel":
        try:
            found = component_parallel(x, w, n_obs, rng=rng, variables=coded.variable)
        except ValueError as error:
            raise DataError(f'[reduce] components = "parallel": {error}.') from None
        threshold = found.threshold[: len(values)]
        kept, rule = _by_parallel(values, found.n_components)
    else:
        kept, rule = _n_components(values, settings)
    return Reduced(
        coded=x,
        coordinates=on_grid(pca.scores[:, :kept]),
        project=LinearProjection(entry.levels, coded.mean, divisor, pca.vectors[:, :kept]),
        distances=None,
        eigenvalues=values,
        threshold=threshold,
        rule=rule,
    )


def _gower(entry: Entry, settings: ReduceSettings) -> Reduced:
    m = len(entry.raw)
    if m > MAX_GOWER_POINTS:
        raise DataError(
            f'[reduce] method = "gower": {m:,} different respondents are more than the '
            f"{MAX_GOWER_POINTS:,} that Gower's distances are reduced for. Set method = "
            '"components", which takes numbers and categories too.'
        )
    if settings.components == "parallel":
        raise DataError(
            '[reduce] components = "parallel" is for method = "components": parallel analysis is '
            'of columns, not of distances. Set components = "share".'
        )
    weights = entry.block_weights[entry.column_block]
    distances = gower_distances(entry.columns, entry.kinds, column_weights=weights)
    share = entry.weights / entry.weights.sum()
    root = np.sqrt(share)
    from_all = distances @ share
    products = (from_all[:, None] + from_all - distances - share @ from_all) / 2
    values, vectors = np.linalg.eigh(products * root[:, None] * root)
    values, vectors = values[::-1], vectors[:, ::-1]
    values = values[values > _NO_VARIANCE * values[0]]
    kept, rule = _n_components(values, settings)

    p = entry.n_numbers
    reach = np.ones(entry.raw.shape[1])
    reach[:p] = np.ptp(entry.columns[:, :p], axis=0)
    # A category that differs differs in two indicators.
    each = np.append(weights[:p], np.repeat(weights[p:] / 2, entry.levels)) / weights.sum()
    coded = entry.raw / reach * np.sqrt(each)
    coded = coded - share @ coded
    scores = vectors[:, :kept] / root[:, None] * np.sqrt(values[:kept])
    scores = scores * positive_signs((coded * share[:, None]).T @ scores)
    scale = each / reach
    return Reduced(
        coded=coded,
        coordinates=on_grid(scores),
        project=GowerProjection(
            levels=entry.levels,
            scale=scale,
            points=entry.raw * scale,
            size=np.diag(products).copy(),
            weights=scores * share[:, None] / (2 * values[:kept]),
        ),
        distances=distances,
        eigenvalues=values,
        threshold=np.full(len(values), np.nan),
        rule=rule,
    )


def _widen(columns: FloatArray, levels: tuple[int, ...]) -> FloatArray:
    """Return columns (r, v), nominal ones last, with these as indicators (r, c)."""
    p = columns.shape[1] - len(levels)
    indicators = [columns[:, [p + j]] == np.arange(k) for j, k in enumerate(levels)]
    return np.column_stack([columns[:, :p], *indicators]).astype(np.float64)


def _n_components(eigenvalues: FloatArray, settings: ReduceSettings) -> tuple[int, str]:
    positive = len(eigenvalues)
    cumulative = np.cumsum(eigenvalues) / eigenvalues.sum()
    if settings.components == "all":
        return positive, f"all {positive} components"
    if settings.components == "share":
        n = components_by_share(eigenvalues, settings.share)
        return n, (
            f"the first {n} of {positive} components: the fewest that carry "
            f"{100 * settings.share:.0f}% of the variance ({100 * cumulative[n - 1]:.0f}%)"
        )
    n = int(settings.components)
    if n > positive:
        raise DataError(
            f"[reduce] components = {n} is more than the {positive} that the active "
            "columns have. Ask for fewer."
        )
    return n, f"{n} components, set in the study ({100 * cumulative[n - 1]:.0f}% of the variance)"


def _by_parallel(eigenvalues: FloatArray, found: int) -> tuple[int, str]:
    kept = max(found, 1)
    share = 100 * eigenvalues[:kept].sum() / eigenvalues.sum()
    if not found:
        return kept, (
            "1 component, because there must be one: none has more variance than that of unrelated "
            f"columns in 95% of random data sets ({share:.0f}% of the variance)"
        )
    return kept, (
        f"the first {kept} of {len(eigenvalues)} components: those with more variance than that of "
        f"unrelated columns in 95% of random data sets ({share:.0f}% of the variance)"
    )
