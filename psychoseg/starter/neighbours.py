"""Columns without a common name -> groups: side by side, or with the same answers in words.

Where the scale changes a group ends; a column that is almost the same goes with its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.starter.frames import MANY_RESPONDENTS
from psychoseg.starter.keys import correlations
from psychoseg.starter.ranges import Part, almost_same, as_in, part_by_range
from psychoseg.starter.scale import Frame
from psychoseg.starter.stems import topic_cuts
from psychoseg.starter.worded import is_loose

__all__ = ["BARE", "NAMED", "Group", "bare_groups"]

#: Columns it takes to be a battery: three where names say that they belong together, four where
#: only their place and their answers do.
NAMED, BARE = 3, 4
#: A correlation above so many standard errors is more than chance; our own choice.
_CHANCE = 2.5
#: Bare names in a row from which on topics are looked for.
_TOPIC_RUN = 12


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that may be a battery.

    Attributes
    ----------
    columns : tuple of Looked
    stem : str
        What their names have in common, ``""`` for nothing.
    notes : tuple of str
        What was guessed.
    frames : dict of str to Frame
        The frame of each, those that differ a little made the same.
    any_size : bool
        So few columns are a battery too, since others of the question are one.
    """

    columns: tuple[Looked, ...]
    stem: str
    notes: tuple[str, ...] = ()
    frames: dict[str, Frame] = field(default_factory=dict)
    any_size: bool = False


def bare_groups(columns: Sequence[Looked], frames: dict[str, Frame], n: int) -> list[Group]:
    """Group columns without a common name: side by side, or with the same answers in words."""
    groups: list[Group] = []
    words: dict[tuple[str, ...], list[Looked]] = {}
    unknown: dict[tuple[str, ...], list[Looked]] = {}
    for one in columns:
        frame = frames.get(one.name)
        if frame is None or one.demographic:
            continue
        if frame.kind in ("words", "labels"):
            words.setdefault(frame.key, []).append(one)
        elif frame.kind == "unordered" and not is_loose(frame):
            unknown.setdefault(frame.key, []).append(one)
    groups += [Group(tuple(c), "") for c in words.values() if len(c) >= NAMED]
    groups += [Group(tuple(c), "") for c in unknown.values() if len(c) >= BARE]
    run: list[Looked] = []
    ending: list[Looked | None] = [None]
    for column in [*columns, *ending]:
        frame = frames.get(column.name) if column else None
        rated = frame is not None and frame.kind in ("numbers", "binary")
        if run and (not rated or column is None or column.position != run[-1].position + 1):
            for stretch in _stretches(run, frames, n):
                groups += _parted(stretch)
            run = []
        if column is not None and rated:
            run.append(column)
    return groups


def _stretches(run: Sequence[Looked], frames: dict[str, Frame], n: int) -> list[Part]:
    """Part neighbours where their scale changes; one that is almost the same goes with them."""
    parts: list[list[Looked]] = []
    for column in run:
        if parts and frames[column.name].key == frames[parts[-1][-1].name].key:
            parts[-1].append(column)
        else:
            parts.append([column])
    frames = dict(frames)
    changed = True
    while changed:
        changed = False
        for i, part in enumerate(parts):
            around = [parts[j] for j in (i - 1, i + 1) if 0 <= j < len(parts)]
            hosts = [p for p in around if len(p) >= len(part) and len(part) < NAMED]
            host = next((h for h in hosts if _goes_with(part, h, frames, n)), None)
            if host is None:
                continue
            for column in part:
                frames[column.name] = as_in(column, frames[column.name], frames[host[0].name])
            keep = [p for p in parts if p is not part]
            parts = []
            for one in sorted([*keep, part], key=lambda p: p[0].position):
                if parts and frames[one[0].name].key == frames[parts[-1][0].name].key:
                    parts[-1] = [*parts[-1], *one]
                else:
                    parts.append(one)
            changed = True
            break
    out = []
    for part in parts:
        if len(part) < BARE:
            continue
        found = part_by_range(part, frames, n, one_question=True)
        out += [
            replace(p, frames={**{c.name: frames[c.name] for c in p.columns}, **p.frames})
            for p in found
        ]
    return out


def _goes_with(
    part: Sequence[Looked], host: Sequence[Looked], frames: dict[str, Frame], n: int
) -> bool:
    """Tell whether columns amid others are of their scale, but for an odd cell or an unused end."""
    base = frames[host[0].name]
    if any(c.demographic or c.field.value_labels for c in part) or len(host) < BARE - 1:
        return False
    if base.kind not in ("numbers", "binary") or base.low < 0:
        return False
    for column in part:
        frame = frames[column.name]
        if frame.low < 0 or (frame.kind == "binary" and base.kind == "numbers"):
            return False
        if frame.high > base.high or (base.kind == "binary" and frame.low < base.low):
            if not almost_same(column, base):
                return False
        elif base.kind == "binary" or base.high - frame.high > (1 if n >= MANY_RESPONDENTS else 2):
            return False
    return _correlate(part, host)


def _correlate(part: Sequence[Looked], host: Sequence[Looked]) -> bool:
    """Tell whether each column goes with one of the others more than chance would have it."""
    codes = np.column_stack([np.array([*c.numbers, np.nan])[c.codes] for c in (*part, *host)])
    corr = np.abs(correlations(codes))[: len(part), len(part) :]
    counts = (~np.isnan(codes)).sum(axis=0)[: len(part)]
    return bool((np.nanmax(corr, axis=1) >= _CHANCE / np.sqrt(np.maximum(counts, 1))).all())


def _parted(part: Part) -> list[Group]:
    """Take demographics off both ends of a run of bare names, and part it by topics."""
    run = list(part.columns)
    while run and run[0].demographic:
        run.pop(0)
    while run and run[-1].demographic:
        run.pop()
    if len(run) < BARE:
        return []
    cuts = topic_cuts([c.name for c in run]) if len(run) >= _TOPIC_RUN else []
    note = (
        "nothing in the names says whether these are one question or several: part them where the "
        "questionnaire does"
    )
    edges = [0, *cuts, len(run)]
    return [
        Group(tuple(run[a:b]), "", (note, *_about(part.notes, run[a:b], run)), part.frames)
        for a, b in pairwise(edges)
        if b > a
    ]


def _about(
    notes: Sequence[str], columns: Sequence[Looked], run: Sequence[Looked]
) -> tuple[str, ...]:
    """Return the notes that are on none of the run's other columns."""
    others = {c.name for c in run} - {c.name for c in columns}
    return tuple(note for note in notes if not any(note.startswith(f"{o} ") for o in others))
