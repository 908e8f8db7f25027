"""A run that is ended, at whatever moment, leaves a whole run or none, and says so."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from psychoseg.errors import DataError
from psychoseg.folder_swap import put_in_place, recover, sweep, temporary
from psychoseg.run_folder import MANIFEST, check_is_run

STOPPED = "psychoseg: stopped; nothing was written\n"
#: Swaps two folders, and is killed at the place that its first argument says.
SWAP = """
import os, sys, signal, pathlib
from psychoseg import folder_swap
where, number, folder = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
rename = pathlib.Path.rename
def ended(self, target):
    ended.calls += 1
    if where == "before" and ended.calls == 2:
        os.kill(os.getpid(), number)
    done = rename(self, target)
    if where == "after" and ended.calls == 2:
        os.kill(os.getpid(), number)
    return done
ended.calls = 0
pathlib.Path.rename = ended
partial = folder_swap.temporary(folder)
partial.mkdir()
(partial / "answer").write_text("new")
(partial / "manifest.json").write_text("{}")
if number != signal.SIGKILL:
    def stop(*_): raise KeyboardInterrupt
    signal.signal(number, stop)
folder_swap.put_in_place(partial, folder, replace_old=True)
"""


def old_run(folder: Path) -> Path:
    folder.mkdir()
    (folder / "answer").write_text("old")
    (folder / MANIFEST).write_text("{}")
    return folder


def swap(folder: Path, where: str, number: int) -> None:
    code = [sys.executable, "-c", SWAP, where, str(int(number)), str(folder)]
    subprocess.run(code, check=False, stderr=subprocess.DEVNULL, timeout=60)


def test_a_run_killed_between_the_two_renames_is_whole_and_found_again(tmp_path: Path) -> None:
    folder = old_run(tmp_path / "run[1]")
    swap(folder, "before", signal.SIGKILL)
    assert not folder.exists()
    sweep(tmp_path)
    check_is_run(folder)
    assert (folder / "answer").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_a_run_killed_after_the_second_rename_is_the_new_one(tmp_path: Path) -> None:
    folder = old_run(tmp_path / "run")
    swap(folder, "after", signal.SIGKILL)
    check_is_run(folder)
    sweep(tmp_path)
    assert (folder / "answer").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_request_to_end_within_the_swap_leaves_one_of_the_two(tmp_path: Path, where: str) -> None:
    folder = old_run(tmp_path / "run")
    swap(folder, where, signal.SIGTERM)
    assert (folder / "answer").read_text() == {"before": "old", "after": "new"}[where]
    check_is_run(folder)


def test_a_swap_whose_process_number_another_has_now_is_recovered(tmp_path: Path) -> None:
    # A container gives every process the same few numbers.
    folder = tmp_path / "run"
    old = old_run(tmp_path / f".run.replaced-{os.getppid()}")
    recover(folder, MANIFEST)
    assert not folder.exists()
    is_now = time.time() + 60
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: is_now)
        recover(folder, MANIFEST)
    assert (folder / "answer").read_text() == "old"
    assert not old.exists()


def test_a_folder_of_a_process_at_work_is_left_alone(tmp_path: Path) -> None:
    partial = temporary(tmp_path / "run")
    partial.mkdir()
    dead = tmp_path / ".run.partial-999999999"
    dead.mkdir()
    sweep(tmp_path)
    assert partial.exists()
    assert not dead.exists()


def test_a_failed_swap_gives_the_old_folder_its_name_back(tmp_path: Path) -> None:
    folder = old_run(tmp_path / "run")
    with pytest.raises(FileNotFoundError):
        put_in_place(tmp_path / ".run.partial-1", folder, replace_old=True)
    assert (folder / "answer").read_text() == "old"


def test_what_is_no_run_is_still_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        check_is_run(tmp_path / "run")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_request_to_end_while_it_loads_is_answered_in_a_line(number: int) -> None:
    # The program is ready to listen once its own first module has been loaded.
    # Whoever started the tests may have it ignored, which the program would respect.
    code = (
        f"import signal; signal.signal({int(number)}, signal.SIG_DFL); "
        "import os, sys, psychoseg.__main__ as m, psychoseg.stopping as s; s.listen_early(); "
        f"os.kill(os.getpid(), {int(number)}); import time; time.sleep(5)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, STOPPED)


def test_a_terminal_that_closes_leaves_no_partial_folder(tmp_path: Path) -> None:
    process = _writing(tmp_path)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, STOPPED)
    assert list(tmp_path.iterdir()) == []


def test_nohup_is_respected(tmp_path: Path) -> None:
    process = _writing(tmp_path, before="signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 130


def _writing(folder: Path, before: str = "pass") -> subprocess.Popen[str]:
    """Start the command line with a command that writes for long into a temporary folder."""
    code = f"""
import signal, sys, time, pathlib, shutil
{before}
import psychoseg.cli as cli
from psychoseg.folder_swap import temporary
def write(arguments):
    partial = temporary(pathlib.Path({json.dumps(str(folder))}) / "run")
    partial.mkdir()
    try:
        print("ready", flush=True)
        time.sleep(30)
    except BaseException:
        time.sleep(0.3)
        shutil.rmtree(partial)
        raise
cli._doctor = write
sys.exit(cli.main(["doctor"]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process
