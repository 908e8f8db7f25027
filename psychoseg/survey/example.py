"""Answers to try things on, where no survey is at hand; simulated, so that they say nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["example_answers"]


def example_answers(n: int = 300, *, seed: int = 1) -> pd.DataFrame:
    """Make up the answers of people who do not exist, for examples.

    Parameters
    ----------
    n : int
        People.
    seed : int

    Returns
    -------
    DataFrame, shape (n, 11)
        Index ``P001, P002, ...``; items ``q1`` to ``q8`` from 1 to 5, of which the first four
        measure one trait and the others another; ``age``, ``region`` and ``weight``. Three groups
        of people differ in both traits.

    Examples
    --------
    >>> import psychoseg
    >>> psychoseg.example_answers().shape
    (300, 11)
    """
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, n)
    traits = np.array([[-1.1, -0.9], [1.2, -0.2], [0.0, 1.2]])[group]
    traits = traits + rng.normal(scale=0.55, size=(n, 2))
    answers = 3 + traits.repeat(4, axis=1) + rng.normal(scale=0.75, size=(n, 8))
    frame = pd.DataFrame(
        np.clip(np.round(answers), 1, 5).astype(np.int64),
        columns=[f"q{j + 1}" for j in range(8)],
        index=pd.Index([f"P{i + 1:03d}" for i in range(n)], name="person"),
    )
    frame["age"] = np.clip(np.round(rng.normal(38 + 6 * (group == 2), 11, n)), 18, 80).astype(int)
    frame["region"] = rng.choice(["North", "South", "West"], n)
    frame["weight"] = rng.choice([0.8, 1.0, 1.3], n)
    return frame
