"""The data of the dendrogram one can explore: everything its script shows, ready to print.

Every figure is text made here from ``Profiles.by_k`` and ``Profiles.cuts``, so that the script
formats nothing and computes nothing but places and colours. Nobody's id or place and no figure or
size on fewer than ``[profiles] min_base`` people goes in; with ``[report] individuals`` people are
dots.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd

from psychoseg.naming import size_of
from psychoseg.plots import SEGMENT_COLOURS, ink_on
from psychoseg.profiles.figures import share_apart
from psychoseg.report import words
from psychoseg.report.folded_tree import FoldedTree, write_tree
from psychoseg.report.leaving import in_house, leaving_run, outline_for
from psychoseg.segments.outline import Cloud, Outline, has_heights
from psychoseg.stats.arrays import FloatArray

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["Explorer", "explorer_data"]

#: Facts on a card, and on what sets two segments apart.
FACTS, APART = 4, 3
#: What the runner-up is where one segment, everybody, is what is recommended.
MOST_USEFUL = "the most useful division"
#: Kinds of variables whose figures are shares.
SHARES = ("categorical", "choice")
#: The map's longer side in units of its coordinates.
MAP_SIDE = 1000

#: Control characters, and those that turn text around: the report has neither in any text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")

_Row = Mapping[Hashable, object]


class Fact(TypedDict):
    """One line of a card: ``what`` is the number of its variable in ``Explorer["variables"]``."""

    what: int
    value: str
    interval: str
    total: str
    base: str
    effect: str
    size: str
    push: float


class Cut(TypedDict):
    """A number of segments: its segments, and what divides to make it."""

    k: int
    title: str
    mark: str
    segments: list[CutSegment]
    division: Division | None


class CutSegment(TypedDict):
    """A segment of a cut; ``heat`` has a text, a z and a base for each variable in ``heat``.

    ``cloud`` is where its people are on the map: x, y, two half axes and a turn in degrees; empty
    where it has none of its own. ``silent`` says why there are no facts.
    """

    number: int
    colour: int
    name: str
    headline: str
    share: str
    width: float
    people: str
    weighted: str
    parent: str
    cloud: list[int]
    silent: str
    facts: list[Fact]
    heat: list[tuple[str, float | None, str]]


class Division(TypedDict):
    """The two segments that were one with one segment fewer, and what sets them apart most."""

    parts: tuple[int, int]
    parent: str
    apart: list[tuple[int, str, str]]


class Explorer(TypedDict):
    """What the script shows. ``absent`` is empty, or says why there is nothing to explore."""

    absent: str
    k: int
    starred: int
    starred_as: str
    min_base: int
    colours: list[tuple[str, str]]
    variables: list[dict[str, str]]
    heat: list[int]
    heat_limit: float
    cuts: list[Cut]
    tree: FoldedTree | None
    flat: bool
    map_size: tuple[int, int]
    map_note: str
    individuals: bool


def explorer_data(run: Run) -> Explorer:
    """Gather what the explorer of a run shows.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Explorer
        Ready for JSON. Where there is no tree with heights, or no cuts of it, ``absent`` says so
        and the rest is empty.

    Notes
    -----
    What may be shown of the tree and the map: see :func:`psychoseg.segments.outline.outline_of`.
    """
    outline = outline_for(run)
    run = leaving_run(run)
    segments, profiles = run.segments, run.profiles
    min_base = run.study.profiles.min_base
    starred = segments.recommended_k if segments.recommended_k > 1 else segments.runner_up
    data = Explorer(
        absent="",
        k=segments.k,
        starred=starred,
        starred_as="recommended" if segments.recommended_k > 1 else MOST_USEFUL,
        min_base=min_base,
        colours=[(c, ink_on(c)) for c in SEGMENT_COLOURS],
        variables=[],
        heat=[],
        heat_limit=1.0,
        cuts=[],
        tree=None,
        flat=False,
        map_size=(MAP_SIDE, MAP_SIDE),
        map_note=_clean(words.sentence(segments.map_note)),
        individuals=in_house(run),
    )
    if not has_heights(segments):
        data["absent"] = (
            "The method divides people directly, without a tree that has heights, so there is no "
            "dendrogram to explore."
        )
        return data
    if profiles.cuts.empty or profiles.by_k.empty:
        data["absent"] = "The run keeps no profiles of other numbers of segments to explore."
        return data
    ks = sorted({int(k) for k in profiles.cuts["k"]})
    places = None
    scene = _Scene.of_clouds(outline)
    if in_house(run):
        places, scene = _places(segments.points)
    figures = _Figures(run, outline, scene)
    data["cuts"] = [figures.cut(k) for k in ks]
    data["variables"], data["heat"] = figures.variables, figures.heat
    data["heat_limit"] = figures.heat_limit
    data["map_size"], data["flat"] = scene.size, outline.flat
    data["tree"] = write_tree(segments, outline, places)
    return data


@dataclass(frozen=True, slots=True)
class _Scene:
    """The map in whole units from the upper left: its left and upper end, a unit, its size."""

    left: float
    upper: float
    unit: float
    size: tuple[int, int]

    @classmethod
    def of_clouds(cls, outline: Outline) -> _Scene:
        left, right, low, high = outline.frame
        if outline.flat:
            return cls(left, 0.0, MAP_SIDE / (right - left), (MAP_SIDE, MAP_SIDE))
        unit = MAP_SIDE / max(right - left, high - low)
        return cls(left, high, unit, (round(unit * (right - left)), round(unit * (high - low))))

    def cloud(self, cloud: Cloud | None) -> list[int]:
        """Return a cloud in units of the map; turned the other way, since y runs down."""
        if cloud is None:
            return []
        return [
            round((cloud.x - self.left) * self.unit),
            round((self.upper - cloud.y) * self.unit),
            round(cloud.along * self.unit),
            round(cloud.across * self.unit),
            -round(cloud.turn),
        ]


def _clean(text: object) -> str:
    return _CONTROL.sub(" ", str(text)).strip()


class _Figures:
    """Finds the figures of each cut in ``by_k`` and writes them out."""

    def __init__(self, run: Run, outline: Outline, scene: _Scene) -> None:
        by_k = run.profiles.by_k.assign(z=_apart_of(run.profiles.by_k))
        self._outline, self._scene = outline, scene
        self._cuts = run.profiles.cuts
        self._rows: dict[tuple[int, int], list[_Row]] = {}
        self._segments = run.segments
        self._weighted = run.survey.weight_kind != "none"
        self.variables: list[dict[str, str]] = []
        self._number: dict[tuple[str, str], int] = {}
        for row in by_k.to_dict("records"):
            key = str(row["variable"]), _category(row)
            if key not in self._number:
                self._number[key] = len(self.variables)
                label = _clean(row["label"])
                text = f"{label}: {_clean(key[1])}" if key[1] else label
                self.variables.append(
                    {
                        "variable": key[0],
                        "category": key[1],
                        "kind": str(row["kind"]),
                        "text": text,
                        "total": words.NOTHING,
                    }
                )
            own = self.variables[self._number[key]]
            if _finite(row["total"]):
                own["total"] = _value(row, "total")
            self._rows.setdefault((int(row["k"]), int(row["segment"])), []).append(row)
        roles = {role: set(rows["variable"]) for role, rows in by_k.groupby("role")}
        scales = [i for i, v in enumerate(self.variables) if v["kind"] == "scale"]
        active = [
            i for i, v in enumerate(self.variables) if v["variable"] in roles.get("active", ())
        ]
        numbers = [i for i, v in enumerate(self.variables) if v["kind"] == "numeric"]
        self.heat = scales or active or numbers
        shown = by_k[by_k["variable"].isin({self.variables[i]["variable"] for i in self.heat})]
        z = shown["z"].to_numpy(dtype=float)
        # As the report's heat map: the colours end at the largest z, or at 1.
        self.heat_limit = round(max(1.0, float(np.nanmax(np.abs(z), initial=0.0))), 3)

    def cut(self, k: int) -> Cut:
        """Return a cut."""
        own = self._cuts[self._cuts["k"] == k].sort_values("segment").to_dict("records")
        before = self._cuts[self._cuts["k"] == k - 1]
        names = dict(zip(before["segment"], before["name"].map(_clean), strict=True))
        sizes, clouds = self._outline.sizes[k], self._outline.clouds[k]
        parts: dict[int, list[int]] = {}
        for row in own:
            parts.setdefault(int(row["parent"]), []).append(int(row["segment"]))
        divided = {p: found for p, found in parts.items() if len(found) == 2}
        segments = []
        for row in own:
            s, parent = int(row["segment"]), int(row["parent"])
            known = _finite(row["share"])
            segments.append(
                CutSegment(
                    number=s,
                    colour=(int(row["colour"]) - 1) % len(SEGMENT_COLOURS),
                    name=_clean(row["name"]),
                    headline=_clean(row["headline"]) if known else "",
                    share=words.percent(row["share"]) if known else "",
                    width=round(_float(row["share"]) / (1 + len(sizes[s - 1].together)), 3)
                    if known
                    else 0.0,
                    people=str(row["people"]),
                    weighted=f"weighted {words.count(_float(row['weighted']))}"
                    if self._weighted and _finite(row["weighted"])
                    else "",
                    parent=names.get(parent, "") if parent in divided else "",
                    cloud=self._scene.cloud(clouds[s - 1]),
                    silent="These are too few people to show."
                    if not known
                    else "Not shown: by it, figures on too few people could be worked out."
                    if sizes[s - 1].together
                    else "",
                    facts=self._facts(k, s),
                    heat=self._heat(k, s),
                )
            )
        division = None
        if len(divided) == 1:
            ((parent, (a, b)),) = divided.items()
            division = Division(
                parts=(a, b), parent=names.get(parent, ""), apart=self._apart(k, a, b)
            )
        return Cut(
            k=k, title=self._title(k), mark=self._mark(k), segments=segments, division=division
        )

    def _title(self, k: int) -> str:
        if self._segments.unassigned:
            return f"{words.plural(k - 1, 'segment')} and people in none"
        return words.plural(k, "segment")

    def _mark(self, k: int) -> str:
        """Return what is special about a number of segments."""
        segments = self._segments
        marks = []
        if segments.recommended_k == k:
            marks.append("recommended")
        if segments.runner_up == k:
            marks.append("runner-up" if segments.recommended_k > 1 else MOST_USEFUL)
        if segments.k == k:
            marks.append("as in this report")
        return ", ".join(marks)

    def _facts(self, k: int, s: int) -> list[Fact]:
        """Return what sets a segment apart most, one line a variable."""
        known = [r for r in self._rows.get((k, s), []) if not r["hidden"] and _finite(r["effect"])]
        known.sort(key=lambda r: (-round(abs(_float(r["effect"])), 9), self._of(r)))
        facts: dict[str, Fact] = {}
        for row in known:
            effect = _float(row["effect"])
            size = size_of(effect)
            if size == "negligible" or len(facts) == FACTS:
                break
            low, high = _float(row["low"]), _float(row["high"])
            share = _is_share(row)
            facts.setdefault(
                str(row["variable"]),
                Fact(
                    what=self._of(row),
                    value=_value(row, "value"),
                    interval=words.percent_interval(low, high)
                    if share
                    else words.interval(low, high),
                    total=_value(row, "total"),
                    base=words.count(_float(row["base"])),
                    effect=words.signed(effect),
                    size=size,
                    push=round(effect, 3),
                ),
            )
        return list(facts.values())

    def _heat(self, k: int, s: int) -> list[tuple[str, float | None, str]]:
        rows = {self._of(r): r for r in self._rows.get((k, s), [])}
        cells: list[tuple[str, float | None, str]] = []
        for i in self.heat:
            row = rows.get(i)
            if row is None or row["hidden"] or not _finite(row["value"]):
                cells.append(("", None, ""))
                continue
            z = round(_float(row["z"]), 3) if _finite(row["z"]) else None
            cells.append((_value(row, "value"), z, words.count(_float(row["base"]))))
        return cells

    def _apart(self, k: int, a: int, b: int) -> list[tuple[int, str, str]]:
        """Return where two segments differ most: means by z, shares by Cohen's h."""
        others = {self._of(r): r for r in self._rows.get((k, b), [])}
        found: list[tuple[float, int, _Row, _Row]] = []
        for row in self._rows.get((k, a), []):
            number = self._of(row)
            other = others.get(number)
            if other is None or row["hidden"] or other["hidden"]:
                continue
            gap = _angle(row) - _angle(other)
            if math.isfinite(gap):
                found.append((-round(abs(gap), 9), number, row, other))
        found.sort(key=lambda f: f[:2])
        first: dict[str, tuple[int, str, str]] = {}
        for _, number, row, other in found:
            texts = number, _value(row, "value"), _value(other, "value")
            first.setdefault(str(row["variable"]), texts)
        return list(first.values())[:APART]

    def _of(self, row: _Row) -> int:
        return self._number[str(row["variable"]), _category(row)]


def _apart_of(rows: pd.DataFrame) -> FloatArray:
    """Return how far means and shares are from those of all, in standard deviations."""
    value, total, z = (rows[c].to_numpy(dtype=float) for c in ("value", "total", "z"))
    is_share = rows["kind"].isin(SHARES).to_numpy()
    return np.where(is_share, share_apart(value, np.where(is_share, total, 0.0)), z)


def _category(row: _Row) -> str:
    return "" if pd.isna(row["category"]) else str(row["category"])  # type: ignore[call-overload]


def _is_share(row: _Row) -> bool:
    return row["kind"] in SHARES


def _value(row: _Row, column: str) -> str:
    return (words.percent if _is_share(row) else words.number)(_float(row[column]))


def _angle(row: _Row) -> float:
    """Return a mean as z, and a share as the angle whose difference is Cohen's h."""
    if not _is_share(row):
        return _float(row["z"])
    return 2 * math.asin(math.sqrt(min(max(_float(row["value"]), 0.0), 1.0)))


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]


def _finite(value: object) -> bool:
    return math.isfinite(_float(value))


def _places(points: pd.DataFrame) -> tuple[FloatArray, _Scene]:
    """Return the points' places in whole units from the upper left, and the map."""
    x = points["map_1"].to_numpy(dtype=float)
    flat = "map_2" not in points or not points["map_2"].any()
    if flat:
        # People of one component get a lane a segment, in which they are spread evenly.
        golden = (math.sqrt(5) - 1) / 2
        y = (np.arange(len(x)) * golden) % 1
        unit = MAP_SIDE / (float(np.ptp(x)) or 1.0)
        scene = _Scene(float(x.min()), 0.0, unit, (MAP_SIDE, MAP_SIDE))
        return np.column_stack([(x - x.min()) * unit, y * MAP_SIDE]), scene
    y = points["map_2"].to_numpy(dtype=float)
    width, height = float(np.ptp(x)) or 1.0, float(np.ptp(y)) or 1.0
    unit = MAP_SIDE / max(width, height)
    scene = _Scene(
        float(x.min()), float(y.max()), unit, (round(width * unit), round(height * unit))
    )
    return np.column_stack([(x - x.min()) * unit, (y.max() - y) * unit]), scene
