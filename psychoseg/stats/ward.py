"""Ward's tree of many points, compiled: reciprocal nearest neighbours, found in a tree of boxes.

Owns the search and the merging; what a tree is and what is read off it is ``linkage.py``'s. It
imports numba, which takes half a second, so that it is to be imported where it is needed. All
compiled functions are in this one file, because numba's cache notices no changes in another.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, ParamSpec, TypeVar

import numba
import numpy as np
import numpy.typing as npt

from psychoseg.stats.arrays import FloatArray, IntArray

__all__ = ["reciprocal_merges"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Int32Array = npt.NDArray[np.int32]

#: Points in a leaf, and children of a node: two AVX-512 or four AVX2 registers of doubles. Leaves
#: of 8 take as long, of 32 some 15% longer (30,000 points in 8 dimensions).
_LANES = 16
_FAN = 16
#: The index is built anew when fewer than this share of its points are left, because its leaves
#: empty. Values of .5 and .9 take about as long (30,000 points in 8 dimensions).
_REBUILD = 0.7
#: Rounding may put the distance of a point below its node's bound: squares keep 41 bits (5e-13).
_SLACK = 1 - 1e-12
#: Rounds squared distances as ``linkage.py`` does; here too, for the cache.
_SPLIT = 4097.0
#: Rounds of fewer searches than this stay on one thread: handing them over takes some 50 us.
_FEW = 256

_SETTLED, _WAITING, _DORMANT, _DEAD = 0, 1, 2, 3


class _Clusters(NamedTuple):
    """The clusters so far, each under the number of its earliest point.

    Attributes
    ----------
    centroid : ndarray, shape (n, d)
    mass : ndarray, shape (n,)
    nearest, squared : ndarray, shape (n,)
        The nearest other cluster and its squared Ward distance; until it is searched, a good guess
        or -1.
    state : ndarray of int8, shape (n,)
    first, following, preceding : ndarray of int32, shape (n,)
        Lists, in both directions, of the clusters that have this one as their nearest.
    height : ndarray, shape (n,)
        Of the cluster's last merge.
    slot : ndarray of int32, shape (n,)
        Where the index has it: leaf times lanes plus lane.
    """

    centroid: FloatArray
    mass: FloatArray
    nearest: _Int32Array
    squared: FloatArray
    state: npt.NDArray[np.int8]
    first: _Int32Array
    following: _Int32Array
    preceding: _Int32Array
    height: FloatArray
    slot: _Int32Array


class _Index(NamedTuple):
    """A k-d tree, its levels taken four at a time so that 16 children are bounded at once.

    Attributes
    ----------
    points : ndarray, shape (leaves, d, lanes)
    masses, owners : ndarray, shape (leaves, lanes)
        Points and masses are infinite where nobody is.
    low, high : ndarray, shape (groups, d, fan)
        Boxes of the children; of the leaves first, then level by level up to one group.
    light : ndarray, shape (groups, fan)
        The least mass in each child.
    offset : ndarray of int, shape (levels,)
        The first group of each level.
    """

    points: FloatArray
    masses: FloatArray
    owners: _Int32Array
    low: FloatArray
    high: FloatArray
    light: FloatArray
    offset: npt.NDArray[np.int64]


def reciprocal_merges(
    x: FloatArray, mass: FloatArray, *, threads: int | None = None
) -> tuple[IntArray, FloatArray]:
    """Find the merges of Ward's tree as :func:`psychoseg.stats.linkage.ward_linkage` defines it.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Finite, no two rows alike.
    mass : ndarray, shape (n,)
        Positive.
    threads : int, optional
        Those the process may use unless given. They change the time alone.

    Returns
    -------
    pairs : ndarray of int, shape (n - 1, 2)
        The earliest rows of the two clusters merged, the earlier one first; in no useful order.
    heights : ndarray, shape (n - 1,)

    Notes
    -----
    Two clusters that are each other's nearest may be merged at once: no other merge brings a third
    closer than the nearer of its two parts was (Ward is reducible), so that the greedy tree has the
    merge as well; that also holds where distances tie, in the order of pairs by distance, earlier
    row and later row. Each search sees the clusters as the round began, whatever thread it runs on.

    The Ward distance of a cluster of mass a from anything in a node is at least
    ``2 a m / (a + m)`` times its squared distance from the node's box, m being the node's least
    mass. Memory is O(n d).

    References
    ----------
    Bruynooghe (1977), Statistique et Analyse des Donnees 3, 24-42, reducibility. Murtagh (1983),
    Comput. J. 26, 354-359, reciprocal neighbours.
    """
    n = len(x)
    pairs, heights = np.empty((n - 1, 2), dtype=np.int32), np.empty(n - 1)
    _merge_all(x, mass, pairs, heights, threads or _usable_threads())
    return pairs.astype(np.intp), heights


def _usable_threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _merge_all(
    x: FloatArray, mass: FloatArray, pairs: _Int32Array, heights: FloatArray, threads: int
) -> None:
    """Fill in merges of distinct points (earlier, later) and heights, children before parents."""
    n = len(x)
    clusters = _Clusters(
        centroid=np.array(x, dtype=np.float64, order="C"),
        mass=np.array(mass, dtype=np.float64),
        nearest=np.full(n, -1, dtype=np.int32),
        squared=np.empty(n),
        state=np.full(n, _WAITING, dtype=np.int8),
        first=np.full(n, -1, dtype=np.int32),
        following=np.full(n, -1, dtype=np.int32),
        preceding=np.full(n, -1, dtype=np.int32),
        height=np.zeros(n),
        slot=np.empty(n, dtype=np.int32),
    )
    work, spare = np.arange(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    waiting, done, built = n, 0, 0
    index: _Index | None = None
    with ThreadPoolExecutor(threads) as pool:
        while done < n - 1:
            if index is None or n - done < _REBUILD * built:
                index, built = None, n - done
                index = _index(clusters)
                # Searches that follow each other then touch the same leaves.
                work[:waiting] = work[np.argsort(clusters.slot[work[:waiting]], kind="stable")]
            if waiting == 0:
                sleeping = np.flatnonzero(clusters.state == _DORMANT)
                waiting = len(sleeping)
                work[:waiting] = sleeping
            if threads > 1 and waiting > _FEW:
                parts = np.linspace(0, waiting, min(8 * threads, waiting // 64) + 1).astype(int)
                tasks = [
                    pool.submit(_search, work, int(a), int(b), clusters, index)
                    for a, b in itertools.pairwise(parts)
                ]
                for task in tasks:
                    task.result()
            else:
                _search(work, 0, waiting, clusters, index)
            waiting, done = _merge(work, waiting, spare, done, pairs, heights, clusters, index)
            work, spare = spare, work


def _index(clusters: _Clusters) -> _Index:
    """Return an index of the clusters that are left."""
    alive = np.flatnonzero(clusters.state != _DEAD).astype(np.int32)
    d = clusters.centroid.shape[1]
    depth = max(0, int(np.ceil(np.log2(len(alive) / _LANES))))
    leaves = 1 << depth
    groups = [-(-leaves // _FAN)]
    while groups[-1] > 1:
        groups.append(-(-groups[-1] // _FAN))
    total = sum(groups)
    index = _Index(
        points=np.full((leaves, d, _LANES), np.inf),
        masses=np.full((leaves, _LANES), np.inf),
        owners=np.full((leaves, _LANES), -1, dtype=np.int32),
        low=np.full((total, d, _FAN), np.inf),
        high=np.full((total, d, _FAN), -np.inf),
        light=np.full((total, _FAN), np.inf),
        offset=np.cumsum([0, *groups[:-1]]),
    )
    _halve(alive, depth, clusters.centroid)
    _fill(alive, depth, clusters, index)
    return index


def _compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile at the first call, without the interpreter's lock, and keep the machine code."""
    options = {"nogil": True, "error_model": "numpy"}
    try:
        fast: Callable[_P, _R] = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        # Neither the package nor the user's cache folder can be written to: compile every time.
        fast = numba.njit(**options)(function)
    return fast


@_compiled
def _select(ids: _Int32Array, left: int, right: int, k: int, key: FloatArray) -> None:
    """Order ids[left:right + 1] so that none before position k has a larger key than one after."""
    while left < right:
        a, b, c = key[ids[left]], key[ids[(left + right) >> 1]], key[ids[right]]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = left, right
        while i <= j:
            while key[ids[i]] < pivot:
                i += 1
            while key[ids[j]] > pivot:
                j -= 1
            if i <= j:
                ids[i], ids[j] = ids[j], ids[i]
                i += 1
                j -= 1
        if k <= j:
            right = j
        elif k >= i:
            left = i
        else:
            return


@_compiled
def _halve(ids: _Int32Array, depth: int, centroid: FloatArray) -> None:
    """Order ids so that equal parts, halved ``depth`` times, are halves at the widest column."""
    n = len(ids)
    key = np.empty(len(centroid))
    for level in range(depth):
        for part in range(1 << level):
            start, stop = (part * n) >> level, ((part + 1) * n) >> level
            widest, column = -1.0, 0
            for k in range(centroid.shape[1]):
                low = high = centroid[ids[start], k]
                for at in range(start, stop):
                    low = min(low, centroid[ids[at], k])
                    high = max(high, centroid[ids[at], k])
                if high - low > widest:
                    widest, column = high - low, k
            for at in range(start, stop):
                key[ids[at]] = centroid[ids[at], column]
            _select(ids, start, stop - 1, ((2 * part + 1) * n) >> (level + 1), key)


@_compiled
def _fill(ids: _Int32Array, depth: int, clusters: _Clusters, index: _Index) -> None:
    """Put the points into their leaves and draw the boxes from the leaves up."""
    n, d = len(ids), clusters.centroid.shape[1]
    count = 1 << depth
    for leaf in range(count):
        start = (leaf * n) >> depth
        group, child = leaf // _FAN, leaf % _FAN
        for at in range(start, ((leaf + 1) * n) >> depth):
            i, lane = ids[at], at - start
            clusters.slot[i] = leaf * _LANES + lane
            index.owners[leaf, lane] = i
            index.masses[leaf, lane] = clusters.mass[i]
            index.light[group, child] = min(index.light[group, child], clusters.mass[i])
            for k in range(d):
                value = clusters.centroid[i, k]
                index.points[leaf, k, lane] = value
                index.low[group, k, child] = min(index.low[group, k, child], value)
                index.high[group, k, child] = max(index.high[group, k, child], value)
    for level in range(1, len(index.offset)):
        count = (count + _FAN - 1) // _FAN
        for node in range(count):
            group, child = index.offset[level] + node // _FAN, node % _FAN
            below = index.offset[level - 1] + node
            _enclose(below, group, child, index.low, index.high, index.light)


@_compiled
def _enclose(
    below: int, group: int, child: int, low: FloatArray, high: FloatArray, light: FloatArray
) -> None:
    """Give a child of a group the box and the least mass of all that is in the group below."""
    for k in range(low.shape[1]):
        least, most = np.inf, -np.inf
        for c in range(_FAN):
            least, most = min(least, low[below, k, c]), max(most, high[below, k, c])
        low[group, k, child], high[group, k, child] = least, most
    least = np.inf
    for c in range(_FAN):
        least = min(least, light[below, c])
    light[group, child] = least


@_compiled
def _bound(
    point: FloatArray, mass: float, group: int, index: _Index, out: FloatArray, level: int
) -> None:
    """Write the least squared Ward distance that each child of a group can hold."""
    low, high, light = index.low, index.high, index.light
    for child in range(_FAN):
        out[level, child] = 0.0
    for k in range(len(point)):
        here = point[k]
        for child in range(_FAN):
            under, over = low[group, k, child] - here, here - high[group, k, child]
            gap = under if under > over else over
            gap = gap if gap > 0.0 else 0.0
            out[level, child] += gap * gap
    for child in range(_FAN):
        # A child without points has an infinite box and mass; the product would be no number.
        if out[level, child] < np.inf:
            out[level, child] *= _SLACK * (
                2 * mass * light[group, child] / (mass + light[group, child])
            )


@_compiled
def _search(work: _Int32Array, start: int, stop: int, clusters: _Clusters, index: _Index) -> None:
    """Find the nearest clusters of work[start:stop], the earlier one where two are as near."""
    centroid, masses_of, state = clusters.centroid, clusters.mass, clusters.state
    points, masses, owners, offset = index.points, index.masses, index.owners, index.offset
    d, top = centroid.shape[1], len(offset) - 1
    bounds, squared, point = np.empty((top + 1, _FAN)), np.empty(_LANES), np.empty(d)
    group = np.zeros(top + 1, dtype=np.int64)
    for at in range(start, stop):
        i = work[at]
        mass = masses_of[i]
        for k in range(d):
            point[k] = centroid[i, k]
        best, nearest = np.inf, clusters.nearest[i]
        if nearest >= 0 and state[nearest] != _DEAD:
            best = 0.0
            for k in range(d):
                gap = centroid[nearest, k] - point[k]
                best += gap * gap
            best *= 2 * mass * masses_of[nearest] / (mass + masses_of[nearest])
            best = best * _SPLIT - (best * _SPLIT - best)
        level = top
        _bound(point, mass, offset[top], index, bounds, top)
        while True:
            child, low = 0, bounds[level, 0]
            for c in range(1, _FAN):
                if bounds[level, c] < low:
                    child, low = c, bounds[level, c]
            # At the same distance an earlier one may still be found.
            if low > best or low == np.inf:
                level += 1
                if level > top:
                    break
                continue
            bounds[level, child] = np.inf
            node = group[level] * _FAN + child
            if level > 0:
                level -= 1
                group[level] = node
                _bound(point, mass, offset[level] + node, index, bounds, level)
                continue
            for lane in range(_LANES):
                squared[lane] = 0.0
            for k in range(d):
                here = point[k]
                for lane in range(_LANES):
                    gap = points[node, k, lane] - here
                    squared[lane] += gap * gap
            for lane in range(_LANES):
                squared[lane] *= 2 * mass * masses[node, lane] / (mass + masses[node, lane])
                squared[lane] = squared[lane] * _SPLIT - (squared[lane] * _SPLIT - squared[lane])
            for lane in range(_LANES):
                if squared[lane] <= best:
                    other = owners[node, lane]
                    if other != i and (squared[lane] < best or other < nearest):
                        best, nearest = squared[lane], other
        clusters.nearest[i], clusters.squared[i] = nearest, best


@_compiled
def _comes_first(i: int, j: int, clusters: _Clusters) -> bool:
    """Tell whether i and its nearest go before j and its nearest, or are the same pair."""
    if clusters.squared[i] != clusters.squared[j]:
        return bool(clusters.squared[i] < clusters.squared[j])
    a, b = clusters.nearest[i], clusters.nearest[j]
    if min(i, a) != min(j, b):
        return bool(min(i, a) < min(j, b))
    return bool(max(i, a) <= max(j, b))


@_compiled
def _leave_list(i: int, clusters: _Clusters) -> None:
    before, after = clusters.preceding[i], clusters.following[i]
    if before >= 0:
        clusters.following[before] = after
    else:
        clusters.first[clusters.nearest[i]] = after
    if after >= 0:
        clusters.preceding[after] = before


@_compiled
def _move(a: int, b: int, clusters: _Clusters, index: _Index) -> None:
    """Take b out of the index, move a to where it now is, and redraw the boxes around both."""
    gone, slot = clusters.slot[b], clusters.slot[a]
    index.masses[gone // _LANES, gone % _LANES] = np.inf
    index.masses[slot // _LANES, slot % _LANES] = clusters.mass[a]
    for k in range(clusters.centroid.shape[1]):
        index.points[gone // _LANES, k, gone % _LANES] = np.inf
        index.points[slot // _LANES, k, slot % _LANES] = clusters.centroid[a, k]
    _redraw(slot // _LANES, index)
    if gone // _LANES != slot // _LANES:
        _redraw(gone // _LANES, index)


@_compiled
def _redraw(leaf: int, index: _Index) -> None:
    """Fit the boxes and least masses above a leaf to what is in them."""
    group, child = leaf // _FAN, leaf % _FAN
    for k in range(index.points.shape[1]):
        low, high = np.inf, -np.inf
        for lane in range(_LANES):
            value = index.points[leaf, k, lane]
            low = min(low, value)
            high = max(high, value if value < np.inf else -np.inf)
        index.low[group, k, child], index.high[group, k, child] = low, high
    least = np.inf
    for lane in range(_LANES):
        least = min(least, index.masses[leaf, lane])
    index.light[group, child] = least
    for level in range(1, len(index.offset)):
        below = index.offset[level - 1] + leaf // _FAN
        leaf //= _FAN
        group, child = index.offset[level] + leaf // _FAN, leaf % _FAN
        _enclose(below, group, child, index.low, index.high, index.light)


@_compiled
def _merge(
    work: _Int32Array,
    waiting: int,
    following: _Int32Array,
    done: int,
    pairs: _Int32Array,
    heights: FloatArray,
    clusters: _Clusters,
    index: _Index,
) -> tuple[int, int]:
    """Merge the reciprocal pairs that the searches found; return what to search next, and done."""
    centroid, mass, nearest, state = (
        clusters.centroid,
        clusters.mass,
        clusters.nearest,
        clusters.state,
    )
    for at in range(waiting):
        i = work[at]
        j = nearest[i]
        state[i] = _SETTLED
        after = clusters.first[j]
        clusters.preceding[i], clusters.following[i], clusters.first[j] = -1, after, i
        if after >= 0:
            clusters.preceding[after] = i
    n = 0
    for at in range(waiting):
        i = work[at]
        if state[i] != _SETTLED:
            continue
        j = nearest[i]
        if state[j] == _DORMANT:
            state[j] = _WAITING
            following[n] = j
            n += 1
        # Rounding can let j's nearest be another although i is nearer: the nearer pair then goes.
        if state[j] != _SETTLED or not _comes_first(i, j, clusters):
            continue
        a, b = min(i, j), max(i, j)
        _leave_list(a, clusters)
        _leave_list(b, clusters)
        # Rounding must not put a merge below one of its parts.
        height = max(np.sqrt(clusters.squared[i]), max(clusters.height[a], clusters.height[b]))
        pairs[done, 0], pairs[done, 1], heights[done] = a, b, height
        done += 1
        clusters.height[a] = height
        total = mass[a] + mass[b]
        for k in range(centroid.shape[1]):
            centroid[a, k] = (mass[a] * centroid[a, k] + mass[b] * centroid[b, k]) / total
        mass[a] = total
        state[a], state[b] = _WAITING, _DEAD
        following[n] = a
        n += 1
        nearest[a] = -1
        # Those that lose their nearest sleep until somebody finds them or nothing else is left to
        # do: most would only lose the next one too, and around a hub all of them, round by round.
        for part in (a, b):
            member = clusters.first[part]
            clusters.first[part] = -1
            while member >= 0:
                nearest[a], nearest[member], state[member] = member, a, _DORMANT
                member = clusters.following[member]
        _move(a, b, clusters, index)
    return n, done
