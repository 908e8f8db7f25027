"""Reads mutated files one after another in a process that is limited; prints what came of each.

Usage: python -m tests.hostile.reading FIRST LAST [STEP]
"""

import contextlib
import io
import json
import resource
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

from tests.hostile.mutate import mutated
from tests.hostile.seeds import frame, make_seeds

#: Bytes of address space, libraries included: more is what no file of this size may take.
LIMIT = 2 * 1024**3


def read(path: Path) -> int:
    """Draft a study from a file as the command line does, and read the survey it describes."""
    from psychoseg.cli import main
    from psychoseg.errors import PsychosegError
    from psychoseg.study import load_study
    from psychoseg.survey import load_survey

    out = path.parent
    if path.suffix != ".toml":
        out = path.parent / "out"
        code = main(["init", str(path), "--out", str(out)])
        if code:
            if out.exists() and any(out.iterdir()):
                raise AssertionError(f"exit {code}, but {[p.name for p in out.iterdir()]} is there")
            return code
    try:
        load_survey(load_study(out))
    except PsychosegError:
        return 2
    return 0


def main(first: int, last: int, step: int) -> None:
    """Read the files of some numbers; a line of JSON for each."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = make_seeds(folder)
        for number in range(first, last, step):
            place = folder / "case"
            place.mkdir()
            ending, content = mutated(number, seeds)
            path = place / ("study.toml" if ending == "toml" else f"small.{ending}")
            path.write_bytes(content)
            if ending == "toml":
                frame().to_csv(place / "small.csv", index=False)
            start = time.perf_counter()
            told = io.StringIO()
            with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                try:
                    code, fault = read(path), ""
                except Exception as error:
                    code, fault = 1, f"{type(error).__name__}: {str(error)[:300]}"
            if code == 1 and not fault:
                fault = told.getvalue()[-500:]
            shutil.rmtree(place)
            line = {
                "number": number,
                "ending": ending,
                "code": code,
                "fault": fault,
                "said": told.getvalue()[:400],
                "seconds": round(time.perf_counter() - start, 2),
                "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    first, last, *step = map(int, sys.argv[1:])
    main(first, last, step[0] if step else 1)
