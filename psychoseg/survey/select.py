"""Which columns a study means: its names, ranges and patterns against the columns that are there.

Owns the wording of every column problem, so that all of a study's come at once. Never looks at an
answer.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from psychoseg.errors import StudyError
from psychoseg.study import ChoiceSet, Column, ItemBattery, Job, QualityCheck, Study
from psychoseg.study_problems import list_problems
from psychoseg.survey.raw import quoted_list

__all__ = ["Selection", "check_keys", "match_columns", "nearest_names", "select_columns"]


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns a study uses.

    Attributes
    ----------
    items : dict of str to ItemBattery
        Each item and its battery, in the order of the study file.
    columns : dict of str to Column
        Each column beside the items and its settings.
    reversed : frozenset of str
        Items keyed the other way, by their battery or by a scale.
    weight : str or None
    checks : tuple of QualityCheck
        Attention checks and bogus items, none of them an item.
    seconds : tuple of str
        Columns of durations.
    margins : tuple of str
        Columns of the margins that weights are raked to.
    sets : tuple of (ChoiceSet, tuple of str)
        Each multiple-response set and its columns.
    """

    items: Mapping[str, ItemBattery]
    columns: Mapping[str, Column]
    reversed: frozenset[str]
    weight: str | None
    checks: tuple[QualityCheck, ...] = ()
    seconds: tuple[str, ...] = ()
    margins: tuple[str, ...] = ()
    sets: tuple[tuple[ChoiceSet, tuple[str, ...]], ...] = ()


def match_columns(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the columns that a name, a range or a pattern means; none where nothing fits.

    Parameters
    ----------
    pattern : str
        An exact name, whatever signs it holds; else ``"first:last"`` for all columns from one to
        the other in file order; else a pattern in which ``*`` stands for any text and ``?`` for one
        character. Brackets are only brackets, since ``"Frequency [Rock]"`` is how form services
        name a column. Upper and lower case differ.
    names : sequence of str
        The columns in file order.
    """
    if pattern in names:
        return [pattern]
    for colon in re.finditer(":", pattern):
        first, last = pattern[: colon.start()].strip(), pattern[colon.end() :].strip()
        if first in names and last in names:
            start, end = names.index(first), names.index(last)
            return list(names[start : end + 1])
    if "*" in pattern or "?" in pattern:
        parts = [{"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern]
        fits = re.compile("".join(parts), re.DOTALL)
        return [name for name in names if fits.fullmatch(name)]
    return []


def check_keys(study: Study, tables: Sequence[Sequence[str]]) -> list[str]:
    """Return what is wrong with the id columns of the files, given each file's column names."""
    problems = []
    data = study.data
    if data.id is not None and data.id not in tables[0]:
        problems.append(f"data.id: {_unknown(data.id, tables[0], data.file)}")
    so_far = list(tables[0])
    for number, (merge, names) in enumerate(zip(study.merge, tables[1:], strict=True), start=1):
        where = f"merge[{number}]"
        if merge.id not in names:
            problems.append(f"{where}.id: {_unknown(merge.id, names, merge.file)}")
        if merge.to is None and data.id is None:
            problems.append(
                f"{where}: {merge.file} is to be joined by id, but the answers have none. Set "
                f"data.id, or {where}.to."
            )
        elif merge.to is not None and merge.to not in so_far:
            problems.append(f"{where}.to: {_unknown(merge.to, so_far, 'the answers')}")
        so_far += [name for name in names if name != merge.id]
    return problems


def select_columns(
    study: Study,
    names: Sequence[str],
    *,
    jobs: Sequence[Job] = (),
    problems: Sequence[str] = (),
) -> Selection:
    """Find every column that the study names.

    Parameters
    ----------
    study : Study
    names : sequence of str
        All columns in file order, those of merged files after those of the answers.
    jobs : sequence of Job
        Those that the labels file tags, beside the study's own.
    problems : sequence of str
        What was found wrong before, to be reported along with the rest.

    Raises
    ------
    StudyError
        Listing everything that is wrong: unknown columns (with the nearest name), columns used
        twice, reverse keys, labels, scale items and scale names that are no items.
    """
    found = list(problems)
    items, open_ended = _items(study, names, found)
    columns = _columns(study, names, items, found)
    weight = study.weights.column if study.weights else None
    if weight is not None and weight not in names:
        found.append(f"weights.column: {_unknown(weight, names)}")
    elif weight is not None and (weight in items or weight in columns):
        what = "an item" if weight in items else "one of [[columns]]"
        found.append(f"weights.column: {weight!r} is also {what}. Use it once.")
    for key, used in (("items", list(items)), ("columns", list(columns))):
        if study.data.id is not None and study.data.id in used:
            found.append(
                f"{key}: {study.data.id!r} is the id of the respondents. Take it out here."
            )
    # What a battery that is not found whole may hold cannot be missed elsewhere.
    known = {*items, *names, *open_ended} if open_ended else set(items)
    reverse = _reverse_keys(study, items, known, found)
    seconds = _quality_columns(study, names, items, found)
    margins = _margins(study, names, items, found)
    sets = _sets(study, names, items, columns, found)
    _check_texts(study, names, items, columns, sets, found)
    _check_jobs([*study.jobs, *jobs], len(study.jobs), names, known, columns, found)
    if found:
        raise StudyError(list_problems(found, study.path))
    return Selection(items, columns, reverse, weight, study.quality.checks, seconds, margins, sets)


def _items(
    study: Study, names: Sequence[str], problems: list[str]
) -> tuple[dict[str, ItemBattery], list[str]]:
    """Return the items with their batteries, and what of the batteries is no column."""
    items: dict[str, ItemBattery] = {}
    lost: list[str] = []
    battery_of: dict[str, int] = {}
    checks = {check.column for check in study.quality.checks}
    for number, battery in enumerate(study.items, start=1):
        here: list[str] = []
        unmet: list[str] = []
        for pattern in battery.columns:
            matched = match_columns(pattern, names)
            if not matched:
                unmet.append(pattern)
                problems.append(f"items[{number}].columns: {_unknown(pattern, names)}")
            # A check amid the items is theirs only where it is named in full, which is refused.
            here += [n for n in matched if n not in here and (n == pattern or n not in checks)]
        twice = [name for name in here if name in items]
        if twice:
            others = sorted({battery_of[name] for name in twice})
            problems.append(
                f"items[{number}].columns: {quoted_list(twice)} already belong to items"
                f"{', items'.join(f'[{o}]' for o in others)}. An item has one battery; name it in "
                "one of them."
            )
        for name in here:
            items.setdefault(name, battery)
            battery_of.setdefault(name, number)
        for key, listed in (("reverse", battery.reverse), ("labels", tuple(battery.labels))):
            problems += [
                f"items[{number}].{key}: {_no_item(name, here)}"
                for name in listed
                if name not in here and not (unmet and (name in names or name in unmet))
            ]
        lost += unmet
    return items, lost


def _columns(
    study: Study, names: Sequence[str], items: Collection[str], problems: list[str]
) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    exact = {column.name for column in study.columns if column.name in names}
    for number, column in enumerate(study.columns, start=1):
        where = f"columns[{number}].name"
        matched = match_columns(column.name, names)
        if not matched:
            problems.append(f"{where}: {_unknown(column.name, names)}")
        as_items = [name for name in matched if name in items]
        if as_items:
            problems.append(
                f"{where}: {column.name!r} takes in {quoted_list(as_items)}, which "
                f"{'is an item' if len(as_items) == 1 else 'are items'}. Use a column as one or "
                "the other."
            )
        for name in matched:
            # A column named in full keeps its own settings where a pattern takes it in as well.
            if name in exact and name != column.name:
                continue
            if name in columns:
                problems.append(
                    f"{where}: {name!r} is taken by an earlier [[columns]]. Name it once."
                )
            else:
                columns[name] = column
    return columns


def _reverse_keys(
    study: Study,
    items: Mapping[str, ItemBattery],
    known: Collection[str],
    problems: list[str],
) -> frozenset[str]:
    reverse = {name for battery in study.items for name in battery.reverse}
    for number, scale in enumerate(study.scales.scale, start=1):
        where = f"scales.scale[{number}]"
        problems += [f"{where}.items: {_no_item(n, items)}" for n in scale.items if n not in known]
        problems += [
            f"{where}.reverse: {name!r} is not among the items of the scale {scale.name!r}."
            f"{nearest_names(name, scale.items)}"
            for name in scale.reverse
            if name not in scale.items
        ]
        # An item that another scale holds unturned is turned in this scale alone.
        holders = {n: [s for s in study.scales.scale if n in s.items] for n in scale.reverse}
        reverse |= {n for n, held in holders.items() if all(n in s.reverse for s in held)}
    problems += [
        f"scales.names: {_no_item(name, items)}" for name in study.scales.names if name not in known
    ]
    return frozenset(reverse)


def _quality_columns(
    study: Study, names: Sequence[str], items: Collection[str], problems: list[str]
) -> tuple[str, ...]:
    """Return the columns of durations, once each."""
    for number, check in enumerate(study.quality.checks, start=1):
        where = f"quality.checks[{number}].column"
        if check.column not in names:
            problems.append(f"{where}: {_unknown(check.column, names)}")
        elif check.column in items:
            problems.append(f"{where}: {check.column!r} is also an item. Take it out of [[items]].")
        elif check.column == study.data.id:
            problems.append(f"{where}: {check.column!r} is the id of the respondents.")
    seconds: dict[str, None] = {}
    for pattern in study.quality.duration:
        matched = match_columns(pattern, names)
        if not matched:
            problems.append(f"quality.duration: {_unknown(pattern, names)}")
        seconds |= dict.fromkeys(matched)
    others = {*items, study.data.id, *(check.column for check in study.quality.checks)}
    wrong = [name for name in seconds if name in others]
    if wrong:
        problems.append(
            f"quality.duration: {quoted_list(wrong)} {'is' if len(wrong) == 1 else 'are'} used as "
            "an item, a check or the id. Name columns of seconds."
        )
    return tuple(seconds)


def _margins(
    study: Study, names: Sequence[str], items: Collection[str], problems: list[str]
) -> tuple[str, ...]:
    margins = study.weights.margins if study.weights else ()
    for number, margin in enumerate(margins, start=1):
        where = f"weights.margins[{number}].column"
        weight = study.weights.column if study.weights else None
        if margin.column not in names:
            problems.append(f"{where}: {_unknown(margin.column, names)}")
        elif margin.column in items or margin.column in (weight, study.data.id):
            problems.append(
                f"{where}: {margin.column!r} is used as an item, the weight or the id. Name a "
                "column of categories."
            )
    return tuple(margin.column for margin in margins)


def _sets(
    study: Study,
    names: Sequence[str],
    items: Collection[str],
    columns: Collection[str],
    problems: list[str],
) -> tuple[tuple[ChoiceSet, tuple[str, ...]], ...]:
    """Return each multiple-response set with its columns."""
    sets: list[tuple[ChoiceSet, tuple[str, ...]]] = []
    taken: dict[str, int] = {}
    called: dict[str, int] = {}
    for number, choices in enumerate(study.sets, start=1):
        where = f"sets[{number}]"
        here: dict[str, None] = {}
        for pattern in choices.columns:
            matched = match_columns(pattern, names)
            if not matched:
                problems.append(f"{where}.columns: {_unknown(pattern, names)}")
            here |= dict.fromkeys(matched)
        problems += _used_elsewhere(f"{where}.columns", list(here), study, items, columns)
        twice = [name for name in here if name in taken]
        if twice:
            others = sorted({taken[name] for name in twice})
            problems.append(
                f"{where}.columns: {quoted_list(twice)} already belong to sets"
                f"{', sets'.join(f'[{o}]' for o in others)}. A column is in one set."
            )
        if choices.name in called:
            problems.append(
                f"{where}.name: {choices.name!r} is the name of sets[{called[choices.name]}] too. "
                "Give each set its own."
            )
        if choices.coding == "dichotomy":
            problems += [
                f"{where}.labels: {name!r} is not one of the columns of the set."
                f"{nearest_names(name, list(here))}"
                for name in choices.labels
                if name not in here
            ]
        taken |= {name: number for name in here if name not in taken}
        called.setdefault(choices.name, number)
        sets.append((choices, tuple(here)))
    return tuple(sets)


def _check_texts(
    study: Study,
    names: Sequence[str],
    items: Collection[str],
    columns: Collection[str],
    sets: Sequence[tuple[ChoiceSet, Sequence[str]]],
    problems: list[str],
) -> None:
    in_sets = {name for _, members in sets for name in members}
    seen: set[str] = set()
    for number, text in enumerate(study.texts, start=1):
        where, name = f"texts[{number}].column", text.column
        if name not in names:
            problems.append(f"{where}: {_unknown(name, names)}")
        elif name in seen:
            problems.append(f"{where}: {name!r} is in an earlier [[texts]]. Name it once.")
        elif name in in_sets:
            problems.append(f"{where}: {name!r} is also in one of [[sets]]. Use it as one of them.")
        else:
            problems += _used_elsewhere(where, [name], study, items, columns)
        seen.add(name)


def _used_elsewhere(
    where: str,
    here: Sequence[str],
    study: Study,
    items: Collection[str],
    columns: Collection[str],
) -> list[str]:
    """Return what is wrong with columns that the study also uses as something else."""
    weights = study.weights
    uses = (
        (items, "an item", "items"),
        (columns, "one of [[columns]]", "in [[columns]]"),
        ((study.data.id,), "the id of the respondents", ""),
        ((weights.column,) if weights else (), "the weight", ""),
        (
            [margin.column for margin in weights.margins] if weights else (),
            "one of [[weights.margins]]",
            "in [[weights.margins]]",
        ),
    )
    problems = []
    for used, one, many in uses:
        also = [name for name in here if name in used]
        if also:
            what = f"is also {one}" if len(also) == 1 else f"are also {many}"
            problems.append(
                f"{where}: {quoted_list(also)} {what}. Use a column as one or the other."
            )
    return problems


def _check_jobs(
    jobs: Sequence[Job],
    n_in_study: int,
    names: Sequence[str],
    items: Collection[str],
    columns: Collection[str],
    problems: list[str],
) -> None:
    for number, job in enumerate(jobs, start=1):
        for key in ("importance", "satisfaction"):
            name: str = getattr(job, key)
            where = f"jobs[{number}].{key}" if number <= n_in_study else f"job {job.label!r}, {key}"
            if name not in names:
                problems.append(f"{where}: {_unknown(name, names)}")
            elif name not in items and name not in columns:
                problems.append(
                    f"{where}: {name!r} is neither an item nor one of [[columns]]. Add it as "
                    '[[columns]] with type = "numeric".'
                )


def _unknown(pattern: str, names: Sequence[str], file: str = "") -> str:
    where = f" in {file}" if file else ""
    if len(names) == 1:
        only = f"its only one is {names[0]!r}"
        return f"no column {pattern!r}{where}; {only}. Set the separator of the file."
    for colon in re.finditer(":", pattern):
        ends = pattern[: colon.start()].strip(), pattern[colon.end() :].strip()
        lost = [end for end in ends if end not in names]
        if not file and not lost:
            return f"{pattern!r} runs backwards: {ends[1]!r} stands before {ends[0]!r} in the file."
        if not file and len(lost) == 1:
            return f"no column {lost[0]!r}, an end of {pattern!r}.{nearest_names(lost[0], names)}"
    if not file and ("*" in pattern or "?" in pattern):
        return f"no column fits {pattern!r}.{nearest_names(pattern, names)}"
    return f"no column {pattern!r}{where}.{nearest_names(pattern, names)}"


def _no_item(name: str, items: Collection[str]) -> str:
    return f"{name!r} is not one of the items.{nearest_names(name, items)}"


def nearest_names(name: str, names: Collection[str]) -> str:
    """Return " Did you mean ...?" with the nearest name, else the first few there are."""
    lowered = {other.lower(): other for other in names}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    if close:
        return f" Did you mean {lowered[close[0]]!r}?"
    return f" There are: {quoted_list(list(names))}." if names else ""
