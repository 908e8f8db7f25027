"""A study and its files -> :class:`Survey`: reads, joins, codes and cleans, in that order."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from psychoseg.errors import DataError, PsychosegWarning, StudyError
from psychoseg.study import Study
from psychoseg.survey.clean import (
    check_active,
    check_items,
    exclude_respondents,
    exclude_unweighted,
    observed_ends,
    rescale,
)
from psychoseg.survey.coding import CodedColumn, CodedItem, code_columns, code_items, code_weight
from psychoseg.survey.ledger import Ledger
from psychoseg.survey.merge import Joined, join_tables
from psychoseg.survey.raw import TextTable, quoted_list
from psychoseg.survey.read import read_labels, read_table
from psychoseg.survey.select import Selection, check_keys, select_columns
from psychoseg.survey.table import Survey, Variable

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
    (``clean``), no weight (``weights``). Nothing is written.
    """
    _check_files(study)
    tables = [read_table(file, study.folder) for file in (study.data, *study.merge)]
    selection = select_columns(
        study, _all_names(study, tables), problems=_key_problems(study, tables)
    )
    labels = _labels(study)
    joined, ledger = join_tables(study, tables)
    items, columns, weights = _coded(study, joined, selection, ledger)
    answers = pd.DataFrame({name: item.values for name, item in items.items()})
    check_items(answers[ledger.kept], excluded=_excluded(ledger))
    exclude_respondents(answers, study.clean, ledger)
    if study.weights is not None:
        exclude_unweighted(weights, study.weights.column, ledger)
    kept = ledger.kept
    answers = answers[kept].reset_index(drop=True)
    check_items(answers, excluded=_excluded(ledger))
    if len(answers) < answers.shape[1]:
        raise DataError(
            f"{len(answers)} respondents are kept, fewer than the {answers.shape[1]} "
            f"items{_excluded(ledger)}. Use fewer items, or more respondents."
        )
    others = _kept_columns(columns, kept)
    check_active(others, [n for n, c in selection.columns.items() if c.use == "active"])
    name = study.data.id or "respondent"
    ids = pd.Series([i for i, k in zip(joined.ids, kept, strict=True) if k], name=name, dtype="str")
    codebook = _codebook(study, joined, selection, items, columns, answers, others, labels)
    return Survey(
        ids=ids,
        items=answers,
        columns=others,
        weights=rescale(weights[kept], study.weights.kind) if study.weights else np.ones(len(ids)),
        weight_kind=study.weights.kind if study.weights else "none",
        codebook=codebook,
        ledger=ledger.table(),
        n_read=len(joined.ids),
    )


def _check_files(study: Study) -> None:
    named = [("data.file", study.data.file), ("data.labels", study.data.labels)]
    for number, merge in enumerate(study.merge, start=1):
        named += [(f"merge[{number}].file", merge.file), (f"merge[{number}].labels", merge.labels)]
    lost = [(key, file) for key, file in named if file and not (study.folder / file).is_file()]
    if lost:
        place = study.folder / "study.toml"
        head = f"{place} has {len(lost)} problem{'s' if len(lost) > 1 else ''}:"
        lines = [
            f"  - {key}: there is no file {study.folder / file}. Correct the path."
            for key, file in lost
        ]
        raise StudyError("\n".join([head, *lines]))


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


def _coded(
    study: Study, joined: Joined, selection: Selection, ledger: Ledger
) -> tuple[
    dict[str, CodedItem], dict[str, CodedColumn], np.ndarray[tuple[int], np.dtype[np.float64]]
]:
    items, problems = code_items(joined, selection.items, ledger)
    columns, more = code_columns(joined, selection.columns, ledger.kept)
    problems += more
    weights = np.ones(len(joined.ids))
    if selection.weight is not None:
        weights, more = code_weight(joined, selection.weight, ledger.kept)
        problems += more
    if problems:
        files = ", ".join(file for file, _ in joined.sources)
        head = f"{files}: {len(problems)} problem{'s' if len(problems) > 1 else ''} in the answers:"
        rest = len(problems) - MAX_PROBLEMS
        lines = [f"  - {p}" for p in problems[:MAX_PROBLEMS]]
        raise DataError("\n".join([head, *lines, *([f"  and {rest} more"] if rest > 0 else [])]))
    return items, columns, weights


def _excluded(ledger: Ledger) -> str:
    reasons = ledger.reasons()
    if not reasons:
        return ""
    parts = ", ".join(f"{count} at stage {stage}" for stage, count in reasons.items())
    return f" ({sum(reasons.values())} were excluded: {parts})"


def _kept_columns(
    columns: Mapping[str, CodedColumn], kept: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> pd.DataFrame:
    out = {}
    for name, column in columns.items():
        series = column.values[kept].reset_index(drop=True)
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.cat.remove_unused_categories()
        out[name] = series
    return pd.DataFrame(out, index=pd.RangeIndex(int(kept.sum())))


def _codebook(
    study: Study,
    joined: Joined,
    selection: Selection,
    items: Mapping[str, CodedItem],
    columns: Mapping[str, CodedColumn],
    answers: pd.DataFrame,
    others: pd.DataFrame,
    labels: Mapping[str, tuple[str, str]],
) -> dict[str, Variable]:
    """Describe every column of the files, in file order."""
    book: dict[str, Variable] = {}
    guessed = []
    ends = {
        id(battery): observed_ends(answers[unstated])
        for battery in study.items
        if (
            unstated := [
                name
                for name in answers.columns
                if selection.items[name] is battery and None in (items[name].low, items[name].high)
            ]
        )
    }
    for name, field in joined.fields.items():
        label, question = labels.get(name, ("", ""))
        label, question = label or field.label or name, question or field.question
        if name in items:
            battery, item = selection.items[name], items[name]
            low, high = item.low, item.high
            if low is None or high is None:
                low, high = ends[id(battery)]
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
            book[name] = Variable(
                name,
                settings.label or label,
                settings.use,
                "categorical" if categorical else "numeric",
                question=question,
                categories=tuple(others[name].cat.categories) if categorical else (),
                missing=columns[name].missing,
            )
        elif name == selection.weight:
            book[name] = Variable(name, label, "weight", "numeric", missing=field.missing)
        elif name == study.data.id:
            book[name] = Variable(name, label, "id", "text")
        else:
            book[name] = Variable(name, label, "other", "text", question=question)
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
