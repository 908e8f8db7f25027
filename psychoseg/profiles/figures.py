"""Figures: the rows of the tables of means and shares, one kind of thing for whoever reads both.

Owns nothing but the reading.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from psychoseg.stats.arrays import FloatArray

__all__ = ["Figure", "dividing_rows", "read_figures", "share_apart", "undescribed"]


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


def dividing_rows(means: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Return what pictures of the segments side by side show: the scales, or what stands in.

    Parameters
    ----------
    means, shares : DataFrame
        ``Profiles.means`` and ``Profiles.shares``.

    Returns
    -------
    DataFrame
        ``segment, variable, label, mean, low, high, total, z, base, hidden, is_share``: the rows of
        the scales; without scales those of the active columns, categories and options as
        ``variable=category``, whose z is the share less that of all in standard deviations of the
        0 and 1 that they are; without active ones all means.
    """
    columns = ["segment", "variable", "label", "mean", "low", "high", "total", "z", "base"]
    scales = means[means["kind"] == "scale"]
    active = shares[shares["role"] == "active"]
    own = means[means["role"] == "active"]
    if len(scales) or (active.empty and own.empty):
        rows = scales if len(scales) else means
        return rows[[*columns, "hidden"]].assign(is_share=False)
    share = active["share"].to_numpy(dtype=np.float64, na_value=np.nan)
    total = active["total"].to_numpy(dtype=np.float64, na_value=np.nan)
    option = active["kind"].to_numpy() == "choice"
    names = [_texts(active, c) for c in ("variable", "label", "category")]
    made = active.assign(
        variable=[f"{v}={c}" for v, _, c in zip(*names, strict=True)],
        label=[c if o else f"{x}: {c}" for _, x, c, o in zip(*names, option, strict=True)],
        mean=share,
        z=share_apart(share, total),
    )
    parts = [part for part in (own.assign(is_share=False), made.assign(is_share=True)) if len(part)]
    return pd.concat(parts, ignore_index=True)[[*columns, "hidden", "is_share"]]


def share_apart(share: FloatArray, total: FloatArray) -> FloatArray:
    """Return shares less those of all, in standard deviations of the 0 and 1 that they are of.

    NaN where a share is, or where nobody or everybody has it.
    """
    spread = np.sqrt(total * (1 - total))
    return np.divide(share - total, spread, out=np.full_like(share, np.nan), where=spread > 0)


def undescribed(figures: Sequence[Figure], weak: Collection[str]) -> set[int]:
    """Return the segments of which nothing can be said: every figure is hidden or of a weak scale.

    Parameters
    ----------
    figures : sequence of Figure
    weak : collection of str
        Scales that describe nobody.
    """
    said = {
        f.segment
        for f in figures
        if not np.isnan(f.value) and not (f.kind == "scale" and f.variable in weak)
    }
    return {f.segment for f in figures} - said


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
