"""The R engine: psych, stats, fastcluster, cluster and factoextra behind the engines' protocol.

Owns the worker process that alone holds rpy2, so that Ctrl-C, a crash, a hang or R's ``quit()``
cannot take the researcher's Python with it. Needs POSIX. Never orders, names or smooths what R
returns.
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
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from psychoseg.engines import r_worker
from psychoseg.engines.base import CorrelationKind, FloatArray, RawFactors
from psychoseg.errors import EngineError, PsychosegWarning

__all__ = ["R_PACKAGES", "R_TREES", "REngine", "debian_packages", "find_r_home"]

R_TREES = ("auto", "hclust", "fastcluster", "agnes", "hcut")
#: The R packages whose versions the manifest names.
R_PACKAGES = ("psych", "GPArotation", "mnormt", "cluster", "factoextra", "fastcluster")
INSTALL_RPY2 = 'RPY2_CFFI_MODE=ABI pip install "psychoseg[r]"'

#: Seconds that R may take to start; it takes half a second, more from a cold disk.
_START_LIMIT = 60.0
#: Bytes a pipe is written and read by; Linux pipes hold 64 KiB.
_CHUNK = 1 << 16
#: Characters of R's last words that an error quotes.
_LAST_WORDS = 400
#: Rows above which a tree builder without a fast algorithm is worth a word.
_SLOW_ROWS = 2000
#: Weights that differ by rounding alone are equal.
_SAME_WEIGHT = 1e-12
#: One thread, so that sums do not depend on the machine; English, so that R's messages do not.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LANGUAGE": "en",
}
#: Measured with R 4.2.2 on 2 cores; cluster 2.1.4, factoextra 1.0.7.
_SLOWNESS = {
    "agnes": "cluster::agnes took 5 to 15 s at 2,000 rows and 279 s at 5,000, hclust .1 s and 1 s",
    "hcut": "factoextra::hcut took twice as long as hclust at 5,000 rows, for the same tree",
}


class REngine:
    """Compute in R.

    R starts at the first computation, in a process of its own, and again at the next computation
    after it was ended. Threads may share an engine; their calls wait for each other.

    Parameters
    ----------
    tree : {"auto", "hclust", "fastcluster", "agnes", "hcut"}
        Who builds the tree. ``auto`` is ``fastcluster::hclust`` where that package is installed,
        else ``stats::hclust``; both build the same tree. ``cluster::agnes`` and
        ``factoextra::hcut`` take no weights.
    time_limit : float
        Seconds that one call may take.

    Raises
    ------
    EngineError
        Where R has no such tree builder, or the time limit is not positive. From every method:
        where R, rpy2 or an R package is absent or broken, R fails, or a call takes too long.

    Warns
    -----
    PsychosegWarning
        Whatever R warns of, as ``R (psych::fa): ...``.
    """

    def __init__(self, *, tree: str = "auto", time_limit: float = 600.0) -> None:
        if tree not in R_TREES:
            raise EngineError(
                f"the r engine has no tree builder {tree!r}; it has {', '.join(R_TREES)}. "
                f'Others need engine = "python".'
            )
        if not 0 < time_limit < math.inf:
            raise EngineError(
                f"time_limit = {time_limit} must be a positive number of seconds, such as 600"
            )
        self._asked_tree = tree
        self._found_tree = ""
        self._time_limit = time_limit
        self._lock = threading.Lock()
        self._worker: _Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def name(self) -> str:
        """Return ``"r"``."""
        return "r"

    @property
    def tree(self) -> str:
        """Return the tree builder; ``"auto"`` becomes what it stands for once a tree was built."""
        return self._found_tree or self._asked_tree

    @property
    def takes_weights(self) -> bool:
        """Return whether the tree builder takes a weight for each point."""
        return self._asked_tree in ("auto", "hclust", "fastcluster")

    def correlate(
        self, items: FloatArray, kind: CorrelationKind, weights: FloatArray
    ) -> FloatArray:
        """Return weighted pairwise-complete correlations, shape (p, p).

        Parameters
        ----------
        items : ndarray, shape (n, p)
            NaN where missing.
        kind : {"pearson", "polychoric"}
        weights : ndarray, shape (n,)

        Returns
        -------
        ndarray
            NaN for a pair without common rows or variance. Not smoothed.

        Notes
        -----
        Pearson: ``stats::cor(use = "pairwise.complete.obs")``; where weights differ, the same with
        weighted sums, in base R, because ``psych::cor.wt`` centres and divides over rows that the
        pair did not answer.

        Polychoric: ``psych::polychoric(global = TRUE)``, each item's thresholds from all of its own
        answers and no correction of empty cells; rho to about 2e-5, the tolerance of R's
        ``optimize``. Where weights differ or items have different numbers of categories psych would
        use other thresholds (unweighted; of the pair, with .5 in empty cells), so there psych's
        likelihood is maximised under the same definition.
        """
        if kind == "pearson" and _all_equal(weights):
            arrays = self._ask("correlate_pearson", "stats::cor", [], [items])
        elif kind == "pearson":
            label = "weighted stats::cor"
            arrays = self._ask("correlate_pearson_weighted", label, [], [items, weights])
        else:
            arrays = self._ask(
                "correlate_polychoric", "psych::polychoric", ["psych"], [items, weights]
            )
        return arrays[0]

    def factor(
        self,
        corr: FloatArray,
        n_factors: int,
        *,
        method: Literal["minres"] = "minres",
        rotation: Literal["oblimin", "none"] = "oblimin",
        n_obs: float,
    ) -> RawFactors:
        """Extract and rotate factors with ``psych::fa``.

        Parameters
        ----------
        corr : ndarray, shape (p, p)
        n_factors : int
        method : {"minres"}
        rotation : {"oblimin", "none"}
            Oblimin is ``GPArotation::oblimin``: gamma 0, no Kaiser normalisation, stopped at 1e-5.
        n_obs : float

        Returns
        -------
        RawFactors
            In psych's order and with psych's signs.

        Warns
        -----
        PsychosegWarning
            Beside what psych says, where minres did not converge or an item is a Heywood case,
            about which psych is silent.
        """
        if method != "minres" or rotation not in ("oblimin", "none"):
            raise EngineError(
                f'the r engine factors by "minres" with "oblimin" or "none", not by {method!r} '
                f"with {rotation!r}"
            )
        packages = ["psych", "GPArotation"] if rotation == "oblimin" else ["psych"]
        options: list[float | str | list[str]] = [float(n_factors), rotation, float(n_obs)]
        # Symmetric to the last bit: psych tests it, and takes what fails for raw answers.
        symmetric = (corr + corr.T) / 2 if corr.ndim == 2 and corr.shape == corr.T.shape else corr
        loadings, phi, unique = self._ask(
            "factor_analysis", "psych::fa", packages, [symmetric], options
        )
        return RawFactors(loadings, phi, unique)

    def linkage(self, x: FloatArray, method: Literal["ward"], weights: FloatArray) -> FloatArray:
        """Return the Ward tree of the points as scipy's linkage matrix, shape (n-1, 4).

        Parameters
        ----------
        x : ndarray, shape (n, d)
        method : {"ward"}
        weights : ndarray, shape (n,)

        Returns
        -------
        ndarray

        Raises
        ------
        EngineError
            Where there are fewer than two points, or the tree builder takes no weights and they
            differ.

        Warns
        -----
        PsychosegWarning
            Where ``agnes`` or ``hcut`` was asked for by name and there are more than 2,000 points.

        Notes
        -----
        Ward.D2 heights. ``hclust`` and ``fastcluster`` get the weights as ``members`` and distances
        times ``sqrt(2 w_i w_j / (w_i + w_j))``; ``agnes`` and ``hcut`` need equal weights w, which
        multiply every height by ``sqrt(w)``. The matrix of distances takes 4 n^2 bytes in R.
        """
        if method != "ward":
            raise EngineError(f'the r engine builds trees by "ward", not by {method!r}')
        n = len(x)
        if n < 2:
            raise EngineError(f"a tree needs at least 2 different points, and there is {n}")
        tree = self._resolved_tree()
        if tree in ("hclust", "fastcluster"):
            label = f"{'stats' if tree == 'hclust' else 'fastcluster'}::hclust"
            packages = ["fastcluster"] if tree == "fastcluster" else []
            merge, height = self._ask(f"tree_{tree}", label, packages, [x, weights])
        else:
            package = "cluster" if tree == "agnes" else "factoextra"
            if not _all_equal(weights):
                raise EngineError(
                    f"{package}::{tree} builds trees without case weights, and these weights go "
                    f'from {weights.min():g} to {weights.max():g}. Use tree = "hclust".'
                )
            if n > _SLOW_ROWS:
                warnings.warn(
                    f"{package}::{tree} on {n:,} rows is slow: {_SLOWNESS[tree]}. "
                    f'tree = "hclust" builds the same tree.',
                    PsychosegWarning,
                    stacklevel=2,
                )
            merge, height = self._ask(f"tree_{tree}", f"{package}::{tree}", [package], [x])
            height = height * math.sqrt(weights[0])
        return _scipy_linkage(merge, height)

    def versions(self) -> Mapping[str, str]:
        """Return the versions of R, rpy2 and the R packages that are installed."""
        from importlib.metadata import version

        _, texts = self._exchange("versions", "packageVersion", [], [], [list(R_PACKAGES)])
        found = dict(zip(R_PACKAGES, texts[1], strict=True))
        return {
            "R": texts[0][0],
            "rpy2": version("rpy2"),
            **{package: number for package, number in found.items() if number},
        }

    def close(self) -> None:
        """End R. A later computation starts it again."""
        with self._lock:
            if self._worker is not None:
                self._worker.end()
                self._worker = None

    def _resolved_tree(self) -> str:
        if self._asked_tree == "auto" and not self._found_tree:
            has_fastcluster = "fastcluster" in self.versions()
            self._found_tree = "fastcluster" if has_fastcluster else "hclust"
        return self.tree

    def _evaluate(self, code: str) -> list[FloatArray]:
        """Evaluate R code whose value is numeric: a door for the tests."""
        return self._ask("evaluate", "eval", [], [], [code])

    def _ask(
        self,
        call: str,
        label: str,
        packages: Sequence[str],
        arrays: Sequence[FloatArray],
        options: Sequence[float | str | list[str]] = (),
    ) -> list[FloatArray]:
        values, _ = self._exchange(call, label, packages, arrays, options)
        return values

    def _exchange(
        self,
        call: str,
        label: str,
        packages: Sequence[str],
        arrays: Sequence[FloatArray],
        options: Sequence[float | str | list[str]],
    ) -> tuple[list[FloatArray], list[list[str]]]:
        """Call a function of r_engine.R; its numeric and its textual values."""
        columns = [np.asarray(a, dtype=np.float64) for a in arrays]
        request: r_worker.Request = {
            "call": call,
            "packages": list(packages),
            "arrays": [a.shape for a in columns],
            "options": list(options),
        }
        message = r_worker.pack(request, [a.tobytes(order="F") for a in columns])
        with self._lock:
            answer = self._running_worker().ask(message, label=label, limit=self._time_limit)
        for text in answer.header["warnings"]:
            warnings.warn(f"R ({label}): {_one_line(text)}", PsychosegWarning, stacklevel=4)
        _raise_unless_ok(answer.header, label)
        return answer.arrays, answer.header["texts"]

    def _running_worker(self) -> _Worker:
        if self._worker is None or not self._worker.is_ours_and_alive():
            if self._worker is not None:
                self._worker.end()
            self._worker = _Worker(on_collection_of=self)
        return self._worker


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
            f"{program} does not run ({_one_line(str(error))}): reinstall it with "
            f"`sudo apt-get install --reinstall r-base-core`."
        ) from None
    return Path(done.stdout.strip().splitlines()[-1])


@dataclass(frozen=True, slots=True)
class _Answer:
    header: r_worker.Reply
    arrays: list[FloatArray]


class _Worker:
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
            _raise_unless_ok(hello.header, "R's start")

    def is_ours_and_alive(self) -> bool:
        """Return whether this very process, not a parent it forked from, has it running."""
        return self._owner == os.getpid() and self._process.poll() is None

    def ask(self, message: bytes, *, label: str, limit: float) -> _Answer:
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
        return _Answer(header, _split(body, header["arrays"]))

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
        words = _one_line(text)[-_LAST_WORDS:]
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


def _raise_unless_ok(header: r_worker.Reply, label: str) -> None:
    status, message = header["status"], header["message"]
    if status in ("ok", "ready"):
        return
    text = _one_line(" ".join(message))
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


def _split(body: bytes, shapes: Sequence[r_worker.Shape]) -> list[FloatArray]:
    """Return the arrays in a body, in C order and writeable."""
    arrays = []
    start = 0
    for shape in shapes:
        flat = np.frombuffer(body, dtype=np.float64, count=math.prod(shape), offset=start)
        arrays.append(np.array(flat.reshape(shape, order="F"), order="C"))
        start += r_worker.values_in([shape])
    return arrays


def _scipy_linkage(merge: FloatArray, height: FloatArray) -> FloatArray:
    """Return an R tree as scipy's linkage matrix: leaves from 0, the lower number on the left."""
    n = len(merge) + 1
    # R: -i is leaf i, +i the node of row i, both from 1.
    nodes = np.where(merge < 0, -merge - 1, n + merge - 1).astype(np.intp)
    nodes.sort(axis=1)
    sizes = np.ones(2 * n - 1)
    for row, (left, right) in enumerate(nodes):
        sizes[n + row] = sizes[left] + sizes[right]
    # Equal heights may come out of order by the last bit; the order of the merges is right all the
    # same.
    monotone = np.maximum.accumulate(height)
    return np.column_stack([nodes, monotone, sizes[n:]]).astype(np.float64)


def _all_equal(weights: FloatArray) -> bool:
    return len(weights) == 0 or bool(np.ptp(weights) <= _SAME_WEIGHT * np.max(np.abs(weights)))


def _seconds_to(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _one_line(text: str) -> str:
    return " ".join(text.split())
