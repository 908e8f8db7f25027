"""From a survey's scales and active columns to the space in which people are divided.

Owns which respondents enter, what is one point, and what the blocks of columns carry. Never scales
or reduces (``coordinates`` does), and never divides anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.errors import DataError
from psychoseg.features import (
    SCALES_BLOCK,
    Features,
    build_features,
    case_weights,
    content_key,
    merge_identical,
)
from psychoseg.segments.coordinates import (
    Entry,
    GowerProjection,
    LinearProjection,
    Reduced,
    reduce_columns,
)
from psychoseg.stats.arrays import (
    BoolArray,
    Collapsed,
    FloatArray,
    IntArray,
    collapse,
    one_thread,
)
from psychoseg.stats.gower import ColumnKind
from psychoseg.stats.mixed_reduction import block_shares, place_variables
from psychoseg.stats.reduction import (
    supplementary_categories,
    supplementary_correlations,
    weighted_mean_sd,
)
from psychoseg.study_segments import ReduceSettings
from psychoseg.survey.table import Survey, effective_size

if TYPE_CHECKING:
    from psychoseg.scales import Scales

__all__ = ["Space", "block_table", "block_warning", "build_space"]

#: A column whose spread is below this part of its size is constant but for rounding.
_CONSTANT = 1e-12
#: Columns other than scales that carry more than this of what tells segments apart carry most.
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Space:
    """Distinct respondents as weighted points: as measured, as coded, and as they are divided.

    Attributes
    ----------
    features : pandas.DataFrame
        One row a feature: ``feature, label, kind, block, mean, sd``; of a category its share and
        the root of its share.
    gaps : pandas.DataFrame
        Ledger lines of the respondents who lack an active value.
    rows : ndarray of int, shape (n_complete,)
        The others, as rows of the survey.
    merged : Collapsed
        Distinct points in canonical order: raw values of the features, weights, rows at each
        point; ``point_of`` is by ``rows``.
    people : ndarray, shape (m,)
        People at each point: its weight where weights are frequencies, else its rows.
    columns : ndarray, shape (m, v)
        One column a scale or active column, as measured: numbers and ranks, then nominal columns as
        codes 0, 1, ...
    nominal : ndarray of bool, shape (v,)
    column_block : ndarray of int, shape (v,)
        Place of its block in ``blocks``.
    coded : ndarray, shape (m, c)
        The features, centred, at the scale at which they enter. Gower's: numbers over their range
        and indicators, times the root of their weight.
    block_of : ndarray of int, shape (c,)
        Place of its block in ``blocks``.
    blocks : tuple of str
        "scales" first, the others by name.
    block_weights : ndarray, shape (b,)
    coordinates : ndarray, shape (m, d)
        Weighted mean 0, d at least 1.
    project : LinearProjection or GowerProjection
        New people, given as ``columns``, among the old ones.
    distances : ndarray, shape (m, m), or None
        Gower's, where they were asked for.
    answers : ndarray, shape (m, p), or None
        Item answers counted from the lowest that anybody gave (0), NaN where missing; only where
        asked for, and then two respondents are the same point only if they answered all items
        alike.
    eigenvalues : pandas.DataFrame
        ``component, eigenvalue, share, cumulative, retained, threshold``; threshold is NaN but in
        parallel analysis.
    components : pandas.DataFrame
        Correlation of each feature (index) with each coordinate, ``comp_1, ...``.
    contributions : pandas.DataFrame
        ``feature, label, component, coordinate, contribution, cos2, eta_squared``: of each feature
        and component, see :class:`psychoseg.stats.mixed_reduction.VariablePlaces`. Empty with
        Gower's distances, whose coordinates no column makes.
    rule : str
        How the number of coordinates came about.
    supplementary : pandas.DataFrame
        ``column, label, category, comp_1, ...``: the profile columns, which took no part:
        correlations of numbers (category is empty), means of categories in standard deviations of
        the coordinate.
    n_identical : int
        Respondents whose features equal another one's.
    """

    features: pd.DataFrame
    gaps: pd.DataFrame
    rows: IntArray
    merged: Collapsed
    people: FloatArray
    columns: FloatArray
    nominal: BoolArray
    column_block: IntArray
    coded: FloatArray
    block_of: IntArray
    blocks: tuple[str, ...]
    block_weights: FloatArray
    coordinates: FloatArray
    project: LinearProjection | GowerProjection
    distances: FloatArray | None
    answers: FloatArray | None
    eigenvalues: pd.DataFrame
    components: pd.DataFrame
    contributions: pd.DataFrame
    rule: str
    supplementary: pd.DataFrame
    n_identical: int


@one_thread
def build_space(
    survey: Survey,
    scales: Scales | None,
    settings: ReduceSettings,
    *,
    takes_weights: bool,
    with_answers: bool,
    rng: np.random.Generator,
) -> Space:
    """Turn scales and active columns into the coordinates that are divided.

    Parameters
    ----------
    survey : Survey
    scales : Scales or None
        Row by row the same respondents.
    settings : ReduceSettings
    takes_weights : bool
        Whether identical respondents may become one weighted point.
    with_answers : bool
        Whether the items' answers are needed at each point.
    rng : numpy.random.Generator
        For parallel analysis.

    Returns
    -------
    Space

    Raises
    ------
    DataError
        Where nothing is active, fewer than 3 respondents have all of it, a column is constant, a
        block is unknown, components are asked for that there are not, or Gower's distances are of
        too many respondents.

    Notes
    -----
    Numbers, ordinal ranks among them, are standardised (weighted, ddof 0); a category's indicator y
    of share p becomes ``(y - p) / sqrt(p)``. The components are then those of a PCA of
    correlations (numbers alone), of MCA (categories alone; its coordinates and eigenvalues) or of
    FAMD. ``standardise = false`` leaves numbers in their units. ``balance = "blocks"`` divides each
    block by its first singular value (MFA); a block of weight 2 has twice the variance. Without
    reduction all components are kept, which leaves every distance as it is.

    Gower's distances are of all columns, each of the weight of its block. Their roots are
    Euclidean, since everybody is complete, so that no eigenvalue is negative; these are the
    distances of the coordinates, which are centred and turned with case weights. Coordinates are
    rounded to a grid far below any difference between answers.

    References
    ----------
    Pages (2004), Revue de Statistique Appliquee 52(4), 93-111, FAMD. Escofier & Pages (1994),
    Comput. Stat. Data Anal. 18, 121-140, MFA. Gower (1966), Biometrika 53, 325-338, principal
    coordinates; (1971), Biometrics 27, 857-871, the distance.
    """
    features = build_features(survey, scales)
    rows = np.flatnonzero(features.complete)
    if len(rows) < 3:
        raise DataError(
            f"only {len(rows)} respondents have all active values; segments take at least 3. Look "
            'at the ledger, and make columns with many gaps use = "profile".'
        )
    raw = features.table.to_numpy(np.float64)[rows]
    weights = case_weights(survey, rows)
    answers = _answers(survey, rows) if with_answers else np.empty((len(rows), 0))
    merged = merge_identical(
        np.column_stack([raw, np.nan_to_num(answers, nan=-1.0)]),
        weights,
        survey,
        takes_weights=takes_weights,
    )
    d = raw.shape[1]
    at_points = np.where(merged.x[:, d:] < 0, np.nan, merged.x[:, d:]) if with_answers else None
    merged = Collapsed(merged.x[:, :d], merged.weights, merged.counts, merged.point_of)

    names, block_names = list(features.table.columns), _blocks(features)
    _refuse(features, merged, settings, block_names)
    entry = _enter(features, merged, settings, block_names)
    n_obs = effective_size(np.sort(survey.weights[rows]), survey.weight_kind)
    found = reduce_columns(entry, settings, n_obs=n_obs, rng=rng)
    comp = [f"comp_{j + 1}" for j in range(found.coordinates.shape[1])]
    mean, sd = weighted_mean_sd(merged.x, merged.weights)
    category = np.arange(d) >= entry.n_numbers
    return Space(
        features=pd.DataFrame(
            {
                "feature": names,
                "label": [features.labels[name] for name in names],
                "kind": [features.kinds[name] for name in names],
                "block": [features.blocks[name] for name in names],
                "mean": mean,
                "sd": np.where(category, np.sqrt(np.abs(mean)), sd),
            }
        ),
        gaps=features.gaps,
        rows=rows,
        merged=merged,
        people=merged.weights if survey.weight_kind == "frequency" else merged.counts.astype(float),
        columns=entry.columns,
        nominal=np.arange(entry.columns.shape[1]) >= entry.n_numbers,
        column_block=entry.column_block,
        coded=found.coded,
        block_of=entry.block_of,
        blocks=block_names,
        block_weights=entry.block_weights,
        coordinates=found.coordinates,
        project=found.project,
        distances=found.distances,
        answers=at_points,
        eigenvalues=_eigenvalue_table(found.eigenvalues, found.threshold, len(comp)),
        components=pd.DataFrame(
            supplementary_correlations(found.coded, found.coordinates, merged.weights),
            index=pd.Index(names, name="feature"),
            columns=comp,
        ),
        contributions=_contributions(features, found, merged.weights, category, mean),
        rule=found.rule,
        supplementary=_supplementary(survey, rows, weights, merged.point_of, found, comp),
        n_identical=_n_identical(raw, weights),
    )


def block_table(space: Space, labels: IntArray) -> pd.DataFrame:
    """Return what each block carries of a division.

    Parameters
    ----------
    space : Space
    labels : ndarray of int, shape (m,)
        0-based segment of each point, -1 for nobody's.

    Returns
    -------
    pandas.DataFrame
        ``block, weight, features, between, total, eta_squared``; see
        :class:`psychoseg.stats.mixed_reduction.BlockShares`.
    """
    there = labels >= 0
    shares = block_shares(
        space.coded[there], space.block_of, labels[there], space.merged.weights[there]
    )
    return pd.DataFrame(
        {
            "block": list(space.blocks),
            "weight": space.block_weights,
            "features": np.bincount(space.block_of, minlength=len(space.blocks)),
            "between": shares.between,
            "total": shares.total,
            "eta_squared": shares.eta_squared,
        }
    )


def block_warning(table: pd.DataFrame) -> str:
    """Return what is to be told of a block table: that columns outweigh the scales; else empty."""
    scales = table["block"] == SCALES_BLOCK
    heavy = table[~scales & (table["between"] > _MOST)]
    if not scales.any() or heavy.empty:
        return ""
    block, share = heavy["block"].iloc[0], 100 * heavy["between"].iloc[0]
    return (
        f"the block {block!r} carries {share:.0f}% of what tells the segments apart, the scales "
        f"{100 * table.loc[scales, 'between'].iloc[0]:.0f}%: over-relying on demographics alone is "
        'a common mistake. Make its columns use = "profile", or give the block a lower weight in '
        "[reduce] blocks"
    )


def _answers(survey: Survey, rows: IntArray) -> FloatArray:
    """Return the items from 0 (n_complete, p), ordered by content."""
    if not survey.items.shape[1]:
        raise DataError("latent classes are of items, and the survey has none. Name its items.")
    every = survey.items.to_numpy(np.float64)
    names = list(survey.items.columns)
    order = sorted(
        range(len(names)), key=lambda j: (*content_key(every[:, j], survey.weights), names[j])
    )
    counted: FloatArray = every[rows][:, order] - np.nanmin(every, axis=0)[order]
    return counted


def _blocks(features: Features) -> tuple[str, ...]:
    found = {features.blocks[name] for name in features.table.columns}
    return tuple(sorted(found, key=lambda block: (block != SCALES_BLOCK, block)))


def _refuse(
    features: Features, merged: Collapsed, settings: ReduceSettings, blocks: tuple[str, ...]
) -> None:
    """Stop where a column is constant or a block unknown, with all that is wrong."""
    problems = []
    unknown = [repr(block) for block in settings.blocks if block not in blocks]
    if unknown:
        problems.append(
            f"[reduce] blocks names {', '.join(unknown)}, but what is active are the blocks "
            f"{', '.join(map(repr, blocks))}. Correct the name, or take it out."
        )
    mean, sd = weighted_mean_sd(merged.x, merged.weights)
    names = list(features.table.columns)
    constant = [
        features.variable_labels[features.variables[name]]
        for name, m, s in zip(names, mean, sd, strict=True)
        if s <= _CONSTANT * max(1.0, abs(m))
    ]
    if constant:
        problems.append(
            f"every respondent has the same value of {', '.join(constant)}, so it cannot tell them "
            'apart. Make it use = "profile", or leave it out.'
        )
    if problems:
        raise DataError("\n".join(problems))


def _enter(
    features: Features, merged: Collapsed, settings: ReduceSettings, blocks: tuple[str, ...]
) -> Entry:
    names = list(features.table.columns)
    numbers = [name for name in names if features.kinds[name] != "category"]
    groups: dict[str, list[int]] = {}
    for j, name in enumerate(names[len(numbers) :], start=len(numbers)):
        groups.setdefault(features.variables[name], []).append(j)
    place = {block: b for b, block in enumerate(blocks)}
    block_of = np.array([place[features.blocks[name]] for name in names], dtype=np.intp)
    first = [*range(len(numbers)), *(own[0] for own in groups.values())]
    kinds: list[ColumnKind] = [
        "ordinal" if features.kinds[name] == "ordinal" else "numeric" for name in numbers
    ]
    kinds += ["nominal"] * len(groups)
    return Entry(
        raw=merged.x,
        weights=merged.weights,
        columns=np.column_stack(
            [
                merged.x[:, : len(numbers)],
                *(merged.x[:, own].argmax(axis=1) for own in groups.values()),
            ]
        ),
        levels=tuple(len(own) for own in groups.values()),
        kinds=tuple(kinds),
        column_block=block_of[first],
        block_of=block_of,
        block_weights=np.array([settings.blocks.get(block, 1.0) for block in blocks]),
    )


def _eigenvalue_table(values: FloatArray, threshold: FloatArray, kept: int) -> pd.DataFrame:
    share = values / values.sum()
    return pd.DataFrame(
        {
            "component": np.arange(1, len(values) + 1),
            "eigenvalue": values,
            "share": share,
            "cumulative": np.cumsum(share),
            "retained": np.arange(len(values)) < kept,
            "threshold": threshold,
        }
    )


def _contributions(
    features: Features, found: Reduced, weights: FloatArray, category: BoolArray, mean: FloatArray
) -> pd.DataFrame:
    """Return where each feature lies on each component, and what it makes of it."""
    if not isinstance(found.project, LinearProjection):
        return pd.DataFrame()
    names = list(features.table.columns)
    of = np.unique([features.variables[name] for name in names], return_inverse=True)[1]
    share = np.where(category, mean, np.nan)
    place = place_variables(found.coded, found.coordinates, weights, of, share)
    m = found.coordinates.shape[1]
    return pd.DataFrame(
        {
            "feature": np.repeat(names, m),
            "label": np.repeat([features.labels[name] for name in names], m),
            "component": np.tile(np.arange(1, m + 1), len(names)),
            "coordinate": place.coordinates.ravel(),
            "contribution": place.contributions.ravel(),
            "cos2": place.cos2.ravel(),
            "eta_squared": place.eta_squared.ravel(),
        }
    )


def _supplementary(
    survey: Survey,
    rows: IntArray,
    weights: FloatArray,
    point_of: IntArray,
    found: Reduced,
    comp: list[str],
) -> pd.DataFrame:
    """Project the profile columns of the respondents who entered."""
    lines: list[tuple[object, ...]] = []
    sd = np.sqrt(found.eigenvalues[: len(comp)])
    for name in survey.columns.columns:
        if survey.codebook[name].role != "profile":
            continue
        values, label = survey.columns[name].iloc[rows], survey.label(name)
        categories = (
            [str(c) for c in values.cat.categories]
            if isinstance(values.dtype, pd.CategoricalDtype)
            else []
        )
        numbers = np.asarray(values.cat.codes if categories else values, dtype=np.float64)
        # Summed in an order that is not the file's.
        order = np.lexsort([weights, numbers, point_of])
        scores, w = found.coordinates[point_of[order]], weights[order]
        if not categories:
            correlations = supplementary_correlations(numbers[order, None], scores, w)[0]
            lines.append((name, label, "", *correlations))
            continue
        centres = np.full((len(categories), len(comp)), np.nan)
        mean = supplementary_categories(numbers[order].astype(np.intp), scores, w)[0]
        centres[: len(mean)] = mean / sd
        lines += [
            (name, label, category, *centre)
            for category, centre in zip(categories, centres, strict=True)
        ]
    return pd.DataFrame(lines, columns=["column", "label", "category", *comp])


def _n_identical(raw: FloatArray, weights: FloatArray) -> int:
    counts = collapse(raw, weights).counts
    return int(counts[counts > 1].sum())
