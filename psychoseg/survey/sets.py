"""Multiple-response sets and open questions: from the cells to 0 and 1 an option, and to texts.

Owns when an option counts as chosen and who counts as asked. Leaves nobody out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from psychoseg.errors import tell
from psychoseg.stats.arrays import BoolArray, FloatArray
from psychoseg.study import ChoiceSet, OpenText
from psychoseg.survey.cells import (
    Cells,
    absent_texts,
    accepted_texts,
    cell_examples,
    code_text,
    read_cells,
    shown_label,
)
from psychoseg.survey.coding import MANY_CATEGORIES
from psychoseg.survey.merge import Joined
from psychoseg.survey.raw import parse_number, quoted_list
from psychoseg.survey.table import Variable

__all__ = ["CodedOption", "code_sets", "kept_options", "open_texts"]

#: Answers that say "not chosen", beside 0, whatever the case of their letters.
NOT_CHOSEN = frozenset(
    {"no", "not selected", "not chosen", "not mentioned", "unchecked", "unselected", "false"}
)
#: Answers that say "chosen" and nothing of what.
CHOSEN = frozenset({"yes", "selected", "chosen", "mentioned", "checked", "true", "x"})


@dataclass(frozen=True, slots=True)
class CodedOption:
    """An option of a multiple-response set, all rows.

    Attributes
    ----------
    values : ndarray, shape (n,)
        1 where chosen, 0 where not, NaN for whoever was not asked.
    choices : ChoiceSet
    columns : tuple of str
        The set's columns in the file.
    question : str
        The set's label, by the study or an SPSS file's own set; empty where neither has one.
    label : str
        The option's label, by the study, else what its chosen cells say; empty without one.
    missing : tuple of str
        Codes read as "no answer".
    """

    values: FloatArray
    choices: ChoiceSet
    columns: tuple[str, ...]
    question: str
    label: str
    missing: tuple[str, ...]

    def describe(self, name: str, label: str, labels: Mapping[str, tuple[str, str]]) -> Variable:
        """Return its line of the codebook.

        Parameters
        ----------
        name : str
            Of the option's column.
        label : str
            What the files call that column; empty without.
        labels : mapping of str to (str, str)
            Label and question of each column of the labels file.
        """
        asked = {labels.get(column, ("", ""))[1] for column in self.columns}
        shared = asked.pop() if len(asked) == 1 else ""
        given = self.choices.labels.get(name, "") if name in self.columns else self.label
        return Variable(
            name,
            given or label or self.label or name,
            self.choices.use,
            "choice",
            question=self.question or shared or self.choices.name,
            missing=self.missing,
            block=self.choices.name,
        )


def code_sets(
    joined: Joined, sets: Sequence[tuple[ChoiceSet, Sequence[str]]], kept: BoolArray
) -> tuple[dict[str, CodedOption], list[str]]:
    """Turn the cells of multiple-response sets into one column of 0 and 1 an option.

    Parameters
    ----------
    joined : Joined
    sets : sequence of (ChoiceSet, names of its columns)
    kept : ndarray of bool
        Respondents whose cells count as a problem.

    Returns
    -------
    options : dict of str to CodedOption
        Of a dichotomy by the name of its column; of a set of categories by "set=option", options in
        the order of value labels, else of the study's labels, else sorted.
    problems : list of str
        Sets in which nothing is chosen, or columns in which two codes would count as chosen.

    Notes
    -----
    Whoever chose one option has 0 for the others. Whoever chose none is NaN throughout, or 0
    throughout where ``none = "answer"``; but where some cells of a set say "not chosen" in so many
    words, or the respondent's cell holds a code that the study calls missing, or a merged file
    knows nothing of the respondent, empty cells are no answer even then.
    """
    options: dict[str, CodedOption] = {}
    problems: list[str] = []
    for choices, names in sets:
        cells = [read_cells(joined, name, kept) for name in names]
        absent = [np.asarray(absent_texts(c, choices.missing), dtype=bool) for c in cells]
        if choices.coding == "dichotomy":
            found, wrong = _dichotomies(joined, choices, cells, absent)
        else:
            found, wrong = _categories(joined, choices, cells, absent)
        problems += wrong
        if wrong:
            continue
        asked = _asked(joined, choices, cells, absent, found)
        missing = tuple(
            dict.fromkeys(
                (*(m for c in cells for m in c.field.missing), *map(code_text, choices.missing))
            )
        )
        told = {c.field.set_label or c.field.question for c in cells}
        question = choices.label or (told.pop() if len(told) == 1 else "")
        for name, (label, chosen) in found.items():
            values = np.where(asked, chosen.astype(np.float64), np.nan)
            options[name] = CodedOption(values, choices, tuple(names), question, label, missing)
    return options, problems


def kept_options(options: Mapping[str, CodedOption], kept: BoolArray) -> dict[str, CodedOption]:
    """Return the options without those made of categories that none of the kept chose."""
    return {
        name: option
        for name, option in options.items()
        if name in option.columns or bool((option.values[kept] == 1).any())
    }


def open_texts(joined: Joined, texts: Sequence[OpenText], kept: BoolArray) -> pd.DataFrame:
    """Return the open answers of those kept, "" where there is none; empty without [[texts]]."""
    columns = {}
    for text in texts:
        cells = read_cells(joined, text.column, kept)
        absent = absent_texts(cells, text.missing)
        shown = np.asarray(
            ["" if gone else t for t, gone in zip(cells.texts, absent, strict=True)], dtype=object
        )
        columns[text.column] = pd.Series(shown[cells.codes[kept]], dtype="str")
    return pd.DataFrame(columns)


#: Name of an option -> its label and who chose it.
_Found = dict[str, tuple[str, BoolArray]]


def _dichotomies(
    joined: Joined, choices: ChoiceSet, columns: Sequence[Cells], absent: Sequence[BoolArray]
) -> tuple[_Found, list[str]]:
    found: _Found = {}
    problems: list[str] = []
    counted = {cells.field.counted for cells in columns}
    accept: Sequence[int | float | str] = choices.selected
    if not accept and len(counted) == 1 and counted != {""}:
        accept = tuple(counted)
    for cells, gone in zip(columns, absent, strict=True):
        chosen: BoolArray = _means_chosen(cells, accept) & ~gone
        said = [int(i) for i in np.flatnonzero(chosen & cells.used()) if not accept]
        numbers = {parse_number(cells.texts[i], cells.field.decimal) for i in said}
        if len(numbers) > 1 and None not in numbers:
            problems.append(
                f"set {choices.name!r}: in {cells.name} "
                f"{cell_examples(joined, cells, said)} would all count as chosen. Say which codes "
                f"do, such as selected = [{cells.texts[said[0]]}]."
            )
        texts = {cells.texts[i] for i in said}
        only = texts.pop() if len(texts) == 1 else ""
        telling = only.casefold() not in CHOSEN and parse_number(only, cells.field.decimal) is None
        found[cells.name] = (only if telling else "", chosen[cells.codes])
    if not problems:
        problems += _nobody(choices, columns, absent, found)
    return found, problems


def _means_chosen(cells: Cells, accept: Sequence[int | float | str]) -> BoolArray:
    """Return which texts mean "chosen", by the codes given, else by not saying otherwise."""
    if accept:
        return np.asarray(accepted_texts(cells, accept), dtype=bool)
    said = [
        parse_number(text, cells.field.decimal) != 0
        and text.casefold() not in NOT_CHOSEN
        and cells.field.value_labels.get(text, "").casefold() not in NOT_CHOSEN
        for text in cells.texts
    ]
    return np.asarray(said, dtype=bool)


def _categories(
    joined: Joined, choices: ChoiceSet, columns: Sequence[Cells], absent: Sequence[BoolArray]
) -> tuple[_Found, list[str]]:
    places: dict[str, tuple[int, float, str]] = {}
    chosen: dict[str, BoolArray] = {}
    for cells, gone in zip(columns, absent, strict=True):
        listed = list(cells.field.value_labels.values())
        given = list(choices.labels.values())
        for i in np.flatnonzero(~gone):
            text = cells.texts[i]
            number = parse_number(text, cells.field.decimal)
            label = shown_label(text, choices.labels, cells.field) or text
            place = (3, 0.0, label) if number is None else (2, number, label)
            if label in given:
                place = (1, float(given.index(label)), "")
            if cells.field.value_labels.get(text) in listed:
                place = (0, float(listed.index(cells.field.value_labels[text])), "")
            places[label] = min(place, places.get(label, place))
            here = cells.codes == i
            chosen[label] = chosen[label] | here if label in chosen else here
    order = sorted(places, key=lambda label: places[label])
    found: _Found = {f"{choices.name}={label}": (label, chosen[label]) for label in order}
    clash = [name for name in found if name in joined.fields]
    problems = _nobody(choices, columns, absent, found)
    if clash:
        problems.append(
            f"set {choices.name!r}: its options would be called {quoted_list(clash)}, as columns "
            "of the file are. Give the set another name."
        )
    if len(found) > MANY_CATEGORIES:
        tell(
            f"the set {choices.name} has {len(found)} options, more than a profile can show. Where "
            "a column of it is open text, take it out."
        )
    return found, problems


def _nobody(
    choices: ChoiceSet, columns: Sequence[Cells], absent: Sequence[BoolArray], found: _Found
) -> list[str]:
    if any(bool((chosen & columns[0].counted).any()) for _, chosen in found.values()):
        return []
    texts = {
        cells.texts[i]
        for cells, gone in zip(columns, absent, strict=True)
        for i in np.flatnonzero(cells.used() & ~gone)
    }
    there = f"its columns hold {quoted_list(sorted(texts))}" if texts else "its columns are empty"
    return [
        f"set {choices.name!r}: nobody chose anything; {there}. Correct its columns, or selected "
        "and missing."
    ]


def _asked(
    joined: Joined,
    choices: ChoiceSet,
    columns: Sequence[Cells],
    absent: Sequence[BoolArray],
    found: _Found,
) -> BoolArray:
    """Return who counts as asked (n,): see the notes of :func:`code_sets`."""
    anything: BoolArray = np.any([chosen for _, chosen in found.values()], axis=0)
    if choices.none == "missing":
        return anything
    there = np.zeros(len(anything), dtype=bool)
    answered = np.zeros(len(anything), dtype=bool)
    refused = np.zeros(len(anything), dtype=bool)
    for cells, gone in zip(columns, absent, strict=True):
        there |= joined.rows(cells.name, np.arange(len(anything))) >= 0
        answered |= ~gone[cells.codes]
        refused |= (gone & np.asarray([bool(t) for t in cells.texts]))[cells.codes]
    spoken: BoolArray = answered & ~anything
    silent = answered if spoken.any() else there & ~refused
    asked: BoolArray = anything | silent
    return asked
