"""Jobs on several cores: the same answers in the same order, warnings and all, and no orphans."""

import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from psychoseg import workers
from psychoseg.errors import PsychosegWarning, tell
from psychoseg.stats.stability import bootstrap, slsw, ward_cuts
from psychoseg.workers import parallel_map


def which_process(job):
    return job, os.getpid()


def warns(job):
    if job % 2:
        tell(f"job {job} is odd")
    return job


def fails(job):
    if job == 5:
        msg = "job 5 cannot be done"
        raise ValueError(msg)
    return job


@pytest.fixture
def started_at_once(monkeypatch):
    monkeypatch.setattr(workers, "_WORTH_STARTING", 0.0)


@pytest.mark.usefixtures("started_at_once")
def test_results_come_in_order_from_other_processes():
    found = list(parallel_map(which_process, range(20), workers=2))
    assert [job for job, _ in found] == list(range(20))
    assert {process for _, process in found[2:]}.isdisjoint({os.getpid()})


def test_small_work_stays_here():
    found = list(parallel_map(which_process, range(20), workers=2))
    assert {process for _, process in found} == {os.getpid()}


@pytest.mark.usefixtures("started_at_once")
def test_one_worker_is_this_process():
    found = list(parallel_map(which_process, range(5), workers=1))
    assert found == [(job, os.getpid()) for job in range(5)]
    assert list(parallel_map(which_process, [])) == []
    with pytest.raises(ValueError, match="workers = 0"):
        list(parallel_map(which_process, [1], workers=0))


@pytest.mark.usefixtures("started_at_once")
def test_the_bootstrap_is_the_same_to_the_byte_on_two_cores():
    rng = np.random.default_rng(1)
    x, ones = rng.standard_normal((120, 4)), np.ones(120)
    x = x[np.lexsort(x.T[::-1])]
    cuts = ward_cuts(x, ones, [2, 3, 4])
    found = []
    for mapper in (partial(parallel_map, workers=1), partial(parallel_map, workers=2)):
        made = bootstrap(
            x, ones, ones, cuts, rng=np.random.default_rng(7), replicates=12, mapper=mapper
        )
        within = slsw(
            x, ones, ones, cuts[:, 1], rng=np.random.default_rng(7), pairs=6, mapper=mapper
        )
        found.append([made.certainty, within, *made.values])
    assert [a.tobytes() for a in found[0]] == [b.tobytes() for b in found[1]]


@pytest.mark.usefixtures("started_at_once")
@pytest.mark.parametrize("n_workers", [1, 2])
def test_warnings_of_jobs_are_given_here_in_order(n_workers):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(parallel_map(warns, range(8), workers=n_workers))
    ours = [w for w in caught if issubclass(w.category, PsychosegWarning)]
    assert [str(w.message) for w in ours] == [f"job {job} is odd" for job in (1, 3, 5, 7)]


@pytest.mark.usefixtures("started_at_once")
@pytest.mark.parametrize("n_workers", [1, 2])
def test_an_error_in_a_job_is_raised_here(n_workers):
    with pytest.raises(ValueError, match="job 5"):
        list(parallel_map(fails, range(8), workers=n_workers))


@pytest.mark.usefixtures("started_at_once")
def test_progress_counts_every_job():
    steps = []
    list(parallel_map(warns, range(0, 16, 2), workers=2, progress=lambda: steps.append(1)))
    assert len(steps) == 8


SCRIPT = """
import os, time
from psychoseg import workers
workers._WORTH_STARTING = 0.0
def slow(job):
    if job > 1:
        open(os.path.join({folder!r}, str(os.getpid())), "w").close()
        time.sleep(60)
    return job
try:
    list(workers.parallel_map(slow, range(8), workers=2))
except KeyboardInterrupt:
    print("stopped")
"""


def alive(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    # A zombie has ended; who started it has yet to ask.
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(condition, seconds):
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


@pytest.mark.parametrize("to_group", [True, False])
def test_ctrl_c_ends_a_script_without_main_guard_and_its_workers(tmp_path, to_group):
    script = tmp_path / "script.py"
    folder = tmp_path / "started"
    folder.mkdir()
    script.write_text(SCRIPT.format(folder=str(folder)))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert wait_for(lambda: len(list(folder.iterdir())) == 2, 60)
        children = [int(path.name) for path in folder.iterdir()]
        assert process.pid not in children
        # A terminal sends Ctrl-C to all of them; a program that ends its child to one alone.
        (os.killpg if to_group else os.kill)(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert "stopped" in out
        assert wait_for(lambda: not any(alive(child) for child in children), 10)
    finally:
        process.kill()
