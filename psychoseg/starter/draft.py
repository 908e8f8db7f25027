"""A survey file -> the text of a study file: :func:`draft_study` and :func:`write_study`.

Joins what the other modules of this package find, and decides what the rest of the columns is for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

import numpy as np

from psychoseg.errors import DataError, StudyError
from psychoseg.starter.answers import is_no_answer, is_yes_no, order_answers
from psychoseg.starter.batteries import (
    Battery,
    find_batteries,
    find_counts,
    goes_together,
    people_lost,
    timings_of_items,
)
from psychoseg.starter.choices import Choices, find_choices, rank_choices
from psychoseg.starter.columns import (
    MANY_CATEGORIES,
    NAMES,
    Looked,
    is_named_like_id,
    is_named_like_weight,
    look_at_columns,
    words_of,
)
from psychoseg.starter.frames import NO_ANSWER_CODES, find_frame
from psychoseg.starter.ranks import Ranks, find_ranks
from psychoseg.starter.reading import Given, read_source
from psychoseg.starter.scale import Frame
from psychoseg.starter.text import Beside, Found, LeftOut, asked_in, study_text
from psychoseg.survey.raw import number_text
from psychoseg.survey.sensitive import sensitive_topic

__all__ = ["Draft", "draft_study", "write_study"]

#: Fewer respondents than this show no segments, whatever the items. Our own choice: about the
#: smallest sample from which three factors of four items are ever recovered (MacCallum et al.,
#: 1999, Psychol. Methods 4, 84-99, have 60 as their least).
MIN_RESPONDENTS = 30
#: Fewer items than this are no scales; as in ``scales.fit``.
MIN_ITEMS = 3
#: Different whole numbers up to which a column may be codes rather than amounts.
FEW_CODES = 7
#: Ages beyond these are slips of the pen.
_AGES = (4, 115)
#: Two weights have this many letters of their names in common, and differ in two at most.
_WEIGHT_STEM = 3
#: One weight is a multiple of another, but for rounding in the file.
_SAME_RATIO = 1e-3
#: A duration of the whole survey by its name; others are of its pages, and add up.
_WHOLE_SURVEY = re.compile(r"\b(total|taken|duration|completion|interview|interviewtime|loi|sum)\b")
#: Codes without a label, of all answers, up to which they are slips.
_STRAY_CODES = 0.15
#: Codes that a file calls nominal and gives no labels are categories where they are so few.
_FEW_NOMINAL = 12
_OPTIONS_OR_ITEMS = (
    "two answers each that go together, so they are items; if they are options of one question, "
    "list them under [[sets]] instead"
)
#: Columns that a refusal names.
_NAMED_IN_REFUSAL = 8
_SHORT = 40
_WHY = {
    "empty": "no answers",
    "constant": "the same for everybody",
    "id": "a number or name of the respondent",
    "date": "a date or time",
    "personal": "says who the respondent is",
    "technical": "says how the survey was filled in",
    "token": "codes that only a program can read",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A study file for a survey nobody has described yet.

    Attributes
    ----------
    text : str
        The study file, with comments; runs as it is.
    found : tuple of str
        What was found, one sentence each.
    undecided : tuple of str
        What somebody should look at, one sentence each; marked ``# ??`` in the text.
    batteries : tuple of Battery
        All item batteries, those too that the study does not use from the start.
    sets : tuple of Choices
        Multiple-response sets.
    """

    text: str
    found: tuple[str, ...]
    undecided: tuple[str, ...]
    batteries: tuple[Battery, ...]
    sets: tuple[Choices, ...]


def draft_study(
    path: str | Path,
    *,
    file: str | None = None,
    encoding: str | None = None,
    skip_rows: int | None = None,
    sheet: str | None = None,
) -> Draft:
    """Draft a study file for a survey.

    Parameters
    ----------
    path : str or Path
        A file of answers: CSV and its like, XLSX, or SPSS.
    file : str, optional
        How the study file will name it; its bare name where absent.
    encoding : str, optional
        What the file was saved in; found where absent.
    skip_rows : int, optional
        Rows of titles above the header; found where absent.
    sheet : str, optional
        Name of a workbook's sheet, or its number; the fullest one where absent.

    Returns
    -------
    Draft

    Raises
    ------
    DataError
        Where it cannot be read, or holds nothing to build scales from; one sentence says why.

    Notes
    -----
    Nothing depends on the order of the rows. Everything is a guess that the study file spells out.
    """
    path = Path(path)
    source = read_source(path, Given(encoding, skip_rows, sheet))
    n = len(source.table.cells)
    columns = look_at_columns(source.table)
    if n < MIN_RESPONDENTS:
        raise DataError(
            f"{path} holds {n} respondent{'s' if n != 1 else ''}: no segments can be found among "
            f"fewer than {MIN_RESPONDENTS}. Export it again with all the answers."
        )
    batteries, sets, ranks = _questions(columns, n)
    rest = _rest(columns, batteries, sets, ranks, n)
    active = _active(batteries, sets, rest)
    if not active and not any(not b.why_not for b in batteries):
        raise DataError(_no_battery(path, columns, batteries, sets))
    found = Found(
        title=_title(path),
        data=source.data.model_copy(
            update={"file": file or path.name, "id": rest.id.name if rest.id else None}
        ),
        platform=source.platform,
        respondents=n,
        names=tuple(c.name for c in columns),
        batteries=tuple(batteries),
        sets=tuple(sets),
        active=active,
        lost=people_lost(batteries, n),
        weight=rest.weight,
        other_weights=tuple(rest.other_weights),
        durations=tuple(rest.durations),
        columns=tuple(replace(c, active=c.column.name in active) for c in rest.columns),
        texts=tuple(rest.texts),
        left_out=tuple(rest.left_out),
        notes=source.notes,
        taken=source.taken,
    )
    text = study_text(found)
    return Draft(text, _found(found), asked_in(text), tuple(batteries), tuple(sets))


def _questions(
    columns: Sequence[Looked], n: int
) -> tuple[list[Battery], list[Choices], list[Ranks]]:
    """Find batteries, sets and ranks; two answers each are items where nothing else is."""
    ranks = find_ranks(columns)
    ranked = {c.name for r in ranks for c in r.columns}
    unranked = [c for c in columns if c.name not in ranked]
    sets = find_choices(unranked)
    chosen = {c.name for s in sets for c in s.columns}
    batteries = find_batteries([c for c in unranked if c.name not in chosen], n)
    if not any(not b.why_not and not b.binary for b in batteries):
        for choices in [s for s in sets if s.either]:
            found = [b for b in find_batteries(choices.columns, n) if goes_together(b)]
            if found:
                batteries += [replace(b, notes=(*b.notes, _OPTIONS_OR_ITEMS)) for b in found]
                sets.remove(choices)
        batteries.sort(key=lambda b: b.columns[0].position)
    sets += [rank_choices(r, [s.name for s in sets]) for r in ranks if r.partial and not r.shown]
    sets.sort(key=lambda s: s.columns[0].position)
    return batteries, sets, ranks


def _active(batteries: Sequence[Battery], sets: Sequence[Choices], rest: _Rest) -> frozenset[str]:
    """Return what divides people where there are no items: sets, else columns of categories."""
    if any(not b.why_not for b in batteries):
        return frozenset()
    free = [
        s.name
        for s in sets
        if not any(sensitive_topic(t, "") for t in (s.label, *s.labels.values()))
        and not any(sensitive_topic(c.name, c.label) for c in s.columns)
    ]
    if free:
        return frozenset(free)
    asked = [
        b.column.name
        for b in rest.columns
        if b.type != "numeric" and not b.topic and not b.column.demographic
    ]
    return frozenset(asked) if len(asked) >= MIN_ITEMS else frozenset()


def write_study(path: str | Path, *, out: str | Path | None = None) -> Path:
    """Draft a study file, write it as ``study.toml`` and return where; see :func:`write_draft`."""
    return write_draft(path, out=out)[0]


def write_draft(
    path: str | Path,
    *,
    out: str | Path | None = None,
    encoding: str | None = None,
    skip_rows: int | None = None,
    sheet: str | None = None,
) -> tuple[Path, Draft]:
    """Draft a study file and write it as ``study.toml``.

    Parameters
    ----------
    path : str or Path
        A file of answers.
    out : str or Path, optional
        The folder to write into, made where it is not there; beside the file where absent.
    encoding, skip_rows, sheet
        As in :func:`draft_study`.

    Returns
    -------
    study : Path
        The study file.
    draft : Draft

    Raises
    ------
    StudyError
        Where there is a study file already: it is never written over.
    DataError
        From :func:`draft_study`.
    """
    path = Path(path)
    folder = path.parent if out is None else Path(out)
    target = folder / "study.toml"
    if target.exists():
        raise StudyError(
            f"{target} is there already and is not written over. Run it with: psychoseg run "
            f"{folder}, or name another folder with --out."
        )
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"{folder} is a file, not a folder. Name a folder with --out.")
    name = path.name
    if out is not None and folder.resolve() != path.resolve().parent:
        try:
            name = Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
        except ValueError:  # another drive
            name = path.resolve().as_posix()
    draft = draft_study(path, file=name, encoding=encoding, skip_rows=skip_rows, sheet=sheet)
    folder.mkdir(parents=True, exist_ok=True)
    # Exclusive: a file that has come into being since is not written over either.
    with target.open("x", encoding="utf-8", newline="\n") as file:
        file.write(draft.text)
    return target, draft


@dataclass(slots=True)
class _Rest:
    """What becomes of the columns that are neither items nor options."""

    id: Looked | None
    weight: Looked | None
    other_weights: list[str]
    durations: list[str]
    columns: list[Beside]
    texts: list[Looked]
    left_out: list[LeftOut]


def _rest(
    columns: Sequence[Looked],
    batteries: Sequence[Battery],
    sets: Sequence[Choices],
    ranks: Sequence[Ranks],
    n: int,
) -> _Rest:
    taken = {c.name for b in batteries for c in b.columns} | {
        c.name for s in sets for c in s.columns
    }
    # Answers whose order nobody knows describe people too, until somebody puts them in order.
    taken -= {c.name for b in batteries if b.scale.unordered and b.why_not for c in b.columns}
    places = {c.name for r in ranks if r.shown for c in r.columns}
    ordered = {r.columns[0].name: r for r in ranks if not r.shown and not r.partial}
    timed = {c.name for c in columns if c.kind == "timing"} | timings_of_items(columns, batteries)
    parents = {c.name.rsplit("/", 1)[0] for s in sets for c in s.columns if "/" in c.name}
    of_battery = {name: why for b in batteries for name, why in b.left_out}
    left = [c for c in columns if c.name not in taken]
    counted = {members[0].name: members for members in find_counts(left)}
    ids = [c for c in left if c.kind == "id" and len(c.texts) == c.answered == n]
    ids.sort(key=lambda c: (not re.search(r"resp|record|case|^id$", words_of(c.name)), c.position))
    weights = sorted((c for c in left if c.kind == "weight"), key=_weight_rank)
    rest = _Rest(ids[0] if ids else None, weights[0] if weights else None, [], [], [], [], [])
    for column in left:
        name = column.name
        if column is rest.id or column is rest.weight:
            continue
        if name in of_battery:
            rest.left_out.append(LeftOut(name, f"an item, but {of_battery[name]}"))
        elif name in places:
            rest.left_out.append(LeftOut(name, "the place at which an item was shown"))
        elif name in timed:
            rest.left_out.append(
                LeftOut(
                    name,
                    "looks like the time that an item or a page took. If it is an answer, describe "
                    "it under [[columns]]; if it is seconds, name it under duration in [quality]",
                    ask=True,
                )
            )
        elif name in parents:
            rest.left_out.append(LeftOut(name, "the same choices as the set of this name"))
        elif column.kind == "constant" and column.answered == 1:
            rest.left_out.append(LeftOut(name, "one answer only"))
        elif column.kind == "constant" and column.answered < n:
            rest.left_out.append(
                LeftOut(
                    name,
                    f'"{column.texts[0]}" for {column.answered:,} people and blank for the others. '
                    "If that is a tick, list the column with the other options under [[sets]]",
                    ask=True,
                )
            )
        elif column.kind == "weight":
            rest.other_weights.append(name)
            rest.left_out.append(LeftOut(name, "another weight"))
        elif column.kind == "numeric" and is_named_like_id(column):
            rest.left_out.append(
                LeftOut(
                    name,
                    f"named like a number of somebody or something, with {len(column.texts)} "
                    "different ones. If it is an amount, describe it under [[columns]]",
                    ask=True,
                )
            )
        elif column.kind == "numeric" and _is_spare_weight(column, rest.weight):
            rest.left_out.append(
                LeftOut(
                    name,
                    "looks like a survey weight. If it is the one to use, name it under [weights]; "
                    "if it is an answer, describe it under [[columns]]",
                    ask=True,
                )
            )
        elif column.kind == "duration":
            _sort_duration(column, rest)
        elif column.kind == "text":
            if column.answered >= MIN_RESPONDENTS:
                rest.texts.append(column)
            else:
                rest.left_out.append(LeftOut(name, f"open text of {column.answered} people"))
        elif column.kind == "list":
            rest.left_out.append(
                LeftOut(
                    name,
                    "several choices in one cell: give each choice a column of its own to use it",
                    ask=True,
                )
            )
        elif column.kind == "many":
            rest.left_out.append(
                LeftOut(
                    name,
                    f"{len(column.texts)} different answers, too many for a table: group them "
                    f"first",
                    ask=True,
                )
            )
        elif column.kind in _WHY:
            rest.left_out.append(LeftOut(name, _WHY[column.kind]))
        else:
            beside = _beside(column)
            if isinstance(beside, LeftOut):
                rest.left_out.append(beside)
            else:
                topic = sensitive_topic(name, column.label)
                if name in counted:
                    beside = replace(beside, ask=_of_counts(counted[name]))
                if name in ordered:
                    beside = replace(beside, ask=_of_ranks(ordered[name]))
                rest.columns.append(replace(beside, topic=topic))
    _one_duration(rest)
    return rest


def _of_ranks(ranks: Ranks) -> str:
    return (
        f"this and the columns to {ranks.columns[-1].name} hold ranks, each of 1 to "
        f"{ranks.depth} once a person, so they are no items; here they describe people by the mean "
        "rank, where a low one is a high place"
    )


def _one_duration(rest: _Rest) -> None:
    """Keep one duration of the whole survey; two would count as two pages."""
    whole = [name for name in rest.durations if _WHOLE_SURVEY.search(words_of(name))]
    if not whole or len(rest.durations) < 2:
        return
    for name in [d for d in rest.durations if d != whole[0]]:
        rest.durations.remove(name)
        why = f"another duration, beside {whole[0]}; the columns in [quality] add up, as pages do"
        rest.left_out.append(LeftOut(name, why, ask=True))


def _of_counts(columns: Sequence[Looked]) -> str:
    most = number_text(max(float(c.numbers[-1]) for c in columns))
    return (
        f"this and the columns to {columns[-1].name} look like counts (up to {most}), not like "
        "ratings, so they are amounts here. If all were asked on one answer scale, write them as "
        "[[items]] with its range"
    )


def _is_spare_weight(column: Looked, weight: Looked | None) -> bool:
    """Tell whether fractions are the chosen weight over again, or named like one."""
    if is_named_like_weight(column):
        return True
    if weight is None or not column.all_numbers or (column.numbers % 1 == 0).all():
        return False
    if (column.numbers < 0).any():
        return False
    pairs = zip(column.name, weight.name, strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    if same >= _WEIGHT_STEM and same >= max(len(column.name), len(weight.name)) - 2:
        return True
    mine, other = (np.array([*c.numbers, np.nan])[c.codes] for c in (column, weight))
    both = (mine > 0) & (other > 0)
    if both.sum() < MIN_RESPONDENTS or other[both].min() == other[both].max():
        return False
    ratio = mine[both] / other[both]
    return bool(ratio.max() - ratio.min() <= _SAME_RATIO * ratio.max())


def _weight_rank(column: Looked) -> tuple[bool, float, int]:
    """Rank weights: plainly named first, then a mean nearest one."""
    mean = float((column.numbers * column.counts).sum() / column.answered)
    return (
        words_of(column.name) not in {"weight", "wt", "gewicht"},
        abs(np.log(mean)),
        column.position,
    )


def _sort_duration(column: Looked, rest: _Rest) -> None:
    minutes = re.search(r"\bmin(ute)?s?\b", words_of(f"{column.name} {column.label}"))
    if minutes:
        rest.left_out.append(
            LeftOut(column.name, "a duration in minutes: seconds are needed", ask=True)
        )
    else:
        rest.durations.append(column.name)


def _beside(column: Looked) -> Beside | LeftOut:
    """Decide the type of a column that describes people."""
    labels = column.field.value_labels
    labelled = sum(n for t, n in column.count_of().items() if t in labels)
    mostly = len(labels) > 1 and labelled >= (1 - _STRAY_CODES) * column.answered
    if column.kind == "numeric" and not mostly:
        return _beside_numbers(column)
    if labels:
        if len(column.texts) > MANY_CATEGORIES and column.field.measure != "scale":
            return LeftOut(
                column.name,
                f"{len(column.texts)} different answers, too many for a table: group them first",
                ask=True,
            )
        return _beside_labels(column)
    found = order_answers(column.texts)
    gone = found.missing if found else tuple(t for t in column.texts if is_no_answer(t))
    answers = [t for t in column.texts if t not in gone]
    if len(answers) > MANY_CATEGORIES:
        return LeftOut(column.name, f"{len(answers)} different answers", ask=True)
    if len(answers) < 2:
        return LeftOut(column.name, "the same for everybody")
    pair = is_yes_no(answers)
    if pair:
        return Beside(column, "categorical", order=(pair[1], pair[0]), missing=gone)
    if found is not None and len(found.levels) > 2 and all(len(v) == 1 for v in found.levels):
        order = tuple(v[0] for v in found.levels)
        asks = list(found.asks)
        if found.guess:
            asks.append(f"the order of the answers is a guess ({found.guess}): check it")
        return Beside(column, "ordinal", order=order, missing=gone, ask=". ".join(asks))
    ask = ""
    if len(answers) > 2 and column.demographic in ("education", "income", "age"):
        ask = (
            "the order of the answers is not known: write order = [...] with the lowest first, and "
            'type = "ordinal"'
        )
    return Beside(column, "categorical", missing=gone, ask=ask)


def _beside_labels(column: Looked) -> Beside:
    labels = column.field.value_labels
    gone = tuple(code for code, label in labels.items() if is_no_answer(label))
    gone = tuple(code for code in gone if code in column.texts)
    held = column.count_of()
    strays = tuple(t for t in column.texts if t not in labels)
    few = sum(held[t] for t in strays) <= _STRAY_CODES * column.answered
    # Codes without a label beside labels for nearly everybody are slips, not categories.
    if strays and few and len(labels) > 1 and column.field.measure != "scale":
        shown = ", ".join(strays[:8])
        return Beside(
            column,
            "categorical",
            missing=(*gone, *strays),
            ask=f"the codes {shown} have no label in the file and were taken for no answer",
        )
    real = [label for code, label in labels.items() if code not in gone]
    if column.field.measure == "scale" and len(column.texts) > MANY_CATEGORIES:
        return Beside(column, "numeric", missing=gone)
    found = order_answers(real) if len(real) > 2 else None
    ordered = found is not None and [v[0] for v in found.levels] in (real, real[::-1])
    ordinal = ordered or column.field.measure == "ordinal"
    return Beside(
        column, "ordinal" if ordinal and column.all_numbers else "categorical", missing=gone
    )


def _beside_numbers(column: Looked) -> Beside | LeftOut:
    # A few answers in words amid numbers are no numbers.
    words = tuple(t for t, v in zip(column.texts, column.numbers, strict=True) if np.isnan(v))
    known = column.numbers[~np.isnan(column.numbers)]
    whole = bool((known % 1 == 0).all())
    if column.demographic == "age" and known.max() < 1000 and np.median(known) > _AGES[0]:
        wrong = tuple(number_text(v) for v in known if not _AGES[0] <= v <= _AGES[1])
        few = len(wrong) <= 20
        return Beside(column, "numeric", missing=(*words, *(wrong if few else ())))
    if column.demographic == "age" and (known > 1000).mean() < 0.5 and len(known) > FEW_CODES:
        wrong = tuple(number_text(v) for v in known if not _AGES[0] <= v <= _AGES[1])
        return Beside(column, "numeric", missing=(*words, *wrong))
    gone = tuple(
        number_text(v)
        for v in known
        if int(v) in NO_ANSWER_CODES
        and (v < 0 <= np.median(known) or v >= 97 > 10 * np.median(known))
    )
    codes = [v for v in known if number_text(v) not in gone]
    if len(codes) < 2:
        return LeftOut(column.name, "the same for everybody")
    if whole and (
        len(codes) == 2
        or (column.demographic in NAMES and len(codes) <= MANY_CATEGORIES)
        or (column.field.measure == "nominal" and len(codes) <= _FEW_NOMINAL)
    ):
        meanings = ", ".join(f'{number_text(v)} = "..."' for v in codes[:4])
        more = ", ..." if len(codes) > 4 else ""
        return Beside(
            column,
            "categorical",
            missing=(*words, *gone),
            ask=f"what do the codes mean? labels = {{ {meanings}{more} }}",
        )
    ask = ""
    # Rows of a grid are ratings or ranks; a single question may hold codes of anything.
    if whole and len(codes) <= FEW_CODES and not column.question:
        ask = 'if these numbers are codes of categories, write type = "categorical" and labels'
    return Beside(column, "numeric", missing=(*words, *gone), ask=ask)


def _no_battery(
    path: Path, columns: Sequence[Looked], batteries: Sequence[Battery], sets: Sequence[Choices]
) -> str:
    n = len(columns)
    if n == 1:
        found = "it has one column only"
    elif batteries:
        first = batteries[0]
        found = f"the only one, from {first.names[0]!r} on, cannot be used: {first.why_not}"
    elif sets:
        found = "its check-all questions are no scales"
    elif sum(c.kind == "text" for c in columns) > n / 2:
        found = "its answers are open text"
    else:
        found = f"none of its {n} columns share an answer scale such as 1 to 5"
    return (
        f"{path} holds no item battery ({MIN_ITEMS} or more questions with one answer scale): "
        f"{found}. {_what_to_do(path, columns, sets)}"
    )


def _what_to_do(path: Path, columns: Sequence[Looked], sets: Sequence[Choices]) -> str:
    """Say which columns look like answers, and what to write for them."""
    chosen = {c.name for s in sets for c in s.columns}
    frames = [
        (c, f)
        for c in columns
        if c.name not in chosen
        and not c.demographic
        and (f := find_frame(c)) is not None
        and not (f.kind == "words" and (order := order_answers(c.texts)) and order.guess)
    ]
    graded = [(c, f) for c, f in frames if f.kind != "binary"]
    if not graded:
        ticks = [_short(c.name) for c, _ in frames]
        only = f" (only two answers each: {_shown(ticks)})" if ticks else ""
        return (
            f"No column looks like a question answered in grades{only}. Export the rating "
            "questions too, one column each."
        )
    said = [f"{_short(c.name)} ({_ends(f)})" for c, f in graded]
    start = (
        f"These columns look like graded answers: {_shown(said)}."
        if len(said) > 1
        else f"One column looks like graded answers: {said[0]}."
    )
    if len(graded) < MIN_ITEMS:
        return (
            f"{start} At least {MIN_ITEMS} of one scale are needed: export the other rating "
            "questions too, one column each."
        )
    return (
        f"{start} If {MIN_ITEMS} or more of them belong together, write a study.toml with [data] "
        f'file = "{path.name}", and under [[items]] columns = [their names in quotes] and '
        "either range = [lowest, highest], or codes = [...] with the answers in words from low to "
        "high."
    )


def _ends(frame: Frame) -> str:
    if frame.kind in ("numbers", "slider"):
        return f"{number_text(frame.low)} to {number_text(frame.high)}"
    return f"{_short(frame.texts[0])} to {_short(frame.texts[-1])}"


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _SHORT else f"{name[: _SHORT - 3].rstrip()}..."


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _NAMED_IN_REFUSAL
    shown = ", ".join(names[:_NAMED_IN_REFUSAL])
    return f"{shown} and {more} more" if more > 0 else shown


def _found(found: Found) -> tuple[str, ...]:
    lines = [*([found.lost] if found.lost else [])]
    lines.append(f"{found.respondents:,} respondents, {len(found.names)} columns")
    for battery in found.batteries:
        names = battery.names
        used = "" if not battery.why_not else f" (not used: {battery.why_not})"
        lines.append(f"a battery of {len(names)} items, {names[0]} to {names[-1]}{used}")
    lines += [f"a multiple-response set of {len(s.columns)} options: {s.label}" for s in found.sets]
    if found.data.id:
        lines.append(f"the id: {found.data.id}")
    if found.weight:
        lines.append(f"a weight: {found.weight.name}")
    if found.durations:
        lines.append(f"durations: {', '.join(found.durations)}")
    if found.texts:
        lines.append(f"open text: {', '.join(c.name for c in found.texts)}")
    if found.columns:
        lines.append(f"{len(found.columns)} columns that describe people")
    if found.left_out:
        lines.append(f"{len(found.left_out)} columns left out")
    return tuple(lines)


def _title(path: Path) -> str:
    words = re.sub(r"[_\-.\s]+", " ", path.stem).strip()
    return words[:1].upper() + words[1:] if words else "Survey"
