"""The same tables for every cut of the drawn tree, for a reader who moves the cut.

Owns ``Profiles.by_k`` and ``Profiles.cuts``. At the reported number of segments they repeat the
reported figures; at any other they are for looking at, without tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from psychoseg.naming import Driver, say_driver, size_of, suggest_names
from psychoseg.profiles.drivers import find_drivers
from psychoseg.profiles.figures import read_figures, undescribed
from psychoseg.profiles.protect import Shown
from psychoseg.profiles.sample import Sample
from psychoseg.profiles.tables import Gathered, gather, mean_cells, share_cells
from psychoseg.segments.cuts import cut_numbers, cut_panel, cut_table
from psychoseg.stats.arrays import IntArray

if TYPE_CHECKING:
    from psychoseg.segments import Segments

__all__ = ["BY_K_COLUMNS", "CUT_COLUMNS", "Cuts", "cut_profiles", "cut_summary", "cuts_of"]

BY_K_COLUMNS = (
    "k", "segment", "variable", "label", "kind", "role", "category", "value", "low", "high",
    "total", "base", "base_weighted", "base_effective", "index", "effect", "z", "hidden",
)  # fmt: skip
CUT_COLUMNS = (
    "k", "segment", "parent", "colour", "name", "n", "weighted", "share", "headline",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cuts:
    """The cuts of the tree that are described, and what their common parts answered.

    Attributes
    ----------
    ks : tuple of int
        Ascending; the reported number of segments is always one of them.
    atoms : ndarray of int, shape (n,)
        The part of each of the sample, from 0: no cut divides a part.
    into : dict of int to ndarray of int, shape (parts,)
        For each cut the segment of each part, from 0.
    gathered : Gathered
        Sums by part.
    """

    ks: tuple[int, ...]
    atoms: IntArray
    into: dict[int, IntArray]
    gathered: Gathered

    def labels(self, k: int) -> IntArray:
        """Return the segment of each of the sample in a cut, 1 to k."""
        return self.into[k][self.atoms] + 1


def cuts_of(sample: Sample, segments: Segments) -> Cuts:
    """Sum every variable by the segments of the finest cut, from which all others are joined."""
    ks = cut_numbers(segments)
    panel = cut_panel(segments, ks)[sample.rows] - 1
    atoms, finest = panel[:, -1], ks[-1]
    into = {}
    for j, k in enumerate(ks):
        into[k] = np.zeros(finest, dtype=np.intp)
        into[k][atoms] = panel[:, j]
    return Cuts(tuple(ks), atoms, into, gather(sample, atoms, finest))


def cut_profiles(
    cuts: Cuts, shown: Shown, means: pd.DataFrame, shares: pd.DataFrame, *, k: int
) -> tuple[pd.DataFrame, dict[int, tuple[pd.DataFrame, pd.DataFrame]]]:
    """Describe the segments of every cut.

    Parameters
    ----------
    cuts : Cuts
    shown : Shown
    means, shares : DataFrame
        Those of the reported segments.
    k : int
        How many those are.

    Returns
    -------
    by_k : DataFrame
        ``Profiles.by_k``.
    tables : dict of int to (DataFrame, DataFrame)
        The means and shares of each cut.
    """
    tables = {}
    parts = []
    for at in cuts.ks:
        tables[at] = (means, shares)
        if at != k:
            into = cuts.into[at]
            tables[at] = (
                mean_cells(cuts.gathered, into, at, shown.means[at]),
                share_cells(cuts.gathered, into, at, shown.shares[at]),
            )
        one, other = tables[at]
        one = one.rename(columns={"mean": "value"}).assign(category="")
        other = other.rename(columns={"share": "value"}).assign(z=np.nan)
        both = [part for part in (one, other) if len(part)]
        if both:
            found = pd.concat(both, ignore_index=True).assign(k=at)
            parts.append(found[list(BY_K_COLUMNS)].sort_values("segment", kind="stable"))
    if not parts:
        return pd.DataFrame(columns=list(BY_K_COLUMNS)), tables
    return pd.concat(parts, ignore_index=True), tables


def cut_summary(
    sample: Sample,
    segments: Segments,
    cuts: Cuts,
    tables: Mapping[int, tuple[pd.DataFrame, pd.DataFrame]],
    drivers: Mapping[int, Sequence[Driver]],
    names: Mapping[int, str],
) -> pd.DataFrame:
    """Return ``Profiles.cuts``: where each segment of each cut comes from, its name and size.

    Parameters
    ----------
    sample, segments, cuts
    tables : mapping of int to (DataFrame, DataFrame)
        The means and shares of each cut.
    drivers, names
        Those of the reported segments.
    """
    places = cut_table(segments)
    everyone = float(sample.weights.sum())
    rows = []
    for k in cuts.ks:
        if k == segments.k:
            found, called = drivers, names
        else:
            found = _drivers_of_cut(sample, cuts.labels(k), k, *tables[k])
            called = suggest_names(
                found,
                unassigned=k if segments.unassigned else 0,
                unknown=undescribed(read_figures(*tables[k]), sample.weak),
            )
        labels = cuts.labels(k)
        for s in range(1, k + 1):
            n, weighted, _ = sample.base(labels == s)
            rows.append((k, s, called[s], n, weighted, weighted / everyone, _headline(found[s])))
    columns = ["k", "segment", "name", "n", "weighted", "share", "headline"]
    made = pd.DataFrame(rows, columns=columns)
    merged = places.merge(made, on=["k", "segment"], validate="one_to_one")
    return merged[list(CUT_COLUMNS)]


def _drivers_of_cut(
    sample: Sample, labels: IntArray, k: int, means: pd.DataFrame, shares: pd.DataFrame
) -> dict[int, list[Driver]]:
    """Return the drivers of a cut, looking at nobody's answers that cannot be one."""
    clear_means = means[(means["kind"] == "scale") | _clear(means)]
    clear_shares = shares[_clear(shares)]
    named = {*zip(clear_means["variable"], clear_means["role"], strict=True)}
    named |= {*zip(clear_shares["variable"], clear_shares["role"], strict=True)}
    variables = tuple(v for v in sample.variables if (v.set_name or v.name, v.role) in named)
    cut = replace(sample, segments=tuple(range(1, k + 1)), labels=labels, variables=variables)
    return find_drivers(cut, clear_means, clear_shares)


def _clear(table: pd.DataFrame) -> pd.Series:
    return table["effect"].map(lambda effect: size_of(effect) != "negligible").astype(bool)


def _headline(drivers: Sequence[Driver]) -> str:
    return say_driver(drivers[0]) if drivers else ""
