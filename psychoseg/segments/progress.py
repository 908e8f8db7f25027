"""How far the segments stage is, from its first resample to its last audit.

Knows the parts of the stage and about how long each takes; computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from psychoseg.workers import parallel_map

__all__ = ["PARTS", "StageProgress"]

#: Shares of the stage's time by its parts, measured on the bundled study with audits.
PARTS = {"resamples": 0.25, "evidence": 0.4, "halves": 0.05, "audits": 0.3}
#: Steps that the whole stage counts.
_STEPS = 1000

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


class StageProgress:
    """Tells how far the stage is, from 0 to 1,000, and never goes back.

    Each part has its share; every round of jobs within it takes half of what is left of the part,
    so that nobody has to know beforehand how many rounds there will be.

    Parameters
    ----------
    tell : callable or None
        Told the steps done and all steps.
    workers : int or None
        As of :func:`psychoseg.workers.parallel_map`.
    """

    def __init__(self, tell: Callable[[int, int], None] | None, *, workers: int | None) -> None:
        self._tell = tell
        self._workers = workers
        self._done = self._end = 0.0

    def begin(self, part: str) -> None:
        """Begin a part; what was left of the one before is done."""
        before = list(PARTS)[: list(PARTS).index(part)]
        start = sum(PARTS[name] for name in before)
        self._end = start + PARTS[part]
        self._say(start)

    def finish(self) -> None:
        """Say that everything is done."""
        self._say(1.0)

    def map(self, function: Callable[[_Job], _Result], jobs: Sequence[_Job]) -> Iterator[_Result]:
        """Apply a function to jobs, as :func:`psychoseg.workers.parallel_map` does."""
        start, share = self._done, (self._end - self._done) / 2
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            self._say(start + share * done / len(jobs))

        return parallel_map(function, jobs, workers=self._workers, progress=advance)

    def _say(self, done: float) -> None:
        self._done = max(self._done, done)
        if self._tell is not None:
            self._tell(round(self._done * _STEPS), _STEPS)
