"""The distinct texts of a column, and what the study and the file say about each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.study_table import Code
from psychoseg.survey.merge import Joined
from psychoseg.survey.raw import EXAMPLES, Field, number_text, parse_number, rows_text, short

__all__ = [
    "Cells",
    "absent_texts",
    "accepted_texts",
    "cell_examples",
    "code_text",
    "read_cells",
    "shown_label",
]


@dataclass(frozen=True, slots=True)
class Cells:
    """The distinct texts of a column and which row holds which; the left-out are not counted."""

    name: str
    field: Field
    texts: list[str]
    codes: npt.NDArray[np.intp]
    counted: npt.NDArray[np.bool_]

    def where(self, number: int) -> npt.NDArray[np.int64]:
        """Return the counted rows that hold a text, by its number."""
        return np.flatnonzero((self.codes == number) & self.counted)

    def used(self) -> npt.NDArray[np.bool_]:
        """Return which of the texts a counted row holds."""
        used = np.zeros(len(self.texts), dtype=bool)
        used[self.codes[self.counted]] = True
        return used


def read_cells(joined: Joined, name: str, counted: npt.NDArray[np.bool_]) -> Cells:
    """Return the distinct texts of a column."""
    codes, uniques = pd.factorize(joined.cells[name].to_numpy(dtype=object))
    return Cells(name, joined.fields[name], [str(t) for t in uniques], codes, counted)


def absent_texts(cells: Cells, missing: Sequence[Code]) -> list[bool]:
    """Return which texts mean "no answer": empty ones, and the missing codes as text or number."""
    texts = {code_text(code) for code in missing}
    numbers = {n for t in texts if (n := parse_number(t)) is not None}
    decimal = cells.field.decimal
    return [
        not t or t in texts or (bool(numbers) and parse_number(t, decimal) in numbers)
        for t in cells.texts
    ]


def accepted_texts(cells: Cells, accept: Sequence[Code]) -> list[bool]:
    """Return which texts are among some codes: as text, as a number, or by their value label."""
    texts = {code_text(code) for code in accept}
    numbers = {n for text in texts if (n := parse_number(text)) is not None}
    return [
        text in texts
        or cells.field.value_labels.get(text) in texts
        or parse_number(text, cells.field.decimal) in numbers
        for text in cells.texts
    ]


def shown_label(text: str, labels: Mapping[str, str], field: Field) -> str | None:
    """Return what a code is shown as, by the study's labels, then the file's; None without one."""
    number = parse_number(text, field.decimal)
    plain = text if number is None else number_text(number)
    for table in (labels, field.value_labels):
        for key in (text, plain):
            if key in table:
                return table[key]
    return None


def cell_examples(joined: Joined, cells: Cells, numbers: Sequence[int]) -> str:
    """Return the first few of some texts, each with its rows in the file."""
    shown = [
        f"{short(cells.texts[i])!r} ({rows_text(joined.rows(cells.name, cells.where(i)))})"
        for i in numbers[:EXAMPLES]
    ]
    more = f" and {len(numbers) - EXAMPLES} more" if len(numbers) > EXAMPLES else ""
    return ", ".join(shown) + more


def code_text(code: Code) -> str:
    """Return a code of the study file as a cell would hold it."""
    return code.strip() if isinstance(code, str) else number_text(float(code))
