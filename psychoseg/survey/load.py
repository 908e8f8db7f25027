"""A study and its files -> :class:`Survey`: reads, joins, codes and cleans, in that order."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.stats.arrays import BoolArray, FloatArray, IntArray
from psychoseg.study import Column, Study
from psychoseg.study_problems import list_problems
from psychoseg.survey.cells import code_text
from psychoseg.survey.clean import (
    check_active,
    check_items,
    exclude_respondents,
    exclude_unweighted,
    observed_ends,
    rescale,
)
from psychoseg.survey.coding import (
    CodedColumn,
    CodedItem,
    code_checks,
    code_columns,
    code_items,
    code_seconds,
    code_weight,
)
from psychoseg.survey.jobs import tagged_jobs
from psychoseg.survey.ledger import Ledger
from psychoseg.survey.merge import Joined, join_tables
from psychoseg.survey.quality import Answers, Quality, assess_quality
from psychoseg.survey.raw import TextTable, quoted_list
from psychoseg.survey.read import read_labels, read_table
from psychoseg.survey.rows import check_rows
from psychoseg.survey.select import Selection, check_keys, select_columns
from psychoseg.survey.sensitive import check_lawful, lawful_problems
from psychoseg.survey.sets import CodedOption, code_sets, kept_options, open_texts
from psychoseg.survey.table import Survey, Variable
from psychoseg.survey.weighting import (
    MARGIN_COLUMNS,
    WEIGHTING_COLUMNS,
    Weighted,
    exclude_unmatched,
    fit_weights,
)

__all__ = ["load_survey"]

#: Problems shown before the rest is only counted: a wrong rule shows in every item of a battery.
MAX_PROBLEMS = 20


def load_survey(study: Study) -> Survey:
    """Read, join, code and clean the answers of a study.

    Parameters
    ----------
    study : Study
        Relative paths start at its ``folder``.

    Returns
    -------
    Survey
        Of the respondents kept, in file order; the ledger says who is not, and why.

    Raises
    ------
    StudyError
        Where files or columns are not there; all of them at once.
    DataError
        Where the answers cannot be used as they are.

    Warns
    -----
    PsychosegWarning
        Where something was guessed: an encoding, a sheet, an answer scale's ends, a category's
        place.

    Notes
    -----
    Respondents leave in this order, each with the first reason met: no partner in a merged file
    (stage ``merge``), an answer outside the scale (``range``), too few answers or straight-lining
    (``clean``), no weight (``weights``), careless answers (``quality``), no category that the
    weights are raked to (``weights``). Nothing is written.
    """
    _check_files(study)
    tables = [read_table(file, study.folder) for file in (study.data, *study.merge)]
    selection = select_columns(
        study,
        _all_names(study, tables),
        jobs=tagged_jobs(study),
        problems=[*_key_problems(study, tables), *lawful_problems(study)],
    )
    labels = _labels(study)
    check_rows(tables[0], by_id=study.data.id is not None)
    joined, ledger = join_tables(study, tables)
    coded = _coded(study, joined, selection, ledger)
    items, columns, weights = coded.items, coded.columns, coded.weights
    everybody = pd.RangeIndex(len(joined.ids))
    answers = pd.DataFrame({name: item.values for name, item in items.items()}, index=everybody)
    check_items(answers[ledger.kept], excluded=_excluded(ledger))
    exclude_respondents(answers, study.clean, ledger)
    if selection.weight is not None:
        exclude_unweighted(weights, selection.weight, ledger)
    check_items(answers[ledger.kept], excluded=_excluded(ledger))
    ends = _ends(study, selection, items, answers[ledger.kept])
    quality = _judge(study, joined, selection, coded, answers[ledger.kept], ends, ledger)
    positions: tuple[IntArray, ...] = ()
    if study.weights is not None and study.weights.margins:
        code_labels = _code_labels(joined, selection)
        positions = exclude_unmatched(study.weights, columns, code_labels, ledger)
    kept = ledger.kept
    answers = answers[kept].reset_index(drop=True)
    check_items(answers, excluded=_excluded(ledger))
    if len(answers) < answers.shape[1]:
        raise DataError(
            f"{len(answers)} respondents are kept, fewer than the {answers.shape[1]} "
            f"items{_excluded(ledger)}. Use fewer items, or more respondents."
        )
    columns = {name: columns[name] for name in selection.columns}
    options = kept_options(coded.options, kept)
    others = _kept_columns(columns, options, kept)
    check_active(others, [n for n, c in selection.columns.items() if c.use == "active"])
    weighted = _weigh(study, weights[kept], [position[kept] for position in positions])
    name = study.data.id or "respondent"
    ids = pd.Series([i for i, k in zip(joined.ids, kept, strict=True) if k], name=name, dtype="str")
    codebook = _codebook(study, joined, selection, items, columns, options, ends, others, labels)
    check_lawful(study, codebook)
    return Survey(
        ids=ids,
        items=answers,
        columns=others,
        weights=weighted.weights,
        weight_kind=study.weights.kind if study.weights else "none",
        codebook=codebook,
        ledger=ledger.table(),
        n_read=len(joined.ids),
        quality=quality.respondents,
        quality_rules=quality.rules,
        styles=quality.styles,
        weighting=weighted.weighting,
        margins=weighted.margins,
        texts=open_texts(joined, study.texts, kept),
    )


def _check_files(study: Study) -> None:
    named = [("data.file", study.data.file), ("data.labels", study.data.labels)]
    for number, merge in enumerate(study.merge, start=1):
        named += [(f"merge[{number}].file", merge.file), (f"merge[{number}].labels", merge.labels)]
    lost = [(key, file) for key, file in named if file and not (study.folder / file).is_file()]
    if lost:
        lines = [
            f"{key}: there is no file {study.folder / file}. Correct the path."
            for key, file in lost
        ]
        raise StudyError(list_problems(lines, study.path))


def _all_names(study: Study, tables: Sequence[TextTable]) -> list[str]:
    names = [str(name) for name in tables[0].cells.columns]
    for merge, table in zip(study.merge, tables[1:], strict=True):
        names += [str(n) for n in table.cells.columns if n != merge.id]
    return names


def _key_problems(study: Study, tables: Sequence[TextTable]) -> list[str]:
    return check_keys(study, [[str(n) for n in table.cells.columns] for table in tables])


def _labels(study: Study) -> dict[str, tuple[str, str]]:
    out: dict[str, tuple[str, str]] = {}
    for file in (study.data, *study.merge):
        if file.labels:
            out |= read_labels(file.labels, study.folder)
    return out


@dataclass(frozen=True, slots=True)
class _Coded:
    """All cells of the study's columns as numbers and categories, all rows."""

    items: dict[str, CodedItem]
    columns: dict[str, CodedColumn]
    weights: FloatArray
    seconds: FloatArray
    checks: FloatArray
    options: dict[str, CodedOption]


def _coded(study: Study, joined: Joined, selection: Selection, ledger: Ledger) -> _Coded:
    items, problems = code_items(joined, selection.items, ledger)
    # A margin that the study does not describe as a column is read as categories.
    more_columns = {
        name: Column(name=name, type="categorical")
        for name in selection.margins
        if name not in selection.columns
    }
    columns, more = code_columns(joined, {**selection.columns, **more_columns}, ledger.kept)
    problems += more
    weights = np.ones(len(joined.ids))
    if selection.weight is not None:
        weights, more = code_weight(joined, selection.weight, ledger.kept)
        problems += more
    seconds, more = code_seconds(joined, selection.seconds, ledger.kept)
    problems += more
    checks, more = code_checks(joined, selection.checks, ledger.kept)
    problems += more
    options, more = code_sets(joined, selection.sets, ledger.kept)
    problems += more
    if problems:
        files = ", ".join(file for file, _ in joined.sources)
        head = f"{files}: {len(problems)} problem{'s' if len(problems) > 1 else ''} in the answers:"
        rest = len(problems) - MAX_PROBLEMS
        lines = [f"  - {p}" for p in problems[:MAX_PROBLEMS]]
        raise DataError("\n".join([head, *lines, *([f"  and {rest} more"] if rest > 0 else [])]))
    return _Coded(items, columns, weights, seconds, checks, options)


def _judge(
    study: Study,
    joined: Joined,
    selection: Selection,
    coded: _Coded,
    answers: pd.DataFrame,
    ends: Mapping[str, tuple[float, float]],
    ledger: Ledger,
) -> Quality:
    """Assess how carefully those still in answered, and leave out whom the study's rule names."""
    names = [name for name in joined.fields if name in selection.items]
    there = np.flatnonzero(ledger.kept)
    sets = [list(scale.items) for scale in study.scales.scale] or [
        [name for name in names if selection.items[name] is battery] for battery in study.items
    ]
    kind = study.weights.kind if study.weights else "sampling"
    quality = assess_quality(
        Answers(
            items=answers[names].to_numpy(),
            low=np.array([ends[name][0] for name in names]),
            high=np.array([ends[name][1] for name in names]),
            keys=np.array([-1 if name in selection.reversed else 1 for name in names]),
            scales=tuple(np.sort([names.index(name) for name in items]) for items in sets),
            weights=rescale(coded.weights[there], kind),
            seconds=coded.seconds[there],
            checks=coded.checks[there],
            check_names=tuple(f"{check.column} ({check.kind})" for check in selection.checks),
        ),
        study.quality,
    )
    ledger.exclude(there[list(quality.reasons)], "quality", list(quality.reasons.values()))
    ids = pd.Series([joined.ids[i] for i in there], name="respondent", dtype="str")
    return replace(quality, respondents=pd.concat([ids, quality.respondents], axis=1))


def _code_labels(joined: Joined, selection: Selection) -> dict[str, dict[str, str]]:
    """Return what the codes of each margin are shown as."""
    return {
        name: {
            **joined.fields[name].value_labels,
            **(selection.columns[name].labels if name in selection.columns else {}),
        }
        for name in selection.margins
    }


def _weigh(study: Study, weights: FloatArray, positions: Sequence[IntArray]) -> Weighted:
    settings = study.weights
    if settings is None or settings.kind == "frequency":
        empty = pd.DataFrame(columns=WEIGHTING_COLUMNS), pd.DataFrame(columns=MARGIN_COLUMNS)
        return Weighted(weights.copy(), *empty)
    found = fit_weights(rescale(weights, "sampling"), settings, positions)
    return replace(found, weights=rescale(found.weights, "sampling"))


def _excluded(ledger: Ledger) -> str:
    reasons = ledger.reasons()
    if not reasons:
        return ""
    parts = ", ".join(f"{count} at stage {stage}" for stage, count in reasons.items())
    return f" ({sum(reasons.values())} were excluded: {parts})"


def _kept_columns(
    columns: Mapping[str, CodedColumn], options: Mapping[str, CodedOption], kept: BoolArray
) -> pd.DataFrame:
    out: dict[str, pd.Series] = {}
    for name, column in columns.items():
        series = column.values[kept].reset_index(drop=True)
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.cat.remove_unused_categories()
        out[name] = series
    out |= {name: pd.Series(option.values[kept]) for name, option in options.items()}
    return pd.DataFrame(out, index=pd.RangeIndex(int(kept.sum())))


def _codebook(
    study: Study,
    joined: Joined,
    selection: Selection,
    items: Mapping[str, CodedItem],
    columns: Mapping[str, CodedColumn],
    options: Mapping[str, CodedOption],
    ends: Mapping[str, tuple[float, float]],
    others: pd.DataFrame,
    labels: Mapping[str, tuple[str, str]],
) -> dict[str, Variable]:
    """Describe every column of the files, in file order, then the options made of several."""
    book: dict[str, Variable] = {}
    texts = {text.column: text for text in study.texts}
    guessed = []
    for name, field in joined.fields.items():
        label, question = labels.get(name, ("", ""))
        label, question = label or field.label or name, question or field.question
        if name in items:
            battery, item = selection.items[name], items[name]
            low, high = ends[name]
            if item.low is None or item.high is None:
                guessed += [name] if name in selection.reversed else []
            book[name] = Variable(
                name,
                battery.labels.get(name) or label,
                "item",
                "likert",
                question=battery.question or question,
                low=low,
                high=high,
                value_labels=item.value_labels,
                missing=item.missing,
                reversed=name in selection.reversed,
            )
        elif name in columns:
            settings = selection.columns[name]
            categorical = isinstance(others[name].dtype, pd.CategoricalDtype)
            kind: Literal["ordinal", "categorical"]
            kind = "ordinal" if settings.type == "ordinal" else "categorical"
            book[name] = Variable(
                name,
                settings.label or label,
                settings.use,
                kind if categorical else "numeric",
                question=question,
                categories=tuple(others[name].cat.categories) if categorical else (),
                missing=columns[name].missing,
                block=settings.block,
            )
        elif name in options:
            book[name] = options[name].describe(name, label if label != name else "", labels)
        elif name in texts:
            book[name] = Variable(
                name,
                texts[name].label or label,
                "other",
                "text",
                question=question,
                missing=(*field.missing, *map(code_text, texts[name].missing)),
            )
        elif name == selection.weight:
            book[name] = Variable(name, label, "weight", "numeric", missing=field.missing)
        elif name == study.data.id:
            book[name] = Variable(name, label, "id", "text")
        else:
            book[name] = Variable(name, label, "other", "text", question=question)
    book |= {
        name: option.describe(name, "", labels)
        for name, option in options.items()
        if name not in book
    }
    if guessed:
        warnings.warn(
            f"the ends of the answer scale of the reverse-keyed items {quoted_list(guessed)} are "
            "not stated; the lowest "
            "and highest answers given were taken. Give their battery a range, such as range = "
            "[1, 5].",
            PsychosegWarning,
            stacklevel=3,
        )
    return book


def _ends(
    study: Study,
    selection: Selection,
    items: Mapping[str, CodedItem],
    answers: pd.DataFrame,
) -> dict[str, tuple[float, float]]:
    """Return the ends of each item's answer scale, observed ones where none are stated."""
    out: dict[str, tuple[float, float]] = {}
    for battery in study.items:
        unstated = []
        for name in answers.columns:
            if selection.items[name] is not battery:
                continue
            low, high = items[name].low, items[name].high
            if low is None or high is None:
                unstated.append(name)
            else:
                out[name] = (low, high)
        if unstated:
            out |= dict.fromkeys(unstated, observed_ends(answers[unstated]))
    return out
