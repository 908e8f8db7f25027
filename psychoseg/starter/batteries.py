"""Columns -> item batteries: questions with one answer scale that belong together.

Columns belong together by what their names or labels have in common; bare names do where they stand
side by side with the same answer scale. Owns which batteries a study begins with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from psychoseg.starter.columns import Looked
from psychoseg.starter.frames import as_codes, find_frame, join_frames
from psychoseg.starter.keys import correlations, guess_reversed
from psychoseg.starter.neighbours import BARE, NAMED, Group, bare_groups
from psychoseg.starter.ranges import Part, loose_frame, part_by_range
from psychoseg.starter.ranks import rank_depth
from psychoseg.starter.scale import MAX_STEPS, Frame, Scale
from psychoseg.starter.stems import common_start, is_apart, is_mnemonic, is_weak_stem, stem_groups
from psychoseg.starter.twins import without_twins
from psychoseg.starter.worded import is_loose, settled

__all__ = [
    "Battery",
    "asks_to_choose",
    "find_batteries",
    "find_counts",
    "goes_together",
    "people_lost",
    "timings_of_items",
]

#: The question asks to choose, not to rate.
_CHOICE = re.compile(
    r"\bwhich (one|of)\b|\bchoose\b|\bpick\b|\bselect\b|\bwelche[sr]? (davon|von)|\bwahlen\b|wählen"
    r"|\blequel\b|\bcu[aá]l de\b|\bchoisi"
)
#: The largest eigenvalue of items that go together stands this much above that of noise.
_ABOVE_NOISE = 1.15
#: An item that fewer than this share answered was asked of some people only.
_ASKED = 0.5
_NOT_ALL = "not everybody was asked"
#: So many answers an item suffice where no other battery was asked of more.
_ENOUGH = 30
#: Open counts ("how many a month?"): each column is at least this skewed, the most frequent answer
#: is in the lowest quarter of its range, and this share at most gave its highest. Our own choices:
#: answers to a rating scale pile up at its end rather than thin out towards it.
_COUNT_SKEW, _COUNT_LOW, _COUNT_TOP = 1.5, 0.25, 0.02
#: Items of two answers whose mean correlation is below this are options rather than a scale.
_MEAN_CORRELATION = 0.1
#: ``[clean] min_answered`` as a draft has it, and the share of people lost that is told first.
_MIN_ANSWERED, _MANY_LOST = 0.5, 0.1
#: More different numbers than this in a column beside each item are times.
_MANY_TIMES = 30
#: Different answers from which on numbers may be counts.
_COUNT_ANSWERS = 5
#: Ratings with so many steps are never names.
_MANY_STEPS = 9
#: Share of stray codes beside two answers, and how often the rarer of the two stands above them.
#: Our own choices: in the real batteries tried, two answers never stood so far above the others.
_STRAY_PAIRS, _PAIR_ABOVE = 0.05, 5.0
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
    loose = {c.name: f for c in columns if c.name not in frames and (f := loose_frame(c))}
    rated = [c for c in columns if c.name in frames or c.name in loose]
    groups: list[Group] = []
    for stem, members in stem_groups(rated, least=NAMED):
        if sum(c.name in frames for c in members) < NAMED:
            continue
        groups += _same_scale(members, stem, {**loose, **frames}, n)
    for group in groups:
        frames |= group.frames
    taken = {c.name for g in groups for c in g.columns}
    groups = _join_mnemonics(groups, frames, columns)
    bare = bare_groups([c for c in columns if c.name not in taken], {**loose, **frames}, n)
    for group in bare:
        frames |= group.frames
    groups += bare
    groups.sort(key=lambda g: g.columns[0].position)
    found = [b for g in groups if (b := _battery(g, frames)) is not None]
    return _chosen(_at_least_one(without_twins(found)), n)


def _at_least_one(found: list[Battery]) -> list[Battery]:
    """Use the battery that most people answered where none was asked of everybody."""
    if any(not b.why_not for b in found):
        return found
    counts = [
        (~np.isnan(as_codes(b.columns, b.scale))).sum() / len(b.columns)
        if b.why_not.endswith(_NOT_ALL) and not b.binary
        else 0
        for b in found
    ]
    best = int(np.argmax(counts)) if counts else 0
    if not counts or counts[best] < _ENOUGH:
        return found
    return [replace(b, why_not="") if i == best else b for i, b in enumerate(found)]


def goes_together(battery: Battery) -> bool:
    """Tell whether items of two answers go together as those of a scale do."""
    codes = as_codes(battery.columns, battery.scale)
    corr = correlations(codes)
    p = len(corr)
    # Items may be worded either way ("tasty", "disgusting").
    mean = (np.abs(corr).sum() - p) / (p * (p - 1))
    return bool(_cohere(codes) and mean >= _MEAN_CORRELATION)


def people_lost(batteries: Sequence[Battery], n: int) -> str:
    """Say how many people ``[clean] min_answered`` would leave out and why; nothing where few."""
    used = [b for b in batteries if not b.why_not]
    if not used:
        return ""
    codes = [as_codes(b.columns, b.scale) for b in used]
    answered = sum((~np.isnan(c)).sum(axis=1) for c in codes)
    p = sum(c.shape[1] for c in codes)
    lost = int((answered < np.ceil(_MIN_ANSWERED * p - 1e-9)).sum())
    if lost < _MANY_LOST * n:
        return ""
    shares = [float((~np.isnan(c)).mean()) for c in codes]
    least = int(np.argmin(shares))
    names = used[least].names
    cells = sum(used[least].scale.counts.values())
    gone = ", ".join(used[least].scale.missing)
    taken = f", {cells:,} cells taken for no answer ({gone})" if cells and gone else ""
    return (
        f"{lost:,} of {n:,} people would be left out: they answered fewer than half of the {p} "
        f"items (of {names[0]} to {names[-1]}, {100 * shares[least]:.0f} % of the answers are there"
        f"{taken}). Take out items that were asked of some people only, correct missing, or lower "
        "min_answered in [clean]"
    )


def timings_of_items(columns: Sequence[Looked], batteries: Sequence[Battery]) -> set[str]:
    """Return columns that stand one beside each item and hold many different numbers: times."""
    numbers = {re.sub(r"\D", "", c.name) for b in batteries for c in b.columns}
    items = {c.name for b in batteries for c in b.columns}
    many = [
        c
        for c in columns
        if c.kind == "numeric" and len(c.texts) > _MANY_TIMES and c.name not in items
    ]
    out: set[str] = set()
    for _, members in stem_groups(many, least=NAMED + 2):
        if {re.sub(r"\D", "", c.name) for c in members} <= numbers - {""}:
            out |= {c.name for c in members if (c.numbers >= 0).all()}
    return out


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
    return [members for _, members in stem_groups(counted, least=NAMED)]


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


def _same_scale(
    columns: Sequence[Looked], stem: str, frames: dict[str, Frame], n: int
) -> list[Group]:
    """Part columns of one stem by their answer scale; slightly narrower ones go with wider ones."""
    parts: list[Part] = []
    numbered = [c for c in columns if _is_numbered(c, frames)]
    if numbered:
        parts += part_by_range(numbered, frames, n, one_question=not is_weak_stem(stem))
    worded = [c for c in columns if not _is_numbered(c, frames)]
    told = settled(worded, frames)
    frames = {**frames, **told}
    worded = [c for c in worded if not is_loose(frames[c.name])]
    for kind in sorted({frames[c.name].kind for c in worded}):
        left = [c for c in worded if frames[c.name].kind == kind]
        while left:
            keys = [frames[c.name].key for c in left]
            # The most frequent scale; of several, the widest.
            base = max(sorted(set(keys)), key=lambda k: (keys.count(k), len(k), k))
            fits = [c for c in left if _fits(frames[c.name], base, kind)]
            if (
                len(fits) < NAMED
                and kind == "words"
                and join_frames(left, [frames[c.name] for c in left])
            ):
                fits = left
            parts.append(Part(fits, {c.name: told[c.name] for c in fits if c.name in told}))
            left = [c for c in left if c not in fits]
    singles = [part.columns[0] for part in parts if len(part.columns) == 1]
    parts += [Part(run, {}) for run in _pairs(singles, frames)]
    # Q1, Q8 and Q19 with two answers each are questions of their own.
    apart = [p for p in parts if _is_binary(p, frames) and is_apart(p.columns, stem)]
    big = [p for p in parts if len(p.columns) >= NAMED and p not in apart]
    beside = [p for p in parts if len(p.columns) < NAMED and _is_recoded(p, big, frames)]
    groups = []
    for part in (*big, *beside):
        notes = part.notes
        others = [p for p in (*big, *beside) if p is not part and _is_recoded(part, [p], frames)]
        if others and not any("two codings" in note for note in notes):
            first = others[0].columns[0]
            notes = (*notes, f"the same question as {first.name}, in other answers")
        groups.append(Group(tuple(part.columns), stem, notes, part.frames, part in beside))
    return groups


def _is_binary(part: Part, frames: dict[str, Frame]) -> bool:
    return all({**frames, **part.frames}[c.name].kind == "binary" for c in part.columns)


def _is_numbered(column: Looked, frames: dict[str, Frame]) -> bool:
    kind = frames[column.name].kind
    return (
        kind in ("numbers", "slider")
        or (kind == "binary" and column.all_numbers and not column.field.value_labels)
        or (kind == "binary" and column.kind == "numeric")
    )


def _is_recoded(part: Part, others: Sequence[Part], frames: dict[str, Frame]) -> bool:
    """Tell whether columns hold in words what others of the question hold in codes."""
    mine = {**frames, **part.frames}[part.columns[0].name]
    if mine.kind in ("binary", "slider"):
        return False
    for other in others:
        theirs = {**frames, **other.frames}[other.columns[0].name]
        if theirs.kind not in ("numbers", "words", "labels") or theirs.kind == mine.kind:
            continue
        if _steps(mine) == _steps(theirs):
            return True
    return False


def _steps(frame: Frame) -> int:
    if frame.kind in ("words", "labels"):
        return len(frame.key)
    return int(frame.high - min(frame.low, 1 if frame.low > 0 else frame.low)) + 1


def _pairs(columns: Sequence[Looked], frames: dict[str, Frame]) -> list[list[Looked]]:
    """Return runs of neighbours that each have a pair of answers of their own: forced choices."""
    runs: list[list[Looked]] = [[]]
    for column in sorted(columns, key=lambda c: c.position):
        if frames[column.name].kind != "binary" or not column.field.value_labels:
            continue
        if runs[-1] and column.position != runs[-1][-1].position + 1:
            runs.append([])
        runs[-1].append(column)
    return [run for run in runs if len(run) >= BARE]


def _fits(frame: Frame, base: tuple[str, ...], kind: str) -> bool:
    if frame.key == base:
        return True
    if kind in ("words", "labels", "unordered"):
        return set(frame.key) <= set(base) and len(frame.key) >= 0.5 * len(base)
    return False


def _join_mnemonics(
    groups: Sequence[Group], frames: dict[str, Frame], columns: Sequence[Looked]
) -> list[Group]:
    """Join neighbours such as E1 ... E10, N1 ... N10, A1 ...: scales of one questionnaire."""
    order = {c.name: i for i, c in enumerate(columns)}
    chain: list[Group] = []
    out: list[Group] = []
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
            notes = tuple(dict.fromkeys(n for g in chain for n in g.notes))
            out += [Group(joined, "", notes)] if len(chain) > 2 else chain
            chain = []
        if group is not None and is_mnemonic(group.stem):
            chain.append(group)
        elif group is not None:
            out.append(group)
    return out


def _battery(group: Group, frames: dict[str, Frame]) -> Battery | None:
    if _are_counts(group.columns):
        return None
    scale = join_frames(group.columns, [frames[c.name] for c in group.columns])
    if scale is None:
        return None
    codes = as_codes(group.columns, scale)
    binary = frames[group.columns[0].name].kind == "binary"
    if not binary and scale.low == 1 and rank_depth(codes):
        return None
    kept, left_out = [], []
    for j, column in enumerate(group.columns):
        answered = codes[:, j][~np.isnan(codes[:, j])]
        if not len(answered) or answered.min() == answered.max():
            left_out.append((column.name, "everybody gave the same answer"))
        else:
            kept.append(j)
    if len(kept) < (1 if group.any_size else NAMED):
        return None
    columns = tuple(group.columns[j] for j in kept)
    codes = codes[:, kept]
    question, labels = _wording(columns, group.stem)
    notes = [*group.notes, *scale.notes]
    if frames[columns[0].name].kind == "numbers" and _may_be_choices(columns, question):
        if not _cohere(codes):
            return None
        notes.append("are the numbers names of choices? If they are, take this battery out")
    if _may_be_names(columns, frames, scale) and not (question or labels):
        notes.append(
            "do the numbers run from less to more? If they are names, take this battery out"
        )
    asked = float((~np.isnan(codes)).mean())
    why_not = ""
    if binary and len({frames[c.name].key for c in columns}) > 1:
        why_not = "each item has its own pair of answers, so that 2 means something else in each"
    if not binary and not scale.codes and _are_pairs_with_strays(codes):
        why_not = (
            "nearly everybody answered one of two codes, such as yes and no, and few the others, "
            "which may be slips. If the codes run from less to more, use it"
        )
    if asked < _ASKED:
        why_not = f"only {100 * asked:.0f} % of the answers are there: {_NOT_ALL}"
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


def _are_pairs_with_strays(codes: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> bool:
    """Tell whether two answers stand far above a few others: yes and no with stray codes.

    On a scale the third answer falls off from the second, and not to a fifth of it at once.
    """
    values, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    if len(values) < 3 or tuple(values[:2]) not in ((0.0, 1.0), (1.0, 2.0)):
        return False
    rest = counts[2:].sum()
    few = rest <= _STRAY_PAIRS * counts.sum()
    return bool(few and counts[:2].min() >= _PAIR_ABOVE * rest)


def asks_to_choose(text: str) -> bool:
    """Tell whether a question asks to choose, not to rate."""
    return _CHOICE.search(text.casefold()) is not None


def _may_be_choices(columns: Sequence[Looked], question: str) -> bool:
    """Tell whether the file or the question says that bare codes are names."""
    if any(c.field.value_labels for c in columns):
        return False
    asked = " ".join((question, columns[0].label))
    return all(c.field.measure == "nominal" for c in columns) or asks_to_choose(asked)


def _cohere(codes: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> bool:
    """Tell whether answers go together more than noise does (Marchenko and Pastur)."""
    corr = correlations(codes)
    n, p = codes.shape
    if p < 2 or not np.isfinite(corr).all():
        return False
    noise = (1 + np.sqrt(p / n)) ** 2
    return bool(np.linalg.eigvalsh(corr)[-1] > _ABOVE_NOISE * noise)


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
    graded = not binary and not scale.unordered
    return graded and scale.high - scale.low < MAX_STEPS and not scale.rates


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
    usable = [b for b in found if not b.why_not]
    graded = any(not b.binary and not b.scale.unordered for b in usable)
    ordered = any(not b.scale.unordered for b in usable)
    room = max(NAMED, n // _PEOPLE_PER_ITEM)
    out = []
    for battery in found:
        why = battery.why_not
        if not why and battery.binary and graded:
            why = "it has two answers only, which say less than the graded batteries above"
        if not why and battery.scale.unordered and ordered:
            why = "the order of its answers is not known"
        if not why and len(battery.columns) > room:
            why = "there are too few respondents for so many items"
        if not why:
            room -= len(battery.columns)
        out.append(replace(battery, why_not=why))
    return out
