"""Work on several cores: the same results, in the same order, as on one.

Owns the processes that share out independent jobs. Knows nothing of what the jobs compute.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import joblib
from threadpoolctl import ThreadpoolController

from psychoseg.stats.arrays import one_thread

__all__ = ["parallel_map"]

# Idle workers end by themselves, and are started again where there is more to do: no news.
warnings.filterwarnings("ignore", message="A worker stopped while some jobs", module="joblib")

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

#: Seconds of work below which workers do not pay: they take about 1.5 s to start and to import
#: scipy, measured on 2 cores.
_WORTH_STARTING = 4.0
#: Jobs done here before it is decided: the first may compile or import, the second tells the cost.
_TRIED = 2
#: Seconds without work after which a worker ends by itself: the stages of a run follow one another
#: in less, and workers whose parent was killed must not stay.
_IDLE = 20


def parallel_map(
    function: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    *,
    workers: int | None = None,
    progress: Callable[[], None] | None = None,
) -> Iterator[_Result]:
    """Apply a function to jobs, on several cores where that pays, and yield results in order.

    Parameters
    ----------
    function : callable
        Depends on its job alone and changes nothing; it is sent to other processes with all that it
        holds, so it may not hold a connection or a running program.
    jobs : sequence
    workers : int, optional
        Processes at the most; the cores that this process may use where absent. 1 stays here.
    progress : callable, optional
        Called after each job.

    Yields
    ------
    object
        One result a job, in the order of the jobs.

    Raises
    ------
    ValueError
        Where ``workers`` is below 1.

    Notes
    -----
    The first two jobs are done here; workers are started only where the others would take
    longer than starting does. Linear algebra has one thread in every process, so that sums are the
    same. A job's warnings are given here, in the order of the jobs.

    Processes are loky's (those of joblib and scikit-learn): started afresh, neither forked while
    other threads hold locks nor importing the caller's script, which needs no main guard. Ctrl-C,
    an error in a job and an iterator that is dropped end them, and so does the end of this process;
    where that is killed they end by themselves, within a minute of their last job.
    """
    if workers is not None and workers < 1:
        msg = f"workers = {workers} must be at least 1"
        raise ValueError(msg)
    advance = progress or _nothing
    limited = one_thread(function)
    at_most = min(workers or joblib.cpu_count(), max(len(jobs) - _TRIED, 1))
    for done, job in enumerate(jobs, start=1):
        start = time.perf_counter()
        result = limited(job)
        if done == _TRIED:
            # What the first jobs have loaded is known now; looking again costs 8 ms a job.
            limited = partial(_limited, ThreadpoolController(), function)
        left = (time.perf_counter() - start) * (len(jobs) - done)
        advance()
        yield result
        if done >= _TRIED and at_most > 1 and left > _WORTH_STARTING:
            break
    else:
        return
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        shared_out = joblib.Parallel(
            n_jobs=at_most,
            return_as="generator",
            # Large arrays are sent once, as a file that workers map; a copy may be written to.
            mmap_mode="c",
            idle_worker_timeout=_IDLE,
        )
    for result, caught in shared_out(joblib.delayed(_recorded)(function, j) for j in jobs[done:]):
        for message, category in caught:
            warnings.warn(message, category, stacklevel=2)
        advance()
        yield result


def _limited(
    controller: ThreadpoolController, function: Callable[[_Job], _Result], job: _Job
) -> _Result:
    with controller.limit(limits=1):
        return function(job)


def _recorded(
    function: Callable[[_Job], _Result], job: _Job
) -> tuple[_Result, list[tuple[Warning | str, type[Warning]]]]:
    """Return a result and the warnings on the way: those of a worker are not seen elsewhere."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(job)
    return result, [(w.message, w.category) for w in caught]


def _nothing() -> None:
    """Tell nobody how far the work is."""
