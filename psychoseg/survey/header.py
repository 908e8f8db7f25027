"""Header rows -> names, labels and questions: plain, SurveyMonkey's two, Qualtrics' two or three.

The rules, by the number of header rows the study declares:

1. One row: the names. A name that repeats is an error, unless the study says to number it; a blank
   one becomes ``column_<position>``.
2. Two rows, the first complete and without repeats (Qualtrics' older export): names, then labels.
   Two rows, else (SurveyMonkey): questions, carried on over the blanks to their right, then
   options. A column is called ``question: option``, and the question alone where the option is
   blank, "Response" or "Open-Ended Response".
3. Three rows (Qualtrics): names, labels, import ids (dropped).

Under two or three rows a survey platform wrote the names, and real exports repeat some: from its
second time on, a name gets its number (``name_2``), and a warning says so.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psychoseg.errors import DataError, PsychosegWarning
from psychoseg.survey.raw import quoted_list

__all__ = ["Header", "read_header"]

#: What SurveyMonkey writes below a question that has no options.
NO_OPTION = {"", "Response", "Open-Ended Response"}


@dataclass(frozen=True, slots=True)
class Header:
    """Name, label (``""`` for none) and question (``""`` for none) of each column."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    questions: tuple[str, ...]


def read_header(
    records: Sequence[Sequence[str]], path: Path, *, number_repeated: bool = False
) -> Header:
    """Turn one to three header rows, all of one length, into names, labels and questions.

    Parameters
    ----------
    records : sequence of rows
    path : Path
    number_repeated : bool
        Whether a single row may repeat a name, which then gets its number.

    Raises
    ------
    DataError
        Where a single header row repeats a name and may not.

    Warns
    -----
    PsychosegWarning
        Where names got numbers.
    """
    rows = [[cell.strip() for cell in record] for record in records]
    none = ("",) * len(rows[0])
    if len(rows) == 1:
        names = _without_blanks(rows[0])
        repeated = _repeated(names)
        if repeated and not number_repeated:
            raise DataError(
                f"{path}: the header repeats the names {quoted_list(repeated)}. Give each column "
                "its own name, set header_rows = 2 where a second row tells them apart, or "
                'repeated_names = "number" to have them numbered.'
            )
        return Header(_numbered(names, path), none, none)
    if len(rows) == 3 or not (_repeated(rows[0]) or "" in rows[0]):
        names = _numbered(_without_blanks(rows[0]), path)
        labels = tuple(
            "" if cell in NO_OPTION or cell == name else cell
            for cell, name in zip(rows[1], names, strict=True)
        )
        return Header(names, labels, none)
    return _questions_and_options(rows[0], rows[1], path)


def _questions_and_options(first: Sequence[str], second: Sequence[str], path: Path) -> Header:
    names, labels, questions = [], [], []
    question = ""
    for cell, option in zip(first, second, strict=True):
        question = cell or question
        if option in NO_OPTION:
            names.append(question)
            labels.append("")
            questions.append("")
        else:
            names.append(f"{question}: {option}" if question else option)
            labels.append(option)
            questions.append(question)
    return Header(_numbered(_without_blanks(names), path), tuple(labels), tuple(questions))


def _without_blanks(names: Sequence[str]) -> tuple[str, ...]:
    taken = set(names)
    out = []
    for position, name in enumerate(names, start=1):
        new = name or f"column_{position}"
        while not name and new in taken:
            new += "_"
        out.append(new)
    return tuple(out)


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _numbered(names: Sequence[str], path: Path) -> tuple[str, ...]:
    repeated = _repeated(names)
    if not repeated:
        return tuple(names)
    taken = set(names)
    seen: Counter[str] = Counter()
    out = []
    for name in names:
        seen[name] += 1
        number = seen[name]
        new = name
        while number > 1 and new in taken:
            new = f"{name}_{number}"
            number += 1
        taken.add(new)
        out.append(new)
    warnings.warn(
        f"{path.name} repeats the column names {quoted_list(repeated)}; from its second time on a "
        f"name got its number, as in {repeated[0] + '_2'!r}.",
        PsychosegWarning,
        stacklevel=2,
    )
    return tuple(out)
