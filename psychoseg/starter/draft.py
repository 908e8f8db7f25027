"""A survey file -> the text of a study file: :func:`draft_study` and :func:`write_study`.

Joins what the other modules of this package find, and decides what the rest of the columns is for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from psychoseg.errors import DataError, StudyError
from psychoseg.starter.answers import order_answers
from psychoseg.starter.batteries import (
    Battery,
    find_batteries,
    goes_together,
    people_lost,
)
from psychoseg.starter.choices import Choices, find_choices, rank_choices
from psychoseg.starter.columns import (
    Looked,
    look_at_columns,
)
from psychoseg.starter.frames import find_frame
from psychoseg.starter.ranks import Ranks, find_ranks
from psychoseg.starter.reading import Given, read_source
from psychoseg.starter.rest import Rest, sort_rest
from psychoseg.starter.scale import Frame
from psychoseg.starter.text import Found, asked_in, study_text
from psychoseg.survey.raw import number_text
from psychoseg.survey.sensitive import sensitive_topic

__all__ = ["Draft", "draft_study", "write_study"]

#: Fewer respondents than this show no segments, whatever the items. Our own choice: about the
#: smallest sample from which three factors of four items are ever recovered (MacCallum et al.,
#: 1999, Psychol. Methods 4, 84-99, have 60 as their least).
MIN_RESPONDENTS = 30
#: Fewer items than this are no scales; as in ``scales.fit``.
MIN_ITEMS = 3
_OPTIONS_OR_ITEMS = (
    "two answers each that go together, so they are items; if they are options of one question, "
    "list them under [[sets]] instead"
)
#: Columns that a refusal names.
_NAMED_IN_REFUSAL = 8
_SHORT = 40


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
    rest = sort_rest(columns, batteries, sets, ranks, n)
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
                batteries += [
                    replace(b, notes=(*b.notes, _OPTIONS_OR_ITEMS)) if b.binary else b
                    for b in found
                ]
                sets.remove(choices)
        batteries.sort(key=lambda b: b.columns[0].position)
    sets += [rank_choices(r, [s.name for s in sets]) for r in ranks if r.partial and not r.shown]
    sets.sort(key=lambda s: s.columns[0].position)
    return batteries, sets, ranks


def _active(batteries: Sequence[Battery], sets: Sequence[Choices], rest: Rest) -> frozenset[str]:
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
