"""The process that R runs in, seen from here: it is started, asked, and ended.

Owns the pipes and the time limit, so that Ctrl-C, a crash, a hang or R's ``quit()`` cannot take the
researcher's Python with it. Needs POSIX. Knows nothing of what R is asked.
"""

from __future__ import annotations

import json
import math
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from psychoseg.engines import r_worker
from psychoseg.engines.base import FloatArray
from psychoseg.errors import EngineError

__all__ = [
    "INSTALL_RPY2",
    "Answer",
    "Worker",
    "debian_packages",
    "find_r_home",
    "one_line",
    "raise_unless_ok",
]

INSTALL_RPY2 = 'RPY2_CFFI_MODE=ABI pip install "psychoseg[r]"'

#: Seconds that R may take to start; it takes half a second, more from a cold disk.
_START_LIMIT = 60.0
#: Bytes a pipe is written and read by; Linux pipes hold 64 KiB.
_CHUNK = 1 << 16
#: Characters of R's last words that an error quotes.
_LAST_WORDS = 400
#: One thread, so that sums do not depend on the machine; English, so that R's messages do not.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LANGUAGE": "en",
}


def debian_packages(packages: Sequence[str]) -> str:
    """Return the command that installs R packages on Debian and Ubuntu."""
    names = " ".join(f"r-cran-{package.lower()}" for package in packages)
    return f"sudo apt-get install {names}"


def find_r_home() -> Path:
    """Return R's home directory, from ``R_HOME`` or the R on the PATH.

    Raises
    ------
    EngineError
        Where there is none.
    """
    given = os.environ.get("R_HOME")
    if given:
        if not (Path(given) / "bin" / "R").exists():
            raise EngineError(
                f"R_HOME is {given!r}, where there is no R (no bin/R): unset R_HOME to use the R "
                f"on the PATH."
            )
        return Path(given)
    program = shutil.which("R")
    if program is None:
        raise EngineError(
            "R is not installed (no R on the PATH): run `sudo apt-get install r-base-core "
            'r-cran-psych r-cran-gparotation r-cran-fastcluster`, or use engine = "python".'
        )
    try:
        done = subprocess.run(
            [program, "RHOME"], capture_output=True, text=True, timeout=_START_LIMIT, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(
            f"{program} does not run ({one_line(str(error))}): reinstall it with "
            f"`sudo apt-get install --reinstall r-base-core`."
        ) from None
    return Path(done.stdout.strip().splitlines()[-1])


@dataclass(frozen=True, slots=True)
class Answer:
    """What R answered: the header, and the arrays whose shapes it names."""

    header: r_worker.Reply
    arrays: list[FloatArray]


class Worker:
    """One R process: a pipe to it, a pipe from it, and a folder for its temporary files.

    Parameters
    ----------
    on_collection_of : object
        The process ends when this object is collected, and when Python ends.
    """

    def __init__(self, *, on_collection_of: object) -> None:
        home = find_r_home()
        folder = Path(tempfile.mkdtemp(prefix="psychoseg-r-"))
        self._log = folder / "stderr.txt"
        script = Path(r_worker.__file__)
        # -P: the folder of the script holds r.py and python.py, which nobody may import by
        # accident.
        command = [sys.executable, "-P", str(script), str(os.getpid()), str(folder)]
        command += [entry or os.getcwd() for entry in sys.path]
        environment = {
            **os.environ,
            **_ENVIRONMENT,
            "R_HOME": str(home),
            # R leaves its own temporary folder behind when it is killed.
            "TMPDIR": str(folder),
        }
        with self._log.open("wb") as log:
            # Its own session: a terminal's Ctrl-C reaches this process alone.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
                bufsize=0,
            )
        self._owner = os.getpid()
        self.end: Callable[[], object] = weakref.finalize(
            on_collection_of, _end, self._process, folder, self._owner
        )
        pipes = (self._process.stdin, self._process.stdout)
        self._to, self._from = (pipe.fileno() for pipe in pipes if pipe is not None)
        os.set_blocking(self._to, False)
        hello = self.ask(b"", label="R's start", limit=_START_LIMIT)
        if hello.header["status"] != "ready":
            self.end()
            raise_unless_ok(hello.header, "R's start")

    def is_ours_and_alive(self) -> bool:
        """Return whether this very process, not a parent it forked from, has it running."""
        return self._owner == os.getpid() and self._process.poll() is None

    def ask(self, message: bytes, *, label: str, limit: float) -> Answer:
        """Send a message and wait for its answer; whatever goes wrong ends the worker."""
        deadline = time.monotonic() + limit
        try:
            self._write(message, deadline)
            (length,) = r_worker.LENGTH.unpack(self._read(r_worker.LENGTH.size, deadline))
            header: r_worker.Reply = json.loads(self._read(length, deadline))
            body = self._read(r_worker.values_in(header["arrays"]), deadline)
        except TimeoutError:
            self.end()
            raise EngineError(
                f"{label} gave no answer within {limit:g} seconds and R was ended. Raise "
                f'time_limit under [engine] in the study file, or use engine = "python".'
            ) from None
        except (EOFError, BrokenPipeError):
            raise EngineError(self._obituary(label)) from None
        except BaseException:
            # Ctrl-C most of all: R may be busy for minutes, and its answer would meet the next
            # question.
            self.end()
            raise
        return Answer(header, _split(body, header["arrays"]))

    def _write(self, message: bytes, deadline: float) -> None:
        left = memoryview(message)
        while left:
            _, ready, _ = select.select([], [self._to], [], _seconds_to(deadline))
            if ready:
                left = left[os.write(self._to, left[:_CHUNK]) :]

    def _read(self, size: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            ready, _, _ = select.select([self._from], [], [], _seconds_to(deadline))
            if ready:
                part = os.read(self._from, min(size - len(parts), 1 << 20))
                if not part:
                    raise EOFError
                parts += part
        return bytes(parts)

    def _obituary(self, label: str) -> str:
        try:
            code = self._process.wait(timeout=1)
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        except subprocess.TimeoutExpired:
            how = "it closed its pipe"
        text = self._log.read_text(encoding="utf-8", errors="replace")
        self.end()
        words = one_line(text)[-_LAST_WORDS:]
        last = f'; its last words: "{words}"' if words else ""
        if label == "R's start":
            return (
                f"R could not be started through rpy2 ({how}{last}): check that R_HOME, if set, is "
                f"what `R RHOME` prints, and reinstall rpy2 with `{INSTALL_RPY2}`."
            )
        return (
            f"R ended in the middle of {label} ({how}{last}). Run it again; if it happens again, "
            f'use engine = "python".'
        )


def raise_unless_ok(header: r_worker.Reply, label: str) -> None:
    """Raise the EngineError that says what went wrong, and what to do."""
    status, message = header["status"], header["message"]
    if status in ("ok", "ready"):
        return
    text = one_line(" ".join(message))
    if status == "absent":
        one = len(message) == 1
        raise EngineError(
            f"{label} needs the R package{'' if one else 's'} {' and '.join(message)}, which "
            f"{'is' if one else 'are'} not installed: run `{debian_packages(message)}`."
        )
    if status == "no rpy2":
        raise EngineError(f"the r engine needs rpy2 ({text}): run `{INSTALL_RPY2}`.")
    if status == "broken":
        raise EngineError(f"rpy2 cannot load R ({text}): reinstall it with `{INSTALL_RPY2}`.")
    raise EngineError(f"R's {label} failed: {text}")


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def _end(process: subprocess.Popen[bytes], folder: Path, owner: int) -> None:
    """End the worker and all it started; a forked copy of this process leaves it alone."""
    if os.getpid() != owner:
        return
    if process.poll() is None:
        # The session's leader is not yet reaped, so its group cannot be anybody else's.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    shutil.rmtree(folder, ignore_errors=True)


def _split(body: bytes, shapes: Sequence[r_worker.Shape]) -> list[FloatArray]:
    """Return the arrays in a body, in C order and writeable."""
    arrays = []
    start = 0
    for shape in shapes:
        flat = np.frombuffer(body, dtype=np.float64, count=math.prod(shape), offset=start)
        arrays.append(np.array(flat.reshape(shape, order="F"), order="C"))
        start += r_worker.values_in([shape])
    return arrays


def _seconds_to(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
