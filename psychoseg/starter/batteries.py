"""Columns -> item batteries: questions with one answer scale that belong together.

Columns belong together by what their names or labels have in common; bare names do where they stand
side by side with the same answer scale. Owns which batteries a study begins with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.starter.frames import MANY_RESPONDENTS, as_codes, find_frame, join_frames
from psychoseg.starter.keys import guess_reversed
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale
from psychoseg.starter.stems import common_start, is_mnemonic, stem_groups, topic_cuts

__all__ = ["Battery", "find_batteries", "find_counts"]

#: Columns it takes to be a battery: three where names say that they belong together, four where
#: only their place and their answers do.
_NAMED, _BARE = 3, 4
#: Bare names in a row from which on topics are looked for.
_TOPIC_RUN = 12
#: Rows in which all ranks differ, from which on ratings are ranks.
_RANKED = 0.9
#: An item that fewer than this share answered was asked of some people only.
_ASKED = 0.5
#: Open counts ("how many a month?"): each column is at least this skewed, the most frequent answer
#: is in the lowest quarter of its range, and this share at most gave its highest. Our own choices:
#: answers to a rating scale pile up at its end rather than thin out towards it.
_COUNT_SKEW, _COUNT_LOW, _COUNT_TOP = 1.5, 0.25, 0.02
#: Different answers from which on numbers may be counts.
_COUNT_ANSWERS = 5
#: Ratings with so many steps are never names.
_MANY_STEPS = 9
#: Respondents for each item: with fewer, batteries are left for later.
_PEOPLE_PER_ITEM = 2


@dataclass(frozen=True, slots=True)
class Battery:
    """Items that share an answer scale.

    Attributes
    ----------
    columns : tuple of Looked
        In file order; without those in ``left_out``.
    question : str
        What all have in common, ``""`` where the file does not say.
    scale : Scale
    binary : bool
        Two answers only.
    reverse : tuple of str
        Items that go against the rest: a guess.
    labels : dict of str to str
        Wording of the items, where the file hides it in their names.
    left_out : tuple of (str, str)
        Columns of the battery that cannot be items, and why.
    notes : tuple of str
        What was guessed or could not be decided.
    why_not : str
        Why the study does not use it from the start; ``""`` where it does.
    """

    columns: tuple[Looked, ...]
    question: str
    scale: Scale
    binary: bool
    reverse: tuple[str, ...]
    labels: dict[str, str]
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    why_not: str

    @property
    def names(self) -> list[str]:
        """Return the names of the columns."""
        return [column.name for column in self.columns]


@dataclass(frozen=True, slots=True)
class _Group:
    columns: tuple[Looked, ...]
    stem: str
    notes: tuple[str, ...] = ()


def find_batteries(columns: Sequence[Looked], n: int) -> list[Battery]:
    """Find the item batteries of a file.

    Parameters
    ----------
    columns : sequence of Looked
        In file order, without those that are known to be something else.
    n : int
        Respondents.

    Returns
    -------
    list of Battery
        In file order.
    """
    frames = {c.name: f for c in columns if (f := find_frame(c)) is not None}
    rated = [c for c in columns if c.name in frames]
    groups: list[_Group] = []
    for stem, members in stem_groups(rated, least=_NAMED):
        groups += [
            _Group(tuple(part), stem)
            for part in _same_scale(members, frames, n)
            if len(part) >= _NAMED
        ]
    taken = {c.name for g in groups for c in g.columns}
    groups = _join_mnemonics(groups, frames, columns)
    groups += _bare([c for c in columns if c.name not in taken], frames)
    groups.sort(key=lambda g: g.columns[0].position)
    found = [b for g in groups if (b := _battery(g, frames)) is not None]
    return _chosen(found, n)


def find_counts(columns: Sequence[Looked]) -> list[list[Looked]]:
    """Group columns that count something, so that no answer scale holds them together.

    Parameters
    ----------
    columns : sequence of Looked
        In file order, without the items.

    Returns
    -------
    list of list of Looked
        Columns of one stem, in file order.
    """
    counted = [c for c in columns if c.kind == "numeric" and not c.demographic and _counts(c)]
    return [members for _, members in stem_groups(counted, least=_NAMED)]


def _counts(column: Looked) -> bool:
    """Tell whether answers thin out upwards without an end, as counts do."""
    if column.field.value_labels or not column.all_numbers:
        return False
    values, counts = column.numbers, column.counts
    if len(values) < _COUNT_ANSWERS or values[0] not in (0, 1) or (values % 1 != 0).any():
        return False
    share = counts / counts.sum()
    away = values - share @ values
    spread = float(share @ away**2) ** 0.5
    skew = float(share @ away**3) / spread**3
    low = values[int(counts.argmax())] <= values[0] + _COUNT_LOW * (values[-1] - values[0])
    return bool(skew >= _COUNT_SKEW and low and share[-1] <= _COUNT_TOP)


def _are_counts(columns: Sequence[Looked]) -> bool:
    """Tell whether all columns of a group are counts, each with an end of its own."""
    ends = {c.numbers[-1] for c in columns if len(c.numbers)}
    return len(ends) > 1 and all(_counts(c) for c in columns)


def _same_scale(columns: Sequence[Looked], frames: dict[str, Frame], n: int) -> list[list[Looked]]:
    """Part columns of one stem by their answer scale; slightly narrower ones go with wider ones."""
    parts: list[list[Looked]] = []
    kinds = sorted({frames[c.name].kind for c in columns})
    for kind in kinds:
        left = [c for c in columns if frames[c.name].kind == kind]
        while left:
            keys = [frames[c.name].key for c in left]
            # The most frequent scale; of several, the widest.
            base = max(sorted(set(keys)), key=lambda k: (keys.count(k), len(k), k))
            fits = [c for c in left if _fits(frames[c.name], base, kind, n)]
            if (
                len(fits) < _NAMED
                and kind == "words"
                and join_frames(left, [frames[c.name] for c in left])
            ):
                fits = left
            parts.append(fits)
            left = [c for c in left if c not in fits]
    return parts + _pairs([part[0] for part in parts if len(part) == 1], frames)


def _pairs(columns: Sequence[Looked], frames: dict[str, Frame]) -> list[list[Looked]]:
    """Return runs of neighbours that each have a pair of answers of their own: forced choices."""
    runs: list[list[Looked]] = [[]]
    for column in sorted(columns, key=lambda c: c.position):
        if frames[column.name].kind != "binary" or not column.field.value_labels:
            continue
        if runs[-1] and column.position != runs[-1][-1].position + 1:
            runs.append([])
        runs[-1].append(column)
    return [run for run in runs if len(run) >= _BARE]


def _fits(frame: Frame, base: tuple[str, ...], kind: str, n: int) -> bool:
    if frame.key == base:
        return True
    if kind == "numbers" and base[0].isdigit() and frame.key[0].isdigit():
        # In a small sample nobody may have given the highest answers.
        spare = 1 if n >= MANY_RESPONDENTS else 2
        return 0 <= int(base[0]) - int(frame.key[0]) <= spare and frame.high > 2
    if kind == "words":
        return set(frame.key) <= set(base) and len(frame.key) >= 0.5 * len(base)
    return False


def _join_mnemonics(
    groups: Sequence[_Group], frames: dict[str, Frame], columns: Sequence[Looked]
) -> list[_Group]:
    """Join neighbours such as E1 ... E10, N1 ... N10, A1 ...: scales of one questionnaire."""
    order = {c.name: i for i, c in enumerate(columns)}
    chain: list[_Group] = []
    out: list[_Group] = []
    for group in [*sorted(groups, key=lambda g: g.columns[0].position), None]:
        follows = (
            group is not None
            and is_mnemonic(group.stem)
            and bool(chain)
            and order[group.columns[0].name] == order[chain[-1].columns[-1].name] + 1
            and frames[group.columns[0].name].key == frames[chain[-1].columns[0].name].key
        )
        if not follows:
            # Two blocks are two questions (importance and satisfaction), more are one of several.
            joined = tuple(c for g in chain for c in g.columns)
            out += [_Group(joined, "")] if len(chain) > 2 else chain
            chain = []
        if group is not None and is_mnemonic(group.stem):
            chain.append(group)
        elif group is not None:
            out.append(group)
    return out


def _bare(columns: Sequence[Looked], frames: dict[str, Frame]) -> list[_Group]:
    """Group columns without a common name: side by side, or with the same answers in words."""
    groups: list[_Group] = []
    words: dict[tuple[str, ...], list[Looked]] = {}
    for one in columns:
        frame = frames.get(one.name)
        if frame is not None and frame.kind in ("words", "labels") and not one.demographic:
            words.setdefault(frame.key, []).append(one)
    groups += [_Group(tuple(c), "") for c in words.values() if len(c) >= _NAMED]
    run: list[Looked] = []
    ending: list[Looked | None] = [None]
    for column in [*columns, *ending]:
        frame = frames.get(column.name) if column else None
        same = (
            column is not None
            and frame is not None
            and frame.kind in ("numbers", "binary")
            and (not run or column.position == run[-1].position + 1)
            and (not run or frame.key == frames[run[-1].name].key)
        )
        if not same:
            groups += _parted(run)
            run = []
        if column is not None and frame is not None and frame.kind in ("numbers", "binary"):
            run.append(column)
    return groups


def _parted(run: Sequence[Looked]) -> list[_Group]:
    """Take demographics off both ends of a run of bare names, and part it by topics."""
    run = list(run)
    while run and run[0].demographic:
        run.pop(0)
    while run and run[-1].demographic:
        run.pop()
    if len(run) < _BARE:
        return []
    cuts = topic_cuts([c.name for c in run]) if len(run) >= _TOPIC_RUN else []
    note = (
        "nothing in the names says whether these are one question or several: part them where the "
        "questionnaire does"
    )
    edges = [0, *cuts, len(run)]
    return [_Group(tuple(run[a:b]), "", (note,)) for a, b in pairwise(edges) if b > a]


def _battery(group: _Group, frames: dict[str, Frame]) -> Battery | None:
    if _are_counts(group.columns):
        return None
    scale = join_frames(group.columns, [frames[c.name] for c in group.columns])
    if scale is None:
        return None
    codes = as_codes(group.columns, scale)
    binary = frames[group.columns[0].name].kind == "binary"
    if not binary and _are_ranks(codes, scale):
        return None
    kept, left_out = [], []
    for j, column in enumerate(group.columns):
        answered = codes[:, j][~np.isnan(codes[:, j])]
        if not len(answered) or answered.min() == answered.max():
            left_out.append((column.name, "everybody gave the same answer"))
        else:
            kept.append(j)
    if len(kept) < _NAMED:
        return None
    columns = tuple(group.columns[j] for j in kept)
    codes = codes[:, kept]
    question, labels = _wording(columns, group.stem)
    notes = [*group.notes, *scale.notes]
    if _may_be_names(columns, frames, scale) and not (question or labels):
        notes.append(
            "do the numbers run from less to more? If they are names, take this battery out"
        )
    asked = float((~np.isnan(codes)).mean())
    why_not = ""
    if binary and len({frames[c.name].key for c in columns}) > 1:
        why_not = "each item has its own pair of answers, so that 2 means something else in each"
    if asked < _ASKED:
        why_not = f"only {100 * asked:.0f} % of the answers are there: not everybody was asked"
    return Battery(
        columns=columns,
        question=question,
        scale=scale,
        binary=binary,
        reverse=guess_reversed(codes, columns) if _has_direction(scale, binary) else (),
        labels=labels,
        left_out=tuple(left_out),
        notes=tuple(notes),
        why_not=why_not,
    )


def _may_be_names(columns: Sequence[Looked], frames: dict[str, Frame], scale: Scale) -> bool:
    """Tell whether nothing in the file says what a few numbers mean."""
    if frames[columns[0].name].kind != "numbers" or scale.high - scale.low >= _MANY_STEPS:
        return False
    if any(c.label or c.field.value_labels for c in columns):
        return False
    # "Opera" and "Jazz" say what is rated; a17 and e1 do not.
    words = {w for c in columns if len(w := re.sub(r"[\W\d_]+", "", c.name)) > 2}
    return len(words) < 0.5 * len(columns)


def _has_direction(scale: Scale, binary: bool) -> bool:
    """Tell whether items could be worded the other way round: ticks and rates cannot."""
    return not binary and scale.high - scale.low < MAX_STEPS and not scale.rates


def _are_ranks(codes: np.ndarray[tuple[int, int], np.dtype[np.float64]], scale: Scale) -> bool:
    p = codes.shape[1]
    if p < _NAMED or scale.high != p or scale.low != 1:
        return False
    whole = codes[~np.isnan(codes).any(axis=1)]
    if not len(whole):
        return False
    return bool((np.sort(whole, axis=1) == np.arange(1, p + 1)).all(axis=1).mean() >= _RANKED)


def _wording(columns: Sequence[Looked], stem: str) -> tuple[str, dict[str, str]]:
    """Return the question and, where the file hides it in names or labels, each item's wording."""
    labels = [c.label for c in columns]
    asked = {c.field.set_label for c in columns}
    start = common_start(labels) if all(labels) else ""
    question = asked.pop() if len(asked) == 1 else ""
    if columns[0].question:
        return columns[0].question, {}
    if start:
        rest = {c.name: c.label[len(start) :].strip() for c in columns}
        return question or start.strip(" -:–—"), rest if all(rest.values()) else {}
    if any(labels):
        return question, {}
    names = [c.name for c in columns]
    if stem and all(name.startswith(stem) and name.rstrip().endswith("]") for name in names):
        return stem, {name: name[len(stem) :].strip(" []") for name in names}
    if stem and all(name.startswith((f"{stem}: ", f"{stem} - ")) for name in names):
        return stem, {name: name[len(stem) :].lstrip(" :-") for name in names}
    if stem and all(name.endswith((f": {stem}", f" - {stem}")) for name in names):
        return stem, {}
    return question, {}


def _chosen(found: Sequence[Battery], n: int) -> list[Battery]:
    """Say which batteries the study begins with: graded ones, as many as the people suffice for."""
    graded = any(not b.binary and not b.why_not for b in found)
    room = max(_NAMED, n // _PEOPLE_PER_ITEM)
    out = []
    for battery in found:
        why = battery.why_not
        if not why and battery.binary and graded:
            why = "it has two answers only, which say less than the graded batteries above"
        if not why and len(battery.columns) > room:
            why = "there are too few respondents for so many items"
        if not why:
            room -= len(battery.columns)
        out.append(replace(battery, why_not=why))
    return out
