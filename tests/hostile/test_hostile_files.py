"""Files that are broken or built to do harm end in one sentence, soon, and leave nothing behind.

A thousand of them: ``python -m tests.hostile.reading 0 1000``.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.mutate import mutated
from tests.hostile.seeds import frame, make_seeds

#: Seconds for a file; MB for all of them, libraries included.
SECONDS, MB = 20, 2048
#: Of the thousand files, those that are read here: two hundred, of every kind.
SPREAD = 5


def results(*numbers: int) -> Iterator[dict[str, object]]:
    """Yield what came of each file; end the process where one takes too long."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.reading", *map(str, numbers)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    while True:
        watchdog = threading.Timer(SECONDS + 20, process.kill)
        watchdog.start()
        line = process.stdout.readline()
        watchdog.cancel()
        if not line:
            break
        yield json.loads(line)
    assert process.wait() == 0, "the process ended before the last file"


def test_the_files_are_sound_before_they_are_changed(tmp_path: Path) -> None:
    from tests.hostile.reading import read

    for ending, content in make_seeds(tmp_path).items():
        place = tmp_path / ending
        place.mkdir()
        path = place / ("study.toml" if ending == "toml" else f"small.{ending}")
        path.write_bytes(content)
        if ending == "toml":
            frame().to_csv(place / "small.csv", index=False)
        assert (ending, read(path)) == (ending, 0)


def test_the_same_number_is_the_same_file(tmp_path: Path) -> None:
    seeds = make_seeds(tmp_path)
    assert [mutated(i, seeds) for i in range(40)] == [mutated(i, seeds) for i in range(40)]


def test_two_hundred_broken_files_end_in_a_sentence_soon_and_leave_nothing() -> None:
    found = list(results(0, 200 * SPREAD, SPREAD))
    assert [r for r in found if r["code"] not in (0, 2)] == []
    assert [r for r in found if float(str(r["seconds"])) > SECONDS] == []
    assert max(int(str(r["mb"])) for r in found) < MB
    assert len(found) == 200
    assert len({r["ending"] for r in found}) == 9
    # Else nothing would have been tried: most are refused, some are read.
    assert 20 < sum(r["code"] == 0 for r in found) < 120


@pytest.mark.parametrize("number", [0, 7, 14, 21])
def test_the_command_line_itself_refuses_them(tmp_path: Path, number: int) -> None:
    ending, content = mutated(number, make_seeds(tmp_path))
    path = tmp_path / f"broken.{ending}"
    path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "psychoseg", "init", str(path), "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["1" * 400, "1e308", "1e-320", "-1e16"])
@pytest.mark.parametrize("column", ["age", "w"])
def test_a_number_that_nobody_measures_is_a_problem_with_its_place(
    tmp_path: Path, text: str, column: str
) -> None:
    from psychoseg.errors import DataError
    from psychoseg.study import load_study
    from psychoseg.survey import load_survey

    table = frame().astype({column: str})
    table.loc[3, column] = text
    table.to_csv(tmp_path / "small.csv", index=False)
    (tmp_path / "study.toml").write_bytes(make_seeds(tmp_path)["toml"])
    with pytest.raises(DataError, match=rf"{column}.*row 5") as problem:
        load_survey(load_study(tmp_path))
    assert len(str(problem.value)) < 700
