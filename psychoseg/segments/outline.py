"""What may be shown of the tree and of the map: groups of enough people, and nobody alone.

Owns which sizes are told, the branches that are drawn, and the clouds that stand for people on the
map. Everything here is a sum over groups that each have the base, and no two of them differ by
fewer people than that; draws and prints nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from psychoseg.segments.cuts import cut_numbers, cut_panel
from psychoseg.segments.result import Segments
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.stats.disclosure import enough_people, publishable_cells

__all__ = ["MAX_WEDGES", "Branch", "Cloud", "Outline", "Size", "has_heights", "outline_of"]

#: Folded branches at the most: at 850 pixels each has seven.
MAX_WEDGES = 120
#: Heights are told in this many steps of the highest: an eye sees no more, and a height told to
#: the last digit says how far a group of few is from the rest.
_HEIGHT_STEPS = 100
#: Places and widths of clouds are told in this many steps of the wider side of the map.
_PLACE_STEPS = 100
#: Turns of clouds are told in steps of so many degrees.
_TURN = 10
#: Standard deviations around its centre that a map shows of every cloud.
_REACH = 2.0
#: Sums kept for each branch: people, weight and squared weight.
_SUMS = 3


@dataclass(frozen=True, slots=True)
class Size:
    """How many people a segment has, as far as that may be told.

    Attributes
    ----------
    n, weighted, share : float
        NaN where fewer than the base. Of segments ``together``, those of all of them.
    together : tuple of int
        The segments that are only counted with this one, so that the size of the smallest cannot
        be had by subtraction; empty where the size is its own.
    few : bool
        Whether the segment has fewer people than the base.
    """

    n: float
    weighted: float
    share: float
    together: tuple[int, ...] = ()
    few: bool = False


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where the people of a segment stand: the ellipse of one standard deviation.

    ``across`` and ``along`` are its half axes, ``turn`` the degrees of the longer one from the
    horizontal; all in steps, like the centre.
    """

    x: float
    y: float
    along: float
    across: float
    turn: float


@dataclass(slots=True)
class Branch:
    """A branch of at least the base; ``children`` are -1 where it is drawn as a wedge.

    Attributes
    ----------
    people, weight : float
    split : float
        Distance at which it divides; 0 for a wedge.
    labels : list of int
        Of a wedge: the segment of most of its weight at each cut.
    leaves : ndarray of int
        Leaves of the tree in it, for whoever may see people.
    """

    sums: FloatArray
    leaves: IntArray
    atoms: frozenset[int]
    children: tuple[int, int] = (-1, -1)
    split: float = 0.0
    labels: list[int] = field(default_factory=list)

    @property
    def people(self) -> float:
        """Return the people in the branch."""
        return float(self.sums[0])

    @property
    def weight(self) -> float:
        """Return their weight."""
        return float(self.sums[1])


@dataclass(frozen=True, slots=True)
class Outline:
    """What may be shown of segments at every cut of their tree.

    Attributes
    ----------
    ks : tuple of int
        The cuts, ascending.
    least : int
        The base.
    sizes : mapping of int to tuple of Size
        By cut, segments 1 to k.
    clouds : mapping of int to tuple of (Cloud or None)
        By cut; None where the segment has no cloud of its own, or only that of ``together``.
    frame : tuple of float
        Left, right, low and high end of the map.
    flat : bool
        Whether the map has one dimension.
    branches : list of Branch
        Branch 0 is everybody; empty where there is no tree with heights.
    order : list of int
        Branches that divide, in the order in which they do as more of the tree is shown.
    needed : int
        How many of them part segments.
    """

    ks: tuple[int, ...]
    least: int
    sizes: Mapping[int, tuple[Size, ...]]
    clouds: Mapping[int, tuple[Cloud | None, ...]]
    frame: tuple[float, float, float, float]
    flat: bool
    branches: list[Branch]
    order: list[int]
    needed: int


def has_heights(segments: Segments) -> bool:
    """Tell whether there is a tree with heights, which a flat method need not have."""
    return len(segments.tree) > 0 and bool(np.isfinite(segments.tree[:, 2]).all())


def outline_of(segments: Segments, *, least: int) -> Outline:
    """Find what may be shown of segments.

    Parameters
    ----------
    segments : Segments
    least : int
        The base: no group that is shown, and no difference of two, has fewer people, or under
        weights a smaller effective base (Kish). 1 shows everything.

    Returns
    -------
    Outline

    Notes
    -----
    The segments of all cuts are nested. Those that may be shown are chosen as for the profile
    tables (:func:`psychoseg.stats.disclosure.publishable_cells`); what remains of a cell beside
    the shown ones within it is one group, undivided. The branches of the tree divide these groups,
    a smaller branch than the base being folded into the one beside it. The height of a division
    is the tree's where its two sides are just those of the tree, and half-way between its
    neighbours' where a side has a small branch folded in. Clouds are drawn from the weighted mean
    and covariance of the same groups.
    """
    ks = tuple(cut_numbers(segments))
    points = segments.points
    people = points["n"].to_numpy(dtype=np.float64)
    weight = points["weight"].to_numpy(dtype=np.float64)
    # A point of several alike people of one weight each.
    sums = np.column_stack([people, weight, weight**2 / people])
    panel = _panel_of_points(segments, ks)
    parts = _Parts(panel, sums, ks, segments.k, least)
    places, flat = _places(segments)
    clouds, frame = _clouds(parts, places, weight, flat=flat)
    branches: list[Branch] = []
    order: list[int] = []
    needed = 0
    if has_heights(segments):
        branches, order, needed = _Folding(segments, parts, sums, panel, least).fold()
    sizes = {k: tuple(parts.size(k, s) for s in range(1, k + 1)) for k in ks}
    return Outline(ks, least, sizes, clouds, frame, flat, branches, order, needed)


def _panel_of_points(segments: Segments, ks: tuple[int, ...]) -> IntArray:
    """Return each point's segment at each cut; people at one point are alike and have one."""
    panel = cut_panel(segments, range(ks[0], ks[-1] + 1))
    there = np.flatnonzero(segments.point_of >= 0)
    points, first = np.unique(segments.point_of[there], return_index=True)
    out = np.ones((len(segments.points), len(ks)), dtype=np.intp)
    out[points] = panel[there[first]]
    return out


class _Parts:
    """The parts that no cut divides, what may be shown of their unions, and the groups left."""

    def __init__(
        self, panel: IntArray, sums: FloatArray, ks: tuple[int, ...], reported: int, least: int
    ) -> None:
        self.ks, self.least = ks, least
        self.of_point = panel[:, -1] - 1
        finest = ks[-1]
        self.sums = _summed(self.of_point, sums, finest)
        self.into = np.zeros((finest, len(ks)), dtype=np.intp)
        self.into[self.of_point] = panel
        cells = [np.ones((1, finest), dtype=bool)]
        # The figures of everybody go last, those of the reported segments before them.
        keep = [np.array([2])]
        for j, k in enumerate(ks):
            cells.append(np.arange(1, k + 1)[:, None] == self.into[None, :, j])
            keep.append(np.full(k, int(k == reported)))
        every = np.vstack(cells)
        chosen = publishable_cells(
            self.sums[:, 0],
            every,
            least=least,
            keep=np.concatenate(keep),
            weights=self.sums[:, 1],
            squares=self.sums[:, 2],
        )
        ends = np.cumsum([1, *ks])
        self.shown: dict[int, BoolArray] = {
            k: chosen[end - k : end] for k, end in zip(ks, ends[1:], strict=True)
        }
        #: The shown cells, everybody first, as sets of parts; the same set once.
        self.cells = list(
            dict.fromkeys(
                [
                    frozenset(range(finest)),
                    *(
                        frozenset(np.flatnonzero(c).tolist())
                        for c in every[1:][chosen[1:]]
                        if c.any()
                    ),
                ]
            )
        )

    def remainders(self) -> tuple[list[list[int]], list[bool]]:
        """Return the groups that can be told apart, and whether segments of few are in each."""
        of: dict[tuple[bool, ...], list[int]] = {}
        for part in range(len(self.sums)):
            of.setdefault(tuple(part in cell for cell in self.cells), []).append(part)
        few: set[int] = set()
        for k in self.ks:
            for s in range(1, k + 1):
                if self.few(k, s):
                    few |= self.members(k, s)
        groups = list(of.values())
        return groups, [not few.isdisjoint(group) for group in groups]

    def members(self, k: int, s: int) -> frozenset[int]:
        """Return the parts of a segment of a cut."""
        return frozenset(np.flatnonzero(self.into[:, self.ks.index(k)] == s).tolist())

    def group(self, k: int, s: int) -> tuple[frozenset[int], tuple[int, ...]]:
        """Return the parts that a segment is counted with, and the other segments among them."""
        if self.shown[k][s - 1]:
            return self.members(k, s), ()
        others = tuple(t for t in range(1, k + 1) if not self.shown[k][t - 1] and t != s)
        every = self.members(k, s).union(*(self.members(k, t) for t in others))
        return every, others

    def few(self, k: int, s: int) -> bool:
        """Tell whether a segment has fewer people than the base."""
        return not enough_people(self.total(self.members(k, s)), self.least)

    def total(self, parts: Iterable[int]) -> FloatArray:
        """Return the sums of several parts."""
        found: FloatArray = self.sums[sorted(parts)].sum(axis=0)
        return found

    def size(self, k: int, s: int) -> Size:
        """Return how many people a segment has, as far as that may be told."""
        parts, together = self.group(k, s)
        own = self.total(parts)
        few = self.few(k, s)
        if few or (together and not enough_people(own, self.least)):
            return Size(np.nan, np.nan, np.nan, few=True)
        share = float(own[1] / self.sums[:, 1].sum())
        return Size(float(own[0]), float(own[1]), share, together)


def _summed(group: IntArray, sums: FloatArray, n: int) -> FloatArray:
    found: FloatArray = np.column_stack(
        [np.bincount(group, column, n) for column in sums.T]
    ).astype(np.float64)
    return found


# ---- the map --------------------------------------------------------------------------------


def _places(segments: Segments) -> tuple[FloatArray, bool]:
    points = segments.points
    flat = "map_2" not in points or not points["map_2"].any()
    x = points["map_1"].to_numpy(dtype=np.float64)
    y = np.zeros(len(x)) if flat else points["map_2"].to_numpy(dtype=np.float64)
    return np.column_stack([x, y]), flat


def _clouds(
    parts: _Parts, places: FloatArray, weight: FloatArray, *, flat: bool
) -> tuple[dict[int, tuple[Cloud | None, ...]], tuple[float, float, float, float]]:
    """Return the cloud of each segment of each cut, in steps, and the ends of the map."""
    x, y = places.T
    moments = _summed(
        parts.of_point,
        np.column_stack([weight, weight * x, weight * y, weight * x * x, weight * x * y,
                         weight * y * y]),
        parts.ks[-1],
    )  # fmt: skip
    spread = _moments(moments.sum(axis=0))
    moments = _without_the_few(parts, moments)
    # A step depends on everybody's spread, in round numbers, and on nobody's place.
    step = _round_up(4 * math.sqrt(max(spread[2], spread[4], 1e-12))) / _PLACE_STEPS
    clouds: dict[int, tuple[Cloud | None, ...]] = {}
    for k in parts.ks:
        row: list[Cloud | None] = []
        told: set[frozenset[int]] = set()
        for s in range(1, k + 1):
            group, _ = parts.group(k, s)
            enough = not parts.few(k, s) and enough_people(parts.total(group), parts.least)
            if not enough or group in told:
                row.append(None)
                continue
            told.add(group)
            row.append(_cloud(_moments(moments[sorted(group)].sum(axis=0)), step))
        clouds[k] = tuple(row)
    every = [c for row in clouds.values() for c in row if c is not None]
    if not every:
        every = [_cloud(spread, step)]
    frame = _frame(every, flat=flat)
    return clouds, frame


def _without_the_few(parts: _Parts, moments: FloatArray) -> FloatArray:
    """Return moments in which the spread of a group says nothing of the few hidden in it.

    A few far from the others widen their group, and the direction in which they do points at them:
    such a group is drawn as wide as the others are on average.
    """
    groups, few = parts.remainders()
    if not any(few):
        return moments
    clean = [moments[g].sum(axis=0) for g, own in zip(groups, few, strict=True) if not own]
    within = np.zeros(3)
    for sums in clean or [moments.sum(axis=0)]:
        within += sums[0] * np.array(_moments(sums)[2:])
    within /= sum(sums[0] for sums in clean or [moments.sum(axis=0)])
    out = moments.copy()
    for group, own in zip(groups, few, strict=True):
        if own:
            w, x, y = moments[group, :3].sum(axis=0) / moments[group, 0].sum()
            # Every part of the group at the group's own place.
            one = np.array([w, x, y, within[0] + x * x, within[1] + x * y, within[2] + y * y])
            out[group] = moments[group, :1] * one
    return out


def _moments(sums: FloatArray) -> tuple[float, float, float, float, float]:
    """Return means and (co)variances from weighted sums."""
    w, x, y, xx, xy, yy = sums.tolist()
    mx, my = x / w, y / w
    return mx, my, max(xx / w - mx * mx, 0.0), xy / w - mx * my, max(yy / w - my * my, 0.0)


def _cloud(moments: tuple[float, float, float, float, float], step: float) -> Cloud:
    mx, my, vx, vxy, vy = moments
    middle, half = (vx + vy) / 2, math.hypot((vx - vy) / 2, vxy)
    along, across = math.sqrt(middle + half), math.sqrt(max(middle - half, 0.0))
    turn = math.degrees(0.5 * math.atan2(2 * vxy, vx - vy))
    return Cloud(
        _stepped(mx, step),
        _stepped(my, step),
        max(_stepped(along, step), step),
        max(_stepped(across, step), step) if vy else step,
        float(_TURN * round(turn / _TURN)),
    )


def _stepped(value: float, step: float) -> float:
    return round(round(value / step) * step, 9)


def _round_up(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    unit = 10.0 ** math.floor(math.log10(value))
    return next(f * unit for f in (1, 2, 5, 10) if f * unit >= value * (1 - 1e-9))


def _frame(clouds: list[Cloud], *, flat: bool) -> tuple[float, float, float, float]:
    def ends(which: str) -> tuple[float, float]:
        low, high = [], []
        for c in clouds:
            turn = math.radians(c.turn)
            part = (math.cos(turn), math.sin(turn))
            if which == "y":
                part = part[::-1]
            reach = _REACH * math.hypot(c.along * part[0], c.across * part[1])
            at = c.x if which == "x" else c.y
            low.append(at - reach)
            high.append(at + reach)
        return min(low), max(high)

    return (*ends("x"), *((0.0, 1.0) if flat else ends("y")))


# ---- the tree -------------------------------------------------------------------------------


class _Folding:
    """Folds the tree into branches of enough people that respect the groups of the cuts."""

    def __init__(
        self, segments: Segments, parts: _Parts, sums: FloatArray, panel: IntArray, least: int
    ) -> None:
        self.parts, self.least = parts, least
        tree = segments.tree
        m = self.m = len(tree) + 1
        self.pairs: list[list[int]] = tree[:, :2].astype(np.intp).tolist()
        self.height = np.concatenate([np.zeros(m), tree[:, 2]])
        self.top = float(self.height.max()) or 1.0
        self.sums = np.zeros((2 * m - 1, _SUMS))
        self.sums[:m] = _summed(segments.leaf_of, sums, m)
        # Of an approximation a leaf holds points of several segments: most of its weight counts.
        finest = parts.ks[-1]
        by = np.bincount(
            segments.leaf_of * finest + parts.of_point, sums[:, 1], m * finest
        ).reshape(m, finest)
        self.part = np.full(2 * m - 1, -1, dtype=np.intp)
        self.part[:m] = by.argmax(axis=1)
        #: The parts below the nodes that hold several.
        self.mixed: dict[int, frozenset[int]] = {}
        for node, (a, b) in enumerate(self.pairs, start=m):
            self.sums[node] = self.sums[a] + self.sums[b]
            if self.part[a] >= 0 and self.part[a] == self.part[b]:
                self.part[node] = self.part[a]
            else:
                self.mixed[node] = self.below(a) | self.below(b)
        #: The highest nodes of one part, of which the tree of everybody is made.
        self.roots: dict[int, list[int]] = {}
        for node in self.mixed:
            for child in self.pairs[node - m]:
                if self.part[child] >= 0:
                    self.roots.setdefault(int(self.part[child]), []).append(child)
        if not self.mixed:
            self.roots = {int(self.part[-1]): [2 * m - 2]}
        self.heights: dict[tuple[frozenset[int], frozenset[int]], float] = {}
        for node in self.mixed:
            a, b = (self.below(c) for c in self.pairs[node - m])
            self.heights[a, b] = self.heights[b, a] = float(self.height[node])
        reported = parts.ks.index(segments.k)
        self.number = parts.into[:, reported]
        self.branches: list[Branch] = []
        self.node_of: dict[int, int] = {}

    def below(self, node: int) -> frozenset[int]:
        """Return the parts below a node."""
        one = int(self.part[node])
        return frozenset([one]) if one >= 0 else self.mixed[node]

    def fold(self) -> tuple[list[Branch], list[int], int]:
        """Return the branches, those that divide in order, and how many of them part segments."""
        self._upper(self.parts.cells[0])
        self._heights_between(0, self.top)
        divided = [i for i, b in enumerate(self.branches) if b.children[0] >= 0]
        order = sorted(divided, key=lambda i: (-self.branches[i].split, i))
        needed = len(order)
        order += self._lower(needed)
        for branch in self.branches:
            branch.split = _stepped(branch.split, self.top / _HEIGHT_STEPS)
            if branch.children[0] < 0:
                branch.labels = self._labels(branch.atoms)
        return self.branches, order, needed

    def _new(self, atoms: frozenset[int]) -> int:
        leaves = [self._leaves(root) for a in sorted(atoms) for root in self.roots.get(a, [])]
        every = np.sort(np.concatenate(leaves)) if leaves else np.empty(0, dtype=np.intp)
        self.branches.append(Branch(self.sums[every].sum(axis=0), every, atoms))
        return len(self.branches) - 1

    def _upper(self, atoms: frozenset[int]) -> int:
        """Add a branch of some parts, and those that it divides into."""
        number = self._new(atoms)
        within = [c for c in self.parts.cells if c < atoms]
        largest = [c for c in within if not any(c < other for other in within)]
        rest = atoms.difference(*largest)
        groups = [*largest, rest] if rest and largest else largest
        groups = [g for g in groups if self._weight(g) > 0]
        if len(groups) < 2:
            roots = self.roots.get(next(iter(atoms)), []) if len(atoms) == 1 else []
            if len(roots) == 1:
                self.node_of[number] = roots[0]
            return number
        first = self._split_off(groups)
        other = atoms - first
        pair = sorted((first, other), key=lambda g: (self._lowest(g), -self._weight(g), min(g)))
        self.branches[number].split = self.heights.get((first, other), np.nan)
        self.branches[number].children = tuple(map(self._upper, pair))  # type: ignore[assignment]
        return number

    def _split_off(self, groups: list[frozenset[int]]) -> frozenset[int]:
        """Return the group that leaves the others first: at the coarsest cut, then the largest."""
        if len(groups) == 2:
            return groups[0]

        def when(group: frozenset[int]) -> tuple[int, float, int]:
            at = [
                k
                for j, k in enumerate(self.parts.ks)
                if len(set(self.parts.into[sorted(group), j])) == 1
                and group == self.parts.members(k, int(self.parts.into[min(group), j]))
            ]
            return min(at, default=self.parts.ks[-1] + 1), -self._weight(group), min(group)

        return min(groups, key=when)

    def _weight(self, atoms: frozenset[int]) -> float:
        return float(self.parts.total(atoms)[1])

    def _lowest(self, atoms: frozenset[int]) -> int:
        return int(self.number[sorted(atoms)].min())

    def _heights_between(self, number: int, above: float) -> float:
        """Give a height to the divisions that may not tell theirs; return that of a branch."""
        branch = self.branches[number]
        if branch.children[0] < 0:
            return 0.0
        known = branch.split if math.isfinite(branch.split) else above
        below = max(self._heights_between(c, known) for c in branch.children)
        if not math.isfinite(branch.split):
            branch.split = above if number == 0 else (above + below) / 2
        return branch.split

    def _lower(self, drawn: int) -> list[int]:
        """Divide the branches inside one part, highest first; return those that were."""
        queue: list[tuple[float, int, int]] = []

        def offer(number: int) -> None:
            node = self._division(self.node_of[number]) if number in self.node_of else -1
            if node >= 0:
                heapq.heappush(queue, (-float(self.height[node]), number, node))

        for number in range(len(self.branches)):
            offer(number)
        order: list[int] = []
        while queue and drawn + len(order) < MAX_WEDGES - 1:
            height, number, node = heapq.heappop(queue)
            branch = self.branches[number]
            pair = sorted(self.pairs[node - self.m], key=lambda c: (-self.sums[c, 1], c))
            # What was folded into this branch before stays with its heavier side.
            own = [self._leaves(c) for c in pair]
            kept = np.setdiff1d(branch.leaves, np.concatenate(own), assume_unique=True)
            own[0] = np.sort(np.concatenate([own[0], kept]))
            branch.children = len(self.branches), len(self.branches) + 1
            branch.split = -height
            order.append(number)
            for child, leaves in zip(pair, own, strict=True):
                self.node_of[len(self.branches)] = child
                self.branches.append(Branch(self.sums[leaves].sum(axis=0), leaves, branch.atoms))
            for child in branch.children:
                offer(child)
        return order

    def _division(self, node: int) -> int:
        """Return the highest merge in a branch with enough people on both sides, or -1."""
        while node >= self.m and self.sums[node, 0] >= 2 * self.least:
            a, b = self.pairs[node - self.m]
            if enough_people(self.sums[a], self.least) and enough_people(self.sums[b], self.least):
                return node
            node = a if self.sums[a, 0] >= self.sums[b, 0] else b
        return -1

    def _leaves(self, root: int) -> IntArray:
        stack, leaves = [root], []
        while stack:
            node = stack.pop()
            if node < self.m:
                leaves.append(node)
            else:
                stack += self.pairs[node - self.m]
        return np.array(sorted(leaves), dtype=np.intp)

    def _labels(self, atoms: frozenset[int]) -> list[int]:
        own = sorted(atoms)
        weight = self.parts.sums[own, 1]
        return [int(np.bincount(column, weight).argmax()) for column in self.parts.into[own].T]
