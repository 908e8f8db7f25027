"""Figures: the rows of the tables of means and shares, one kind of thing for whoever reads both.

Owns nothing but the reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

__all__ = ["Figure", "read_figures"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean or a share of one segment; NaN where it is hidden.

    Attributes
    ----------
    table : {"means", "shares"}
    segment : int
    variable, label, kind, role, category : str
        As in :class:`psychoseg.profiles.Profiles`; ``category`` of a mean is empty.
    value, total, effect : float
        Of the segment, of all, and Cohen's d or h of the segment against the rest.
    base : float
        People of the segment who answered.
    """

    table: Literal["means", "shares"]
    segment: int
    variable: str
    label: str
    kind: str
    role: str
    category: str
    value: float
    total: float
    effect: float
    base: float

    @property
    def cell(self) -> tuple[str, str, str]:
        """Return what the figure is of, whichever the segment."""
        return self.table, self.variable, self.category


def read_figures(means: pd.DataFrame, shares: pd.DataFrame) -> list[Figure]:
    """Return every row of ``Profiles.means``, then of ``Profiles.shares``, in their order."""
    return [
        *_read("means", means, [""] * len(means), "mean"),
        *_read("shares", shares, _texts(shares, "category"), "share"),
    ]


def _read(
    table: Literal["means", "shares"], frame: pd.DataFrame, categories: list[str], value: str
) -> list[Figure]:
    names = [_texts(frame, column) for column in ("variable", "label", "kind", "role")]
    numbers = [
        frame[column].to_numpy(dtype=np.float64, na_value=np.nan).tolist()
        for column in (value, "total", "effect", "base")
    ]
    segments = [int(s) for s in frame["segment"]]
    return [Figure(table, *row) for row in zip(segments, *names, categories, *numbers, strict=True)]


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    return [str(text) for text in frame[column]]
