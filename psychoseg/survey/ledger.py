"""The account of everybody who is not in the results, and of every answer set aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.survey.table import LEDGER_COLUMNS

__all__ = ["Ledger"]

Effect = Literal["excluded", "unused", "set missing"]


class Ledger:
    """Who is still in, and the lines that say why the others are not.

    Parameters
    ----------
    ids : sequence of str
        All respondents read.
    file : str
        The file of answers.
    rows : ndarray of int
        Where each respondent stands in it.
    """

    def __init__(self, ids: Sequence[str], file: str, rows: npt.NDArray[np.int64]) -> None:
        self._ids = ids
        self._file = file
        self._rows = rows
        self._lines: list[tuple[str, str, int, str, Effect, str]] = []
        self.kept: npt.NDArray[np.bool_] = np.ones(len(ids), dtype=bool)

    def exclude(self, positions: npt.NDArray[np.int64], stage: str, reasons: Sequence[str]) -> None:
        """Leave respondents out, one reason each; who is out already keeps the first reason."""
        for position, reason in zip(positions, reasons, strict=True):
            if self.kept[position]:
                self.kept[position] = False
                self._add(int(position), stage, "excluded", reason)

    def set_missing(self, position: int, stage: str, reason: str) -> None:
        """Note that answers of a respondent were turned into missing ones."""
        self._add(position, stage, "set missing", reason)

    def note(
        self, respondent: str, file: str, row: int, stage: str, effect: Effect, reason: str
    ) -> None:
        """Add a line about a row of another file."""
        self._lines.append((respondent, file, row, stage, effect, reason))

    def reasons(self) -> dict[str, int]:
        """Return how many respondents each stage left out."""
        out: dict[str, int] = {}
        for _, _, _, stage, effect, _ in self._lines:
            if effect == "excluded":
                out[stage] = out.get(stage, 0) + 1
        return out

    def table(self) -> pd.DataFrame:
        """Return the lines in the order they came about.

        Raises
        ------
        RuntimeError
            Where respondents read are not those kept plus those excluded: a fault of this program.
        """
        excluded = sum(self.reasons().values())
        kept = int(self.kept.sum())
        if kept + excluded != len(self._ids):
            raise RuntimeError(
                f"{len(self._ids)} respondents read, but {kept} kept and {excluded} excluded in "
                "the ledger"
            )
        return pd.DataFrame(self._lines, columns=list(LEDGER_COLUMNS))

    def _add(self, position: int, stage: str, effect: Effect, reason: str) -> None:
        self.note(self._ids[position], self._file, int(self._rows[position]), stage, effect, reason)
