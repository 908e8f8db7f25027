"""Small made surveys, written as each platform writes them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

AGREE = ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"]


def ratings(
    n: int = 90, *, items: int = 6, reverse: Sequence[int] = (), seed: int = 1, steps: int = 5
) -> np.ndarray:
    """Return answers 1 to ``steps`` of one factor, those in ``reverse`` turned round."""
    rng = np.random.default_rng(seed)
    sign = np.array([-1 if j in reverse else 1 for j in range(items)])
    latent = rng.normal(size=(n, 1)) * sign + 0.6 * rng.normal(size=(n, items))
    cuts = np.linspace(-1.2, 1.2, steps - 1)
    return 1 + (latent[:, :, None] > cuts).sum(axis=2)


def write_csv(
    path: Path,
    rows: Sequence[Sequence[object]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
) -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def battery_rows(n: int = 90, **options: object) -> list[list[object]]:
    """Return a header and rows: an id, six ratings, age and gender."""
    x = ratings(n, **options)
    rng = np.random.default_rng(7)
    head = ["respid", *(f"att_{j + 1}" for j in range(x.shape[1])), "age", "gender"]
    rows = [
        [f"R{1000 + i}", *x[i].tolist(), int(rng.integers(18, 80)), ["m", "f"][i % 2]]
        for i in range(n)
    ]
    return [head, *rows]
