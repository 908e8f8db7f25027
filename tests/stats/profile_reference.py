"""The data of make_profile_reference.R as arrays, and its rows by table."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from psychoseg.stats.groups import GroupSums, sum_categories, sum_groups
from tests.stats.conftest import REFERENCE, reference

#: Ages of the Pew excerpt; "DK/Ref" is missing.
MIDPOINTS = {"18-24": 21, "25-34": 30, "35-44": 40, "45-54": 50, "55-64": 60, "65+": 72}


@dataclass(frozen=True)
class Table:
    """A variable, or one category of it, by groups: our sums and R's rows."""

    name: str
    kind: str
    groups: list[str]
    sums: GroupSums
    rows: pd.DataFrame

    def positions(self, column: str) -> np.ndarray:
        return np.array([self.groups.index(g) for g in self.rows[column]])


@cache
def pew(folder: Path) -> pd.DataFrame:
    frame = _read(folder / "04_values_social" / "pew_dec13_excerpt.csv")
    frame["age"] = frame["recage"].map(MIDPOINTS)
    return frame


@cache
def biofam(folder: Path) -> pd.DataFrame:
    frame = _read(folder / "08_sequences" / "TraMineR_biofam.csv")
    frame["weight"] = frame["wp00tbgp"]
    return frame[frame["weight"] > 0]


@cache
def tea(folder: Path) -> pd.DataFrame:
    return _read(folder / "09_r_misc" / "FactoMineR__tea.csv")


@cache
def wine() -> pd.DataFrame:
    return _read(REFERENCE / "reduction_wine.csv")


def tables(name: str, folder: Path) -> Iterator[Table]:
    """Yield each variable (a share: each category) of a reference file made of weighted surveys."""
    frames = {"pew": pew(folder), "biofam": biofam(folder)}
    rows = reference(name)
    rows["category"] = rows["category"].fillna("")
    for key, part in rows.groupby(["set", "kind", "variable", "by", "category"]):
        which, kind, variable, by, category = key
        frame = frames[which]
        weights = frame["weight"].to_numpy()
        groups = pd.Categorical(frame[by])
        sums = sums_of(frame, kind, variable, by, category, weights, counts=False)
        yield Table(" ".join(key), kind, list(groups.categories), sums, part)


def sums_of(
    frame: pd.DataFrame,
    kind: str,
    variable: str,
    by: str,
    category: str,
    weights: np.ndarray,
    *,
    counts: bool,
) -> GroupSums:
    groups = pd.Categorical(frame[by])
    codes, n_groups = groups.codes.astype(np.intp), len(groups.categories)
    if kind == "mean":
        x = frame[variable].to_numpy(np.float64)
        return sum_groups(x, codes, weights, n_groups=n_groups, counts=counts)
    answers = pd.Categorical(frame[variable])
    found = sum_categories(
        answers.codes.astype(np.intp),
        codes,
        weights,
        n_categories=len(answers.categories),
        n_groups=n_groups,
        counts=counts,
    )
    return found[list(answers.categories).index(category)]


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values=[""])
