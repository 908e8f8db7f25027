"""Columns -> multiple-response sets: questions of which several options may be ticked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

import numpy as np

from psychoseg.starter.answers import is_no_answer, is_yes_no, plain
from psychoseg.starter.columns import Looked
from psychoseg.starter.frames import MINUS_SHARE, few_cells
from psychoseg.starter.markers import is_no_number
from psychoseg.starter.ranks import Ranks
from psychoseg.starter.stems import common_start, is_apart, stem_groups
from psychoseg.survey.sets import NOT_CHOSEN

__all__ = ["Choices", "find_choices", "rank_choices"]

#: Columns it takes to be a check-all question.
_OPTIONS = 2
#: Of single ticks (one text or nothing); 0 and 1 are many things and take one more, and names that
#: have nothing in common yet another.
_OPTIONS_OF_CODES, _BARE = 3, 4
#: Column by column ever fewer answers: the last has at most this share of the first one's.
_FADING = 0.6
#: Share of rows that may leave a place empty between two.
_SLIPS = 0.05
#: Answers of a column that is one option: ticked, not ticked, and one that means neither.
_TICK_TEXTS = 3
#: A set is named after its label where that has fewer words.
_NAME_WORDS = 6
#: What exports write for an option that was offered and not ticked.
_NOT_TICKED = re.compile(
    r"(not|un|non|no|nicht|niet|nao|nie) ?-?(selected|chosen|ticked|checked|mentioned|marked|picked"
    r"|gewahlt|ausgewahlt|genannt|angekreuzt|markiert|selectionnee?|coche|mentionnee?|cite"
    r"|seleccionad[oa]|marcad[oa]|mencionad[oa]|selezionat[oa]|geselecteerd|aangevinkt|genoemd"
    r"|selecionad[oa]|wybrane?|zaznaczon[oey]|vybrano)|unselected|unchecked|deselected"
)
_Tick = Literal["", "one text", "codes", "not ticked", "yes and no"]


@dataclass(frozen=True, slots=True)
class Choices:
    """A multiple-response set.

    Attributes
    ----------
    name, label : str
    columns : tuple of Looked
    coding : {"dichotomy", "category"}
    selected : tuple of str
        Answers that mean "ticked", where the usual rule does not tell.
    labels : dict of str to str
        What to call an option.
    missing : dict of str to int
        Answers that are none, and how many cells hold each.
    notes : tuple of str
        What was guessed.
    either : bool
        Two answers each, so that the columns may be items of a scale as well.
    """

    name: str
    label: str
    columns: tuple[Looked, ...]
    coding: Literal["dichotomy", "category"]
    selected: tuple[str, ...]
    labels: dict[str, str]
    missing: dict[str, int]
    notes: tuple[str, ...] = ()
    either: bool = False


def find_choices(columns: Sequence[Looked]) -> list[Choices]:
    """Find the sets: those the file declares, lists of choices, check-all columns.

    Parameters
    ----------
    columns : sequence of Looked
        In file order.

    Returns
    -------
    list of Choices
        In file order.
    """
    found: list[Choices] = []
    taken: set[str] = set()
    used: set[str] = set()
    declared: dict[tuple[str, str], list[Looked]] = {}
    for column in columns:
        if column.field.counted and column.kind != "empty" and len(column.texts) <= _TICK_TEXTS:
            declared.setdefault((column.field.set_label, column.field.counted), []).append(column)
    for (label, value), members in declared.items():
        if len(members) >= _OPTIONS:
            stem = label if len(label.split()) < _NAME_WORDS else _stem(members)
            found.append(_choices(members, stem, label, "dichotomy", (value,), used))
            taken |= {c.name for c in members}
    rest = [c for c in columns if c.name not in taken]
    coded = [c for c in rest if c.kind in ("numeric", "categories", "constant")]
    for stem, members in stem_groups(coded, least=_OPTIONS_OF_CODES):
        if _fades(members):
            label = members[0].field.set_label
            found.append(_choices(members, stem, label, "category", (), used))
            taken |= {c.name for c in members}
    kinds = {c.name: _tick(c) for c in rest if c.name not in taken}
    graded = [c for c in rest if c.kind in ("numeric", "categories") and kinds.get(c.name) == ""]
    others = {stem: len(members) for stem, members in stem_groups(graded, least=_OPTIONS)}
    ends: set[str] = set()
    for kind in ("one text", "codes", "not ticked", "yes and no"):
        ticked = [c for c in rest if kinds.get(c.name) == kind]
        for stem, members in stem_groups(ticked, least=_OPTIONS):
            # Where most columns of a question hold more answers, two answers are an unused end.
            if kind == "codes" and others.get(stem, 0) >= len(members):
                ends |= {c.name for c in members}
            elif _are_options(members, stem, kind):
                found.append(_ticks(members, stem, kind, used))
                taken |= {c.name for c in members}
        left = [c for c in ticked if c.name not in taken | ends]
        for stem, members in _bare_runs(left, kind):
            found.append(_ticks(members, stem, kind, used, bare=not stem))
            taken |= {c.name for c in members}
    return sorted(found, key=lambda c: c.columns[0].position)


def rank_choices(ranks: Ranks, taken: Sequence[str]) -> Choices:
    """Return the set of options that people put among the first few."""
    selected = tuple(str(i) for i in range(1, ranks.depth + 1))
    made = _choices(ranks.columns, ranks.stem, "", "dichotomy", selected, set(taken))
    zeros = sum(c.count_of().get("0", 0) for c in ranks.columns)
    note = (
        f"each person put {ranks.depth} of these {len(ranks.columns)} into an order, so the "
        "numbers are ranks and no ratings; here an option counts as chosen if it is among them. "
        "For first choices alone write selected = [1]"
    )
    label = f"{made.label}: among the first {ranks.depth}"
    return Choices(
        made.name, label, made.columns, "dichotomy", selected, made.labels,
        made.missing if not zeros else {}, (note,),
    )  # fmt: skip


def _stem(columns: Sequence[Looked]) -> str:
    groups = stem_groups(columns, least=len(columns))
    return groups[0][0] if groups else columns[0].name


def _tick(column: Looked) -> _Tick:
    """Return in which way a column says "ticked" and "not ticked", "" where it is no tick."""
    if column.demographic or column.kind not in ("constant", "categories", "text", "numeric"):
        return ""
    labels = column.field.value_labels
    texts = [t for t in column.texts if not _is_absent(column, t)]
    shown = [labels.get(t, t) for t in texts]
    if len(texts) == 1:
        return _single(column, texts[0], shown[0])
    if len(texts) != 2:
        return ""
    if set(texts) == {"0", "1"} and not labels:
        return "codes"
    pair = is_yes_no(shown)
    if any(_NOT_TICKED.fullmatch(plain(t)) for t in shown):
        return "not ticked"
    # "True" and "False" as labels are answers to statements; bare, a program's ticks.
    statements = {"disagree", "disapprove"} | (
        {"false", "falsch", "faux", "falso"} if labels else set()
    )
    if pair is None or plain(pair[0]) in statements:
        return ""
    return "yes and no"


def _single(column: Looked, text: str, shown: str) -> _Tick:
    # A constant that everybody has is no tick; "0" for all is an option that nobody ticked.
    if _NOT_TICKED.fullmatch(plain(shown)):
        return "not ticked"
    if not bool((column.codes >= 0).all()):
        return "codes" if text in ("0", "1") and column.field.value_labels else "one text"
    if text == "0" and not column.field.value_labels:
        return "codes"
    return "yes and no" if plain(shown) in ("no", "nein", "non", "nee", "nao") else ""


def _is_absent(column: Looked, text: str) -> bool:
    if column.field.value_labels.get(text):
        return is_no_answer(column.field.value_labels[text])
    if len(column.texts) == 1:
        return False
    if is_no_answer(text):
        return True
    held = column.count_of()
    slip = len(held) == _TICK_TEXTS and {"0", "1"} < held.keys() and text not in ("0", "1")
    if slip and few_cells(held[text], column.answered):
        return True
    numbers = bool((~np.isnan(column.numbers)).any())
    # -1 beside 0 and 1 may be the lower of three answers: then it is not rare.
    if text == "-1" and held[text] >= MINUS_SHARE * column.answered:
        return False
    return text in ("-1", "-9", "-99", "-999", "-9999") or (numbers and is_no_number(text))


def _are_options(columns: Sequence[Looked], stem: str, kind: str) -> bool:
    if kind in ("one text", "not ticked"):
        return len(columns) >= _OPTIONS
    if len(columns) < _OPTIONS_OF_CODES or not any(len(c.texts) > 1 for c in columns):
        return False
    return not is_apart(columns, stem)


def _bare_runs(columns: Sequence[Looked], kind: str) -> list[tuple[str, list[Looked]]]:
    """Return neighbours that are ticks alike, with the beginning that their names share."""
    runs: list[list[Looked]] = []
    for column in columns:
        if runs and column.position == runs[-1][-1].position + 1 and _go_on(runs[-1], column):
            runs[-1].append(column)
        else:
            runs.append([column])
    out = []
    for run in runs:
        start = _shared_start([c.name for c in run])
        least = {"one text": _OPTIONS, "not ticked": _OPTIONS}.get(
            kind, _OPTIONS_OF_CODES if start else _BARE
        )
        alike = len({c.texts for c in run}) == 1 and len(run) >= _OPTIONS_OF_CODES
        own = kind != "one text" or start or alike or all(_says_itself(c) for c in run)
        labelled = kind != "one text" and any(c.field.value_labels for c in run)
        if len(run) >= least and own and not labelled:
            out.append((start, run))
    return out


def _go_on(run: Sequence[Looked], column: Looked) -> bool:
    """Tell whether a column's name begins like those before it, or none of them like any other."""
    starts = [_shared_start([one.name, column.name]) for one in run[:1]]
    if len(run) == 1:
        return True
    return bool(starts[0]) == bool(_shared_start([c.name for c in run]))


def _shared_start(names: Sequence[str]) -> str:
    """Return what names begin with up to a sign that parts a question from an option."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = sum(1 for _ in takewhile(lambda p: p[0] == p[1], zip(first, last, strict=False)))
    ends = [m.end() for m in re.finditer(r"[_./|\s-]+", first[:same])]
    return first[: ends[-1]] if ends else ""


def _says_itself(column: Looked) -> bool:
    """Tell whether the text of the tick is the column's name, or one sign that says "ticked"."""
    text = plain(column.texts[0])
    return text in (plain(column.name), plain(column.label)) or text in plain(column.name)


def _fades(columns: Sequence[Looked]) -> bool:
    """Tell whether columns are first, second, third choice of one list: ever fewer, never twice."""
    answered = [c.answered for c in columns]
    if answered != sorted(answered, reverse=True) or answered[-1] > _FADING * answered[0]:
        return False
    if not all(c.all_numbers or c.field.value_labels for c in columns):
        return False
    codes = np.column_stack([np.array([*c.numbers, np.nan])[c.codes] for c in columns])
    there = ~np.isnan(codes)
    # Filled from the left, but for a slip here and there, and no option twice.
    if (there[:, 1:] & ~there[:, :-1]).any(axis=1).mean() > _SLIPS:
        return False
    several = codes[there.sum(axis=1) > 1]
    if not len(several):
        return False
    ordered = np.sort(several, axis=1)
    return not bool((np.diff(ordered, axis=1) == 0).any())


def _ticks(
    columns: Sequence[Looked], stem: str, kind: str, used: set[str], *, bare: bool = False
) -> Choices:
    selected: list[str] = []
    for column in columns:
        selected += [t for t in column.texts if _means_ticked(column, t, kind)]
    # The rule of the sets knows English; elsewhere, and beside odd codes, the ticks are named.
    usual = all(
        plain(c.field.value_labels.get(t, t)) in NOT_CHOSEN or t == "0" or t in selected
        for c in columns
        for t in c.texts
        if not _is_absent(c, t)
    )
    names = () if usual else tuple(dict.fromkeys(selected))
    made = _choices(columns, stem or columns[0].name, "", "dichotomy", names, used)
    notes = []
    if bare:
        notes.append(
            "nothing in the names says that these are one question: part them where the "
            "questionnaire does"
        )
    labels = made.labels
    if kind == "not ticked" and not labels:
        said = {c.name: [t for t in c.texts if _means_ticked(c, t, kind)] for c in columns}
        labels = {name: texts[0] for name, texts in said.items() if len(texts) == 1}
        labels = {k: v for k, v in labels.items() if plain(v) not in _SELECTED}
    return Choices(
        made.name, made.label, made.columns, made.coding, names, labels, made.missing,
        tuple(notes), kind in ("codes", "yes and no"),
    )  # fmt: skip


#: Ticks that do not say what is ticked.
_SELECTED = {"selected", "ticked", "checked", "chosen", "yes", "x", "1", "mentioned"}


def _means_ticked(column: Looked, text: str, kind: str) -> bool:
    if _is_absent(column, text):
        return False
    shown = column.field.value_labels.get(text, text)
    if kind == "codes":
        return text != "0"
    if kind == "not ticked":
        return not _NOT_TICKED.fullmatch(plain(shown))
    if kind == "yes and no":
        others = [column.field.value_labels.get(t, t) for t in column.texts]
        pair = is_yes_no([o for o in others if not is_no_answer(o)])
        return pair is not None and shown == pair[1]
    return True


def _choices(
    columns: Sequence[Looked],
    stem: str,
    label: str,
    coding: Literal["dichotomy", "category"],
    selected: tuple[str, ...],
    used: set[str],
) -> Choices:
    wording = [c.label for c in columns]
    start = common_start(wording) if all(wording) else ""
    question = label or columns[0].question or start.strip(" -:–—") or stem.strip(" _.-#:/|")
    name = base = re.sub(r"\W+", "_", plain(stem)).strip("_")[:40] or "choices"
    number = 2
    while name in used:
        name = f"{base}_{number}"
        number += 1
    used.add(name)
    labels: dict[str, str] = {}
    if coding == "dichotomy" and start:
        labels = {c.name: c.label[len(start) :].strip() for c in columns}
    elif coding == "dichotomy" and all(len(c.texts) == 1 and not c.all_numbers for c in columns):
        # The text of the tick is the option itself.
        labels = {} if all(wording) else {c.name: c.texts[0] for c in columns}
        labels = {k: v for k, v in labels.items() if plain(v) not in _SELECTED}
    if not labels and not any(wording) and coding == "dichotomy":
        labels = {c.name: _option_of(c.name, stem) for c in columns}
    missing: Counter[str] = Counter()
    if coding == "dichotomy":
        for column in columns:
            held = column.count_of()
            missing.update({t: held[t] for t in column.texts if _is_absent(column, t)})
    return Choices(
        name, question, tuple(columns), coding, selected,
        labels if all(labels.values()) else {}, dict(missing),
    )  # fmt: skip


def _option_of(name: str, stem: str) -> str:
    """Return the option that a name holds behind its question: "red" of "pick_colors/red"."""
    rest = name[len(stem) :].strip(" _./|[]:-") if name.startswith(stem) else ""
    return "" if rest.isdigit() or len(rest) < 2 or re.fullmatch(r"SQ\d+", rest) else rest
