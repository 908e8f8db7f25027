"""A run as it may leave the house: what its reports are made of, with nothing on too few people.

Owns what is taken out of a run before any format sees it: sizes under the base, what would give
them away, and evidence from which the place of so few people could be solved. With ``[report]
individuals = true`` nothing is taken out, for a page that stays in the house.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from psychoseg.profiles.protect import shown_beside_total
from psychoseg.report import words
from psychoseg.segments.outline import Outline, Size, outline_of
from psychoseg.stats.arrays import BoolArray

if TYPE_CHECKING:
    from psychoseg.run_folder import Run
    from psychoseg.segments import Segments

__all__ = ["in_house", "leaving_run", "outline_for", "people_words"]

#: Measures of a number of segments that are sums over all people and features: beside the means of
#: the other segments, each is an equation for the mean of one that is hidden.
_SOLVABLE = (
    "within", "calinski_harabasz", "davies_bouldin", "dunn", "hartigan", "duda_hart",
    "duda_hart_critical", "height", "height_jump", "gap", "gap_se", "association", "division_p",
    "bic", "icl",
)  # fmt: skip


def in_house(run: Run) -> bool:
    """Tell whether a report stays in the house and may show people one by one."""
    return run.study.report.individuals


def outline_for(run: Run) -> Outline:
    """Return what may be shown of the tree, the map and the sizes in a run's reports."""
    least = 1 if in_house(run) else max(run.study.profiles.min_base, 1)
    return outline_of(run.segments, least=least)


def people_words(size: Size, least: int) -> str:
    """Say how many people a segment has, as far as that may be told."""
    if size.few or not np.isfinite(size.n):
        return f"fewer than {least} people"
    text = f"n = {size.n:,.0f}"
    return f"{text} with {_segments(size.together)}" if size.together else text


def _segments(numbers: Sequence[int]) -> str:
    """Name segments by their numbers: "segment 3", "segments 3 and 4"."""
    *first, last = [str(s) for s in numbers]
    return f"segments {', '.join(first)} and {last}" if first else f"segment {last}"


def leaving_run(run: Run) -> Run:
    """Return a run as its reports may show it.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Run
        ``segments.table``, ``profiles.personas`` and ``profiles.cuts`` have a column ``people``
        besides, the size in words, and NaN in place of a size that may not be told. A segment whose
        size would give a smaller one's away has the size of them together.

    Notes
    -----
    What comes out where a segment is hidden: its size and share at every cut; sums of squares,
    merge heights and other measures of that number of segments, of which each is an equation for
    the hidden mean; how much of a block of features the segments explain; rules that find it; and
    sentences that say its size. Where people go from one number of segments to the next is told in
    multiples of the base.
    """
    if "people" in run.segments.table:
        return run
    least = max(run.study.profiles.min_base, 1)
    outline = outline_for(run)
    sizes = outline.sizes
    own = sizes[run.segments.k]
    hidden = {s for s, size in enumerate(own, start=1) if size.few or size.together}
    profiles = run.profiles
    personas = _sized(profiles.personas, {(s,): z for s, z in enumerate(own, start=1)}, least)
    personas = _numbered(personas, profiles.drivers, hidden)
    cuts = profiles.cuts
    if len(cuts):
        every: dict[tuple[int, ...], Size] = {
            (k, s): z for k, row in sizes.items() for s, z in enumerate(row, start=1)
        }
        names = dict(zip(personas["segment"], personas["name"], strict=True))
        cuts = _unnamed(_sized(cuts, every, least), run.segments.k, names)
    facts, rules = profiles.facts, profiles.rules
    if hidden:
        facts, personas = _retold(facts, personas, own)
        if len(rules):
            rules = rules[~rules["segment"].isin(hidden)].reset_index(drop=True)
    changed = replace(profiles, personas=personas, cuts=cuts, facts=facts, rules=rules)
    told = _Told(run.segments, outline, least)
    messages = run.warnings
    if len(messages):
        messages = messages.assign(message=[told.clean(str(m)) for m in messages["message"]])
    segments = told.segments(in_house=in_house(run))
    return replace(run, segments=segments, profiles=changed, warnings=messages)


def _sized(table: pd.DataFrame, sizes: Mapping[tuple[int, ...], Size], least: int) -> pd.DataFrame:
    """Return a table of segments with the sizes that may be told, and their words."""
    keys = ["k", "segment"] if "k" in table else ["segment"]
    # Of a cut that no tree at hand makes nothing is known, so nothing is told.
    unknown = Size(np.nan, np.nan, np.nan, few=True)
    found = (tuple(int(v) for v in key) for key in table[keys].to_numpy().tolist())
    known = table["n"].notna() if "n" in table else np.ones(len(table), dtype=bool)
    rows = [
        sizes.get(key, unknown) if there else unknown
        for key, there in zip(found, known, strict=True)
    ]
    out = table.copy()
    many = np.array([not z.few for z in rows], dtype=bool)
    own = many & np.array([not z.together for z in rows], dtype=bool)
    for name in ("n", "weighted", "share"):
        if name in out:
            out[name] = np.array([getattr(z, name) for z in rows], dtype=np.float64)
    for name in ("share_low", "share_high"):
        if name in out:
            out[name] = out[name].where(own)
    for name in ("certainty", "border_share", "silhouette"):
        if name in out:
            out[name] = out[name].where(many)
    out["people"] = [people_words(z, least) for z in rows]
    return out


def _numbered(personas: pd.DataFrame, drivers: pd.DataFrame, hidden: set[int]) -> pd.DataFrame:
    """Call a segment of which nothing may be told by its number, unless the study names it."""
    silent = hidden - set(drivers["segment"].astype(int))
    made = (personas["name"] == personas["suggested"]) & personas["segment"].isin(silent)
    number = [f"Segment {s}" for s in personas["segment"]]
    return personas.assign(
        name=personas["name"].where(~made, number),
        suggested=personas["suggested"].where(~personas["segment"].isin(silent), number),
    )


def _unnamed(cuts: pd.DataFrame, reported: int, names: Mapping[int, str]) -> pd.DataFrame:
    """Take the names that figures gave to segments of which nothing may be told."""
    together = cuts["people"].str.contains(" with ")
    silent = cuts["n"].isna() | (together & (cuts["headline"] == ""))
    called = [
        names.get(int(s), f"Segment {s}") if k == reported else f"Segment {s}"
        for k, s in zip(cuts["k"], cuts["segment"], strict=True)
    ]
    return cuts.assign(
        name=cuts["name"].where(~silent, called),
        headline=cuts["headline"].where(cuts["n"].notna(), ""),
    )


def _retold(
    facts: pd.DataFrame, personas: pd.DataFrame, sizes: tuple[Size, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say the size of the segments that are only counted together, where a portrait says it."""
    facts, personas = facts.copy(), personas.copy()
    for s, size in enumerate(sizes, start=1):
        if not size.together or not np.isfinite(size.share):
            continue
        text = (
            f"{words.percent(size.share)} of the respondents are in this segment or in "
            f"{_segments(size.together)}."
        )
        if len(facts):
            at = (facts["segment"] == s) & (facts["table"] == "personas")
            for old in facts.loc[at, "text"]:
                for column in ("portrait", "is_not"):
                    if column in personas:
                        mine = personas["segment"] == s
                        personas.loc[mine, column] = [
                            str(t).replace(str(old), text) for t in personas.loc[mine, column]
                        ]
            facts.loc[at, "text"] = text
    return facts, personas


class _Told:
    """The segments' tables, with what may not be told taken out."""

    def __init__(self, segments: Segments, outline: Outline, least: int) -> None:
        self._segments, self._outline, self._least = segments, outline, least
        self._own = outline.sizes[segments.k]

    def segments(self, *, in_house: bool) -> Segments:
        """Return the segments as they may be shown."""
        s = self._segments
        sizes: dict[tuple[int, ...], Size] = {(n,): z for n, z in enumerate(self._own, start=1)}
        table = _sized(s.table, sizes, self._least)
        if in_house:
            return replace(s, table=table)
        blocks = s.blocks
        if self._hidden(s.k) and len(blocks):
            blocks = blocks.assign(between=np.nan, eta_squared=np.nan)
        return replace(
            s,
            table=table,
            choice=self._choice(s.choice),
            stability=self._stability(s.stability),
            flow=self._flow(s.flow),
            consensus=self._consensus(s.consensus),
            blocks=blocks,
            reason=self.clean(s.reason),
            k_reason=self.clean(s.k_reason),
            runner_up_reason=self.clean(s.runner_up_reason),
        )

    def _hidden(self, k: int) -> bool:
        return any(z.few or z.together for z in self._outline.sizes.get(k, ()))

    def _choice(self, choice: pd.DataFrame) -> pd.DataFrame:
        """Take the smallest size, and what is summed over all, where a segment is hidden."""
        small = {
            int(r["k"]): bool(r["smallest_n"] < self._least) or self._hidden(int(r["k"]))
            for r in choice.to_dict("records")
        }
        own = np.array([small[int(k)] for k in choice["k"]], dtype=bool)
        next_too = own | np.array([small.get(int(k) + 1, False) for k in choice["k"]], dtype=bool)
        out = choice.copy()
        for name in ("smallest_share", "smallest_n"):
            out[name] = out[name].astype(np.float64).where(~own)
        for name in (c for c in _SOLVABLE if c in out):
            out[name] = out[name].astype(np.float64).where(~next_too)
        out["why"] = [
            self._shortened(str(why)) if hide else why
            for why, hide in zip(out["why"], own, strict=True)
        ]
        return out

    def _shortened(self, why: str) -> str:
        few = f"smallest segment of fewer than {self._least} people"
        text = re.sub(r"smallest segment [\d.]+%", few, why)
        text = re.sub(r"smallest segment [\d,]+ people", few, text)
        return text.replace(f"{few}, {few}", few)

    def _stability(self, stability: pd.DataFrame) -> pd.DataFrame:
        if stability.empty:
            return stability
        out = stability.copy()
        total = float(self._segments.points["n"].sum())
        keep = np.ones(len(out), dtype=bool)
        share, ks = out["share"].to_numpy(dtype=np.float64), out["k"].to_numpy(dtype=np.intp)
        for k in sorted(set(ks.tolist())):
            at = np.flatnonzero(ks == k)
            keep[at] = _told_sizes(share[at] * total, self._least)
            sizes = self._outline.sizes.get(k, ())
            for i, s in zip(at, out["segment"].to_numpy(dtype=np.intp)[at], strict=True):
                if s <= len(sizes) and (sizes[s - 1].few or sizes[s - 1].together):
                    keep[i] = False
        out["share"] = out["share"].round(2).where(keep)
        return out

    def _flow(self, flow: pd.DataFrame) -> pd.DataFrame:
        """Round who goes where to multiples of the base."""
        if flow.empty:
            return flow
        out = flow[flow["n"] >= self._least].copy()
        people = flow.groupby("k")["n"].sum().max()
        unit = self._least / people * flow.groupby("k")["weight"].sum().max()
        out["weight"] = np.maximum((out["weight"] / unit).round(), 1.0) * unit
        out["n"] = np.maximum((out["n"] / self._least).round(), 1.0) * self._least
        return out.reset_index(drop=True)

    def _consensus(self, consensus: pd.DataFrame) -> pd.DataFrame:
        if consensus.empty:
            return consensus
        keep = _told_sizes(consensus["n"].to_numpy(dtype=np.float64), self._least)
        return consensus.assign(
            n=consensus["n"].astype(np.float64).where(keep), share=consensus["share"].where(keep)
        )

    def clean(self, text: str) -> str:
        """Return a sentence without the sizes that may not be told."""
        if self._least <= 1 or not self._hidden(self._segments.k):
            return text
        few = f"fewer than {self._least}"

        def listed(match: re.Match[str]) -> str:
            s = int(match[1])
            size = self._own[s - 1] if 0 < s <= len(self._own) else None
            if size is None or not (size.few or size.together):
                return match[0]
            return f"{s} ({few})" if size.few else f"{s}"

        text = re.sub(r"\b(\d+) \(n = [\d,]+\)", listed, text)
        return re.sub(
            r"the smallest has [\d,]+ respondents, [\d.]+%", f"the smallest has {few}", text
        )


def _told_sizes(people: np.ndarray[Any, np.dtype[np.float64]], least: int) -> BoolArray:
    """Choose the sizes that may be told beside the number of all."""
    if least <= 1:
        return np.ones(len(people), dtype=bool)
    return shown_beside_total(people, least)[0]
