"""An attacker who adds and subtracts what the tables print finds no figure on too few people."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from psychoseg.profiles.protect import shown_cells
from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.profiles.tables import gather, mean_cells, share_cells
from psychoseg.segments.methods import by_size

LEAST = 10


@dataclass(frozen=True)
class Study:
    """A made study: who is in which part, and the nested cuts of the parts."""

    sample: Sample
    parts: np.ndarray
    into: dict[int, np.ndarray]
    reported: int


def make_study(rng: np.random.Generator) -> Study:
    n_parts = int(rng.integers(3, 7))
    sizes = rng.choice([4, 12, 25, 60, 150], n_parts)
    sizes[0] = 150
    parts = np.repeat(np.arange(n_parts), sizes)
    n = len(parts)
    # From the finest cut up, each time two segments become one.
    group = np.arange(n_parts)
    into = {n_parts: group.copy()}
    for k in range(n_parts - 1, 1, -1):
        one, other = rng.choice(np.unique(group), 2, replace=False)
        group = np.where(group == other, one, group)
        into[k] = np.unique(group, return_inverse=True)[1]
    into = {k: into[k] for k in sorted(into)}
    # Who answered differs by part, so that some parts have few answers or none.
    rate = rng.choice([0.0, 0.05, 0.3, 1.0], n_parts, p=[0.1, 0.3, 0.2, 0.4])
    answered = rng.random(n) < rate[parts]
    spend = np.where(answered, rng.gamma(2.0, 20.0, n), np.nan)
    plan = np.where(answered, rng.integers(0, 3, n).astype(float), np.nan)
    weights = rng.uniform(0.3, 3.0, n) if rng.random() < 0.5 else np.ones(n)
    labels = by_size(parts, weights) + 1
    sample = Sample(
        segments=tuple(range(1, n_parts + 1)),
        labels=labels,
        weights=weights,
        counts=False,
        variables=(
            SampleVariable("spend", "Spend", "profile", spend),
            SampleVariable("plan", "Plan", "profile", plan, ("Basic", "Plus", "Premium")),
        ),
        rows=np.arange(n),
    )
    return Study(sample, parts, into, int(rng.choice(list(into))))


def print_tables(study: Study, *, protected: bool) -> list[tuple[int, pd.DataFrame, str]]:
    """Return the tables of every cut, with what they show: the figures and their column."""
    gathered = gather(study.sample, study.parts, int(study.parts.max()) + 1)
    shown = shown_cells(
        gathered, study.into, reported=study.reported, min_base=LEAST if protected else 1
    )
    printed = []
    for k, into in study.into.items():
        means = mean_cells(gathered, into, k, shown.means[k])
        shares = share_cells(gathered, into, k, shown.shares[k])
        if not protected:
            # What hiding the small cells alone, and no other, would print.
            means = means[means["base"] >= LEAST]
            shares = shares[shares["base"] >= LEAST]
        printed += [(k, means, "mean"), (k, shares, "share")]
    return printed


def recovered(study: Study, *, protected: bool) -> int:
    """Count the figures on too few people that the printed ones determine, and check them."""
    parts = int(study.parts.max()) + 1
    systems: dict[str, tuple[list[np.ndarray], list[float]]] = {}
    for k, table, column in print_tables(study, protected=protected):
        for r in table[~table["hidden"].astype(bool)].to_dict("records"):
            rows, sums = systems.setdefault(f"{r['variable']} {r.get('category', '')}", ([], []))
            inside = study.into[k] == r["segment"] - 1
            rows.append(inside.astype(float))
            sums.append(r[column] * r["base_weighted"])
            # The figure of all, and its weighted base, which any column of shares gives.
            rows.append(np.ones(parts))
            sums.append(r["total"] * weighted_base(study, r["variable"], np.arange(parts)))
    found = 0
    for key, (rows, sums) in systems.items():
        variable, category = key.split(" ")
        people = np.array([answers(study, variable, [p]).sum() for p in range(parts)])
        there = np.flatnonzero(people)
        equations = np.array(rows)[:, there]
        for size in range(1, len(there) + 1):
            for some in combinations(range(len(there)), size):
                if people[there[list(some)]].sum() >= LEAST:
                    continue
                target = np.zeros(len(there))
                target[list(some)] = 1
                mix = np.linalg.lstsq(equations.T, target, rcond=None)[0]
                if np.abs(equations.T @ mix - target).max() < 1e-9:
                    truth = true_sum(study, variable, category, there[list(some)])
                    assert mix @ np.array(sums) == pytest.approx(truth, abs=1e-6)
                    found += 1
    return found


def answers(study: Study, variable: str, parts) -> np.ndarray:
    values = study.sample.variable(variable, "profile").values
    return ~np.isnan(values) & np.isin(study.parts, parts)


def weighted_base(study: Study, variable: str, parts) -> float:
    return float(study.sample.weights[answers(study, variable, parts)].sum())


def true_sum(study: Study, variable: str, category: str, parts) -> float:
    use = answers(study, variable, parts)
    values = study.sample.variable(variable, "profile").values[use]
    if category:
        code = ("Basic", "Plus", "Premium").index(category)
        values = (values == code).astype(float)
    return float((study.sample.weights[use] * values).sum())


@pytest.mark.parametrize("seed", range(10))
def test_no_hidden_figure_is_recovered_from_the_tables_of_random_studies(seed):
    rng = np.random.default_rng([5, seed])
    for _ in range(100):
        assert recovered(make_study(rng), protected=True) == 0


def test_the_attacker_recovers_them_where_only_the_small_cells_are_hidden():
    rng = np.random.default_rng(5)
    assert sum(recovered(make_study(rng), protected=False) > 0 for _ in range(50)) >= 15


def test_not_more_is_hidden_than_needed():
    rng = np.random.default_rng(6)
    hidden, small = 0, 0
    for _ in range(100):
        study = make_study(rng)
        for _, table, _ in print_tables(study, protected=True):
            means = table["hidden"].astype(bool)
            hidden += int(means.sum())
        for k, into in study.into.items():
            for s in range(k):
                base = answers(study, "spend", np.flatnonzero(into == s)).sum()
                # A mean and three shares a cell.
                small += 4 * int(base < LEAST)
    assert small < hidden < 2.2 * small
