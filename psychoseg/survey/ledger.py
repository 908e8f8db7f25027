"""The account of everybody who is not in the results, and of every answer set aside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from psychoseg.survey.table import LEDGER_COLUMNS

__all__ = ["Ledger", "count_reasons", "say_lost"]

#: A number in a reason that stands alone, with its sign and exponent; not part of a name such as
#: "wave2.csv" or "2026-02".
_NUMBER = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?!\w|[.-]\w)")
#: From this share of the respondents on, that they are left out is the first thing to know.
_MOST = 0.5
#: Reasons that one line can hold.
_REASONS = 2

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


def say_lost(ledger: pd.DataFrame, n_read: int) -> str:
    """Say that most respondents are left out, and why; nothing where most are in the results."""
    excluded = ledger[ledger["effect"] == "excluded"]
    if not n_read or len(excluded) < _MOST * n_read:
        return ""
    found = sorted(count_reasons(excluded), key=lambda r: -r[2])
    why = "; ".join(f"{n:,}: {reason}" for _, reason, n in found[:_REASONS])
    rest = sum(n for _, _, n in found[_REASONS:])
    return (
        f"Most of the sample is lost: {len(excluded):,} of {n_read:,} respondents "
        f"({len(excluded) / n_read:.0%}) are left out ({why}{f'; {rest:,} more' if rest else ''}). "
        "Results are of the others alone."
    )


def count_reasons(ledger: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return stage, reason and count; reasons that differ in numbers alone count as one."""
    out = []
    for stage, rows in ledger.groupby("stage", sort=False):
        alike: dict[str, list[str]] = {}
        for reason in rows["reason"].astype(str):
            alike.setdefault(_NUMBER.sub("#", reason), []).append(reason)
        counted = [(_with_ranges(texts), len(texts)) for texts in alike.values()]
        out += [(str(stage), text, n) for text, n in sorted(counted, key=lambda c: (-c[1], c[0]))]
    return out


def _with_ranges(texts: Sequence[str]) -> str:
    """Return one text for many, a number that varies among them as "lowest to highest"."""
    slots = list(zip(*(_NUMBER.findall(text) for text in texts), strict=True))
    ends = ((min(slot, key=float), max(slot, key=float)) for slot in slots)
    shown = iter([low if low == high else f"{low} to {high}" for low, high in ends])
    return _NUMBER.sub(lambda _: next(shown), texts[0])
