"""Polychoric and polyserial correlations: two-step likelihood of contingency tables.

Owns the likelihood, its maximum and the bivariate normal integral; counts are those of
:mod:`psychoseg.stats.contingency`, and after them nothing depends on the number of respondents.
Never decides which items are ordinal, and never drops a person: every pair uses the rows that
answered both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from psychoseg.stats.arrays import FloatArray, IntArray, complete_rows
from psychoseg.stats.contingency import MAX_CATEGORIES, ordinal_codes, pair_tables

__all__ = [
    "MAX_CATEGORIES",
    "RHO_BOUND",
    "EmptyCellRule",
    "mean_polychoric",
    "pair_tables",
    "polychoric",
    "polyserial",
]

EmptyCellRule = Literal["two_by_two", "every_table", "psych"]

#: A latent correlation is sought within this bound; a perfect association ends on it.
RHO_BOUND = 0.9999
#: Gauss-Legendre nodes that keep the integral's error below 1e-12 up to the |rho| beside them; the
#: first three are those of Genz (2004), who leaves this form above .925.
_ORDERS = ((0.3, 6), (0.75, 12), (0.925, 20), (0.98, 40), (1.0, 160))
_RULES = {order: np.polynomial.legendre.leggauss(order) for _, order in _ORDERS}
#: A Newton step this short leaves an error of about its square.
_RHO_TOLERANCE = 1e-6
_MAX_STEPS = 60
#: A cell of the model is never taken for less likely than this, the rounding error of a difference.
_LEAST_CELL = 1e-15
#: Stands for infinity among thresholds: beyond it the normal distribution function is 0 or 1.
_FAR = 38.5
#: Step of a threshold for the derivative of a likelihood's slope.
_NUDGE = 1e-5
#: Pairs that enter one integral: they fit the CPU's cache.
_PAIRS = 512

#: Takes correlations and the pairs they belong to; returns first and minus second derivatives.
_Derivatives = Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray]]


def polychoric(
    items: FloatArray,
    weights: FloatArray,
    *,
    correction: float = 0.0,
    rule: EmptyCellRule = "two_by_two",
    missing: Literal["pairwise", "listwise"] = "pairwise",
) -> FloatArray:
    """Compute two-step maximum likelihood polychoric correlations.

    Step one takes each item's thresholds from its own weighted answers (all of them, not only the
    pair's); step two maximises each pair's multinomial likelihood over rho alone. Two items with
    two categories each have a tetrachoric correlation.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Codes of ordered answers, NaN where missing. Only their order counts; a code nobody used is
        no category.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows.
    correction : float
        What an empty cell of a pair's table is given, in respondents (so it means what it says
        where weights average one). 0 leaves empty cells as they are: they add nothing to the
        likelihood, and with thresholds from the margins the estimate exists all the same.
    rule : {"two_by_two", "every_table", "psych"}
        Where the correction goes, see Notes.
    missing : {"pairwise", "listwise"}
        Which rows a pair uses: those that answered both items, or those that answered all items.

    Returns
    -------
    ndarray, shape (p, p)
        Accurate to about 1e-9; held within +-:data:`RHO_BOUND`. NaN where a pair has no common rows
        or an item has one category. May fail to be positive semidefinite, as every pairwise matrix
        may.

    Raises
    ------
    ValueError
        Where an item has more than :data:`MAX_CATEGORIES` categories, or the correction is
        negative.

    Notes
    -----
    Without correction this is ``psych::polychoric(global = TRUE)``, whose own rho is good to about
    1e-4, the tolerance of R's ``optimize``; psych ignores its ``correct`` there. The rules:

    - ``two_by_two``: a 2 x 2 table with one empty cell has it raised to the correction, and the
      other three changed so that its margins stay. At .5 this is lavaan's default,
      ``zero.add = c(.5, 0), zero.keep.margins = TRUE``. Two empty cells on a diagonal are a perfect
      association, which lavaan puts at +-1.
    - ``every_table``: that, and in larger tables each empty cell is set to the correction; lavaan's
      ``zero.add = c(correction, correction)``.
    - ``psych``: empty cells of any table, among the categories used in it, are set to the
      correction, and the pair's thresholds come from the margins of the table so changed, divided
      by the number of rows before the change. At .5 this is psych's ``global = FALSE``, which stops
      where that divisor takes a cumulative share above one; here the share is held at one.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460, two-step estimator. Drezner & Wesolowsky (1990), J.
    Statist. Comput. Simul. 35, 101-107, and Genz (2004), Statistics and Computing 14, 251-260, the
    bivariate normal integral. Savalei (2011), Struct. Equ. Modeling 18, 253-273, empty cells.
    """
    if correction < 0:
        msg = f"correction is {correction}; an empty cell takes 0 or a positive number"
        raise ValueError(msg)
    if missing == "listwise":
        items, weights = complete_rows(items, weights)
    n_items = items.shape[1]
    tables, n_categories = pair_tables(items, weights)
    margins = tables[np.arange(n_items), np.arange(n_items)].diagonal(axis1=1, axis2=2)
    thresholds = _thresholds(margins, margins.sum(axis=1))
    rows, cols = np.triu_indices(n_items, k=1)
    usable = (n_categories[rows] > 1) & (n_categories[cols] > 1)
    usable[usable] = tables[rows[usable], cols[usable]].sum(axis=(1, 2)) > 0
    a, b = rows[usable], cols[usable]
    # Pairs go last from here on, so that every step is one sweep over contiguous numbers.
    counts = np.ascontiguousarray(tables[a, b].transpose(1, 2, 0))
    cuts_a = np.ascontiguousarray(thresholds[a].T)
    cuts_b = np.ascontiguousarray(thresholds[b].T)
    if correction > 0:
        counts, own_a, own_b = _corrected(counts, correction, rule)
        if rule == "psych":
            cuts_a, cuts_b = own_a, own_b
    rho = np.full(len(rows), np.nan)
    if usable.any():
        rho[usable] = _maximise(
            lambda r, pairs: _derivatives(
                r, counts[:, :, pairs], cuts_a[:, pairs], cuts_b[:, pairs]
            ),
            _start(counts, cuts_a, cuts_b),
        )
    corr = np.eye(n_items)
    corr[rows, cols] = corr[cols, rows] = rho
    corr[np.diag_indices(n_items)] = np.where(n_categories > 1, 1.0, np.nan)
    return corr


def mean_polychoric(items: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Return the mean polychoric correlation of the items and its standard error.

    Parameters
    ----------
    items : ndarray, shape (n, p)
        Codes of ordered answers, NaN where missing; p at least 2.
    weights : ndarray, shape (n,)
        A weight of w counts as w respondents: sampling weights rescaled to Kish's effective number.

    Returns
    -------
    mean, standard_error : float
        NaN where a pair cannot be estimated.

    Notes
    -----
    The variance is the sum of the squared influences of the respondents, each on all pairs at once,
    through the cells and through the thresholds, so that neither normality of the sample moments
    nor complete answers are needed. It is that of Muthén's two-step estimator in its general form.

    References
    ----------
    Olsson (1979), Psychometrika 44, 443-460. Muthén (1984), Psychometrika 49, 115-132, the
    covariances of two-step estimates.
    """
    kept = weights > 0
    items, weights = items[kept], weights[kept]
    corr = polychoric(items, weights)
    rows, cols = np.triu_indices(len(corr), k=1)
    rho = corr[rows, cols]
    if np.isnan(rho).any():
        return np.nan, np.nan
    tables, _ = pair_tables(items, weights)
    margins = tables[np.arange(len(corr)), np.arange(len(corr))].diagonal(axis1=1, axis2=2)
    thresholds = _thresholds(margins, margins.sum(axis=1))
    counts = tables[rows, cols].transpose(1, 2, 0)
    cuts_a, cuts_b = thresholds[rows].T, thresholds[cols].T
    slope, curve = _cell_slopes(rho, cuts_a[:, None], cuts_b[None])
    information = (counts * (slope * slope - curve)).sum(axis=(0, 1))
    codes = ordinal_codes(items).astype(np.intp)
    influence = np.zeros(len(items))
    for pair, (i, j) in enumerate(zip(rows, cols, strict=True)):
        both = (codes[:, i] > 0) & (codes[:, j] > 0)
        by_cell = slope[:, :, pair] / information[pair]
        influence[both] += by_cell[codes[both, i] - 1, codes[both, j] - 1]

    def score(shift_a: FloatArray, shift_b: FloatArray) -> FloatArray:
        moved = _cell_slopes(rho, (cuts_a + shift_a)[:, None], (cuts_b + shift_b)[None])[0]
        return np.asarray((counts * moved).sum(axis=(0, 1)) / information)

    # What a threshold's shift does to the correlations of its item, summed over them.
    through = np.zeros_like(thresholds)
    still = np.zeros((thresholds.shape[1], 1))
    for k in range(thresholds.shape[1]):
        shift = still.copy()
        shift[k] = _NUDGE
        for items_of, first, second in ((rows, shift, still), (cols, still, shift)):
            np.add.at(
                through[:, k],
                items_of,
                (score(first, second) - score(-first, -second)) / (2 * _NUDGE),
            )
    for item, own in enumerate(codes.T):
        # A person moves the threshold after category k by (answer <= k) - P(answer <= k), over the
        # density there.
        density = np.exp(-(thresholds[item] ** 2) / 2) / np.sqrt(2 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(density > _LEAST_CELL, through[item] / density, 0.0)
        below = np.arange(1, margins.shape[1] + 1)[:, None] <= np.arange(1, len(rate) + 1)
        by_answer = (below - ndtr(thresholds[item])) @ rate / margins[item].sum()
        influence[own > 0] += by_answer[own[own > 0] - 1]
    influence /= len(rows)
    return float(rho.mean()), float(np.sqrt((weights * influence**2).sum()))


def polyserial(x: FloatArray, items: FloatArray, weights: FloatArray) -> FloatArray:
    """Compute two-step maximum likelihood polyserial correlations over pairwise complete rows.

    Step one takes the mean and standard deviation of each measured variable, and the thresholds of
    each item, from all of its own answers; step two maximises each pair's likelihood over rho
    alone.

    Parameters
    ----------
    x : ndarray, shape (n, q)
        Measured variables, NaN where missing.
    items : ndarray, shape (n, p)
        Codes of ordered answers, NaN where missing.
    weights : ndarray, shape (n,)
        A weight of w counts as w rows.

    Returns
    -------
    ndarray, shape (q, p)
        Held within +-:data:`RHO_BOUND`. NaN where a pair has no common rows, the measured variable
        does not vary or the item has one category.

    Raises
    ------
    ValueError
        Where an item has more than :data:`MAX_CATEGORIES` categories.

    Notes
    -----
    The standard deviation divides by the sum of weights, as maximum likelihood does. This is
    ``lavaan::lavCor(ordered = , missing = "pairwise")`` where that reaches the maximum (for age and
    A2 of bfi lavaan 0.6-14 stops at .1260 beside .1217). ``psych::polyserial`` and the default of
    ``polycor::polyserial`` are the moment estimator instead, Pearson's r over the sum of the
    normal ordinates, which this agrees with to sampling error.

    References
    ----------
    Olsson, Drasgow & Dorans (1982), Psychometrika 47, 337-347.
    """
    kept = weights > 0
    x, items, weights = x[kept], items[kept], weights[kept]
    codes = ordinal_codes(items)
    width = int(codes.max(initial=0))
    margins = np.array(
        [np.bincount(codes[:, j], weights, width + 1)[1:] for j in range(codes.shape[1])]
    ).reshape(codes.shape[1], width)
    found = np.full((x.shape[1], items.shape[1]), np.nan)
    for i in range(x.shape[1]):
        there = ~np.isnan(x[:, i])
        values, place = np.unique(x[there, i], return_inverse=True)
        if len(values) < 2:
            continue
        mass = np.bincount(place, weights[there])
        z = values - mass @ values / mass.sum()
        z /= np.sqrt(mass @ z**2 / mass.sum())
        for j in range(items.shape[1]):
            if np.count_nonzero(margins[j]) < 2:
                continue
            # Equal pairs of answers are one weighted pair; code 0 is a missing answer.
            key = place * (width + 1) + codes[there, j]
            mass = np.bincount(key, weights[there], len(values) * (width + 1))
            table: FloatArray = mass.reshape(len(values), width + 1)[:, 1:].astype(np.float64)
            at, code = np.nonzero(table)
            if len(at) > 0:
                found[i, j] = _polyserial_pair(z[at], code, table[at, code], margins[j])
    return found


def _thresholds(margins: FloatArray, totals: FloatArray) -> FloatArray:
    """Return the normal thresholds between categories, shape (p, width - 1)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        cumulative = np.cumsum(margins, axis=1) / totals[:, None]
    # The last used category ends at 1, which rounding may miss.
    cumulative[cumulative > 1 - 1e-12] = 1.0
    inner: FloatArray = np.clip(ndtri(cumulative[:, :-1]), -_FAR, _FAR)
    return inner


def _corrected(
    counts: FloatArray, correction: float, rule: EmptyCellRule
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return tables (width, width, pairs) with empty cells filled, and thresholds of their own."""
    used_a, used_b = counts.sum(axis=1) > 0, counts.sum(axis=0) > 0
    empty = (counts == 0) & used_a[:, None] & used_b[None]
    filled = counts.copy()
    square = (used_a.sum(axis=0) == 2) & (used_b.sum(axis=0) == 2)
    if rule == "psych":
        filled[empty] = correction
    else:
        if rule == "every_table":
            filled[empty & ~square] = correction
        for pair in np.flatnonzero(square & (empty.sum(axis=(0, 1)) == 1)):
            cells = np.ix_(used_a[:, pair], used_b[:, pair], [pair])
            hole = empty[cells]
            along = hole | hole[::-1, ::-1]
            filled[cells] += np.where(along, correction, -correction)
    totals = counts.sum(axis=(0, 1))
    cuts_a = _thresholds(filled.sum(axis=1).T, totals).T
    cuts_b = _thresholds(filled.sum(axis=0).T, totals).T
    return filled, cuts_a, cuts_b


def _start(counts: FloatArray, cuts_a: FloatArray, cuts_b: FloatArray) -> FloatArray:
    """Return Pearson's r of normal scores, corrected for what the categories hide."""
    scores = []
    for cuts in (cuts_a, cuts_b):
        density = np.exp(-cuts * cuts / 2) / np.sqrt(2 * np.pi)
        share = np.diff(_bordered(ndtr(cuts), 0.0, 1.0), axis=0)
        slope = -np.diff(_bordered(density, 0.0, 0.0), axis=0)
        mean = slope / np.maximum(share, _LEAST_CELL)
        # E[ab] = rho var(a) var(b) to first order in rho, for scores a, b that are means of what
        # their category hides.
        scores.append(mean / np.maximum((mean * slope).sum(axis=0), _LEAST_CELL))
    joint = np.einsum("abp,ap,bp->p", counts, scores[0], scores[1])
    start: FloatArray = np.clip(joint / counts.sum(axis=(0, 1)), -0.95, 0.95)
    return start


def _maximise(derivatives: _Derivatives, start: FloatArray) -> FloatArray:
    """Maximise each pair's likelihood over rho by Newton's steps inside a shrinking bracket."""
    low, high = np.full(len(start), -RHO_BOUND), np.full(len(start), RHO_BOUND)
    rho = start.copy()
    pairs = np.arange(len(start))
    for _ in range(_MAX_STEPS):
        here = rho[pairs]
        score, information = derivatives(here, pairs)
        right = score > 0
        low[pairs[right]] = here[right]
        high[pairs[~right]] = here[~right]
        with np.errstate(invalid="ignore", divide="ignore"):
            proposal = here + score / information
        inside = (information > 0) & (proposal > low[pairs]) & (proposal < high[pairs])
        proposal = np.where(inside, proposal, (low[pairs] + high[pairs]) / 2)
        rho[pairs] = proposal
        pairs = pairs[np.abs(proposal - here) > _RHO_TOLERANCE]
        if len(pairs) == 0:
            break
    return rho


def _derivatives(
    rho: FloatArray, counts: FloatArray, cuts_a: FloatArray, cuts_b: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the first and minus the second derivative of each log-likelihood in rho.

    Tables are (width, width, pairs), thresholds (width - 1, pairs).
    """
    score, information = np.empty(len(rho)), np.empty(len(rho))
    order = np.searchsorted([bound for bound, _ in _ORDERS], np.abs(rho))
    for level in np.unique(order):
        members = np.flatnonzero(order == level)
        for first in range(0, len(members), _PAIRS):
            at = members[first : first + _PAIRS]
            r, n, h, k = rho[at], counts[:, :, at], cuts_a[:, None, at], cuts_b[None, :, at]
            slope, curve = _cell_slopes(r, h, k, order=_ORDERS[level][1])
            score[at] = (n * slope).sum(axis=(0, 1))
            information[at] = (n * (slope * slope - curve)).sum(axis=(0, 1))
    return score, information


def _cell_slopes(
    r: FloatArray, h: FloatArray, k: FloatArray, *, order: int = _ORDERS[-1][1]
) -> tuple[FloatArray, FloatArray]:
    """Return each cell's derivatives in rho over its probability, first and second.

    Thresholds are (width - 1, 1, pairs) and (1, width - 1, pairs).
    """
    cdf, density = _bivariate_normal(h, k, r, order=order)
    left, top = ndtr(h[:, 0]), ndtr(k[0])
    rest = 1 - r * r
    # The derivative of the density in rho.
    bend = density * (r / rest + (h * k * (1 + r * r) - r * (h * h + k * k)) / (rest * rest))
    cell = np.maximum(_cells(cdf, left, top), _LEAST_CELL)
    nothing = np.zeros_like(left)
    slope = _cells(density, nothing, nothing, corner=0.0) / cell
    curve = _cells(bend, nothing, nothing, corner=0.0) / cell
    return slope, curve


def _cells(
    inner: FloatArray, left: FloatArray, top: FloatArray, *, corner: float = 1.0
) -> FloatArray:
    """Return the differences of a function of two thresholds over the cells they bound.

    ``left`` and ``top`` are its values where the other threshold is infinite.
    """
    m = len(inner) + 1
    grid = np.zeros((m + 1, m + 1, inner.shape[2]))
    grid[1:m, 1:m] = inner
    grid[1:m, m], grid[m, 1:m], grid[m, m] = left, top, corner
    across = grid[1:] - grid[:-1]
    cells: FloatArray = across[:, 1:] - across[:, :-1]
    return cells


def _bordered(inner: FloatArray, first: float, last: float) -> FloatArray:
    """Return rows with one constant row before and one after."""
    width = inner.shape[1]
    return np.concatenate([np.full((1, width), first), inner, np.full((1, width), last)])


def _bivariate_normal(
    h: FloatArray, k: FloatArray, rho: FloatArray, *, order: int = _ORDERS[-1][1]
) -> tuple[FloatArray, FloatArray]:
    """Return the bivariate normal distribution function and density at finite h and k.

    The density is also the derivative of the distribution function in rho (Plackett 1954), whose
    integral from 0 is taken over the arc sine of rho.
    """
    product, square = h * k, (h * h + k * k) / 2
    reach = np.arcsin(rho)
    integral = np.zeros(np.broadcast_shapes(product.shape, rho.shape))
    value = np.empty_like(integral)
    for node, weight in zip(*_RULES[order], strict=True):
        sine = np.sin(reach * ((node + 1) / 2))
        scale = 1 / (1 - sine * sine)
        np.multiply(product, sine * scale, out=value)
        value -= square * scale
        np.exp(value, out=value)
        value *= weight
        integral += value
    integral *= reach / (4 * np.pi)
    integral += ndtr(h) * ndtr(k)
    rest = 1 - rho * rho
    density = np.exp((product * rho - square) / rest) / (2 * np.pi * np.sqrt(rest))
    return integral, density


def _polyserial_pair(z: FloatArray, code: IntArray, mass: FloatArray, margin: FloatArray) -> float:
    """Return rho of standard scores z and answers, each pair of values with its weight."""
    cuts = _thresholds(margin[None], margin[None].sum(axis=1))[0]
    edges = np.concatenate([[-_FAR], cuts, [_FAR]])
    upper, lower = edges[code + 1], edges[code]

    def derivatives(rho: FloatArray, _: IntArray) -> tuple[FloatArray, FloatArray]:
        r = float(rho[0])
        root = np.sqrt(1 - r * r)
        a, b = (upper - r * z) / root, (lower - r * z) / root
        # In the upper tail the difference is taken on the other side, where it keeps its digits.
        turned = b > 0
        chance = ndtr(np.where(turned, -b, a)) - ndtr(np.where(turned, -a, b))
        chance = np.maximum(chance, np.finfo(np.float64).tiny)
        slope, curve = np.zeros(len(z)), np.zeros(len(z))
        for edge, x, sign in ((upper, a, 1.0), (lower, b, -1.0)):
            density = sign * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)
            first = (edge * r - z) / root**3
            second = edge / root**3 + 3 * r * (edge * r - z) / root**5
            slope += density * first
            curve += density * (second - x * first * first)
        slope /= chance
        return (
            np.array([mass @ slope]),
            np.array([mass @ (slope * slope - curve / chance)]),
        )

    density = np.exp(-edges * edges / 2) / np.sqrt(2 * np.pi)
    share = np.maximum(np.diff(ndtr(edges)), _LEAST_CELL)
    mean = -np.diff(density) / share
    start = (mass @ (z * mean[code])) / (mass.sum() * (share @ mean**2))
    return float(_maximise(derivatives, np.clip([start], -0.95, 0.95))[0])
