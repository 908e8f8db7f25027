"""Time the profile tables against R, and each report format; run on demand, with the runs.

Prints the median seconds of the tables of means, shares and tests of made weighted answers (2,000
people, 20 numeric and 20 categorical columns, five segments), and their ratio to R's `survey`
(svyby of means and of shares, svychisq, regTermTest) and FactoMineR's `catdes`, timed inside R in
turn with ours. Then the seconds of each format of a fitness_app run.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import psychoseg
from psychoseg.profiles.protect import shown_cells
from psychoseg.profiles.sample import Sample, SampleVariable
from psychoseg.profiles.tables import gather, means_table, shares_table, tests_table
from psychoseg.study_report import FORMATS

ROOT = Path(__file__).resolve().parents[2]
PEOPLE, COLUMNS, SEGMENTS = 2_000, 20, 5
R_SURVEY = """
suppressMessages(library(survey)); d <- read.csv(f, stringsAsFactors = TRUE)
d$segment <- factor(d$segment); s <- Sys.time()
des <- svydesign(ids = ~1, weights = ~w, data = d)
for (v in grep("^n", names(d), value = TRUE)) {
  y <- reformulate(v); svyby(y, ~segment, des, svymean, na.rm = TRUE)
  regTermTest(svyglm(reformulate("segment", v), des), ~segment)
}
for (v in grep("^c", names(d), value = TRUE)) {
  svyby(reformulate(v), ~segment, des, svymean); svychisq(reformulate(c(v, "segment")), des)
}
cat(as.numeric(Sys.time() - s, units = "secs"))
"""
R_CATDES = """
suppressMessages(library(FactoMineR)); d <- read.csv(f, stringsAsFactors = TRUE)
d$segment <- factor(d$segment); w <- d$w; d$w <- NULL; s <- Sys.time()
invisible(catdes(d, which(names(d) == "segment"), proba = 1, row.w = w))
cat(as.numeric(Sys.time() - s, units = "secs"))
"""


def main(runs: int) -> None:
    """Print the figures."""
    frame = make()
    sample = sample_of(frame)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "d.csv"
        frame.to_csv(file, index=False)
        ours, survey, catdes = [], [], []
        for _ in range(runs):
            ours.append(seconds_of_tables(sample))
            survey.append(in_r(R_SURVEY, file))
            catdes.append(in_r(R_CATDES, file))
    own = statistics.median(ours)
    print(f"tables of {PEOPLE:,} x {2 * COLUMNS}: {own:.2f} s")
    for name, times in (("R survey", survey), ("FactoMineR catdes", catdes)):
        print(f"  {name}: {statistics.median(times):.2f} s, {statistics.median(times) / own:.1f} x")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        psychoseg.run(ROOT / "surveys" / "fitness_app", out=run, formats=["csv"])
        for name in FORMATS:
            start = time.perf_counter()
            for _ in range(runs):
                psychoseg.remake_report(run, formats=[name])
            print(
                f"{name}: {(time.perf_counter() - start) / runs:.1f} s, the run read back included"
            )


def make() -> pd.DataFrame:
    """Return made answers."""
    rng = np.random.default_rng(1)
    segment = rng.integers(1, SEGMENTS + 1, PEOPLE)
    frame = pd.DataFrame({"segment": segment, "w": rng.uniform(0.3, 3, PEOPLE)})
    for i in range(COLUMNS):
        frame[f"n{i}"] = rng.normal(segment * 0.1, 1)
        frame[f"c{i}"] = rng.choice(list("abcd"), PEOPLE)
    return frame


def sample_of(frame: pd.DataFrame) -> Sample:
    """Return the answers as the profile stage holds them."""
    variables = []
    for name in frame.columns[2:]:
        if name.startswith("n"):
            variables.append(SampleVariable(name, name, "profile", frame[name].to_numpy()))
        else:
            codes = frame[name].map({c: i for i, c in enumerate("abcd")}).to_numpy(np.float64)
            variables.append(SampleVariable(name, name, "profile", codes, tuple("abcd")))
    return Sample(
        segments=tuple(range(1, SEGMENTS + 1)),
        labels=frame["segment"].to_numpy(np.intp),
        weights=frame["w"].to_numpy(np.float64),
        counts=False,
        variables=tuple(variables),
        rows=np.arange(len(frame)),
    )


def seconds_of_tables(sample: Sample) -> float:
    """Time means, shares and tests, with intervals, letters, v-tests and what is hidden."""
    start = time.perf_counter()
    into = {SEGMENTS: np.arange(SEGMENTS)}
    gathered = gather(sample, sample.labels - 1, SEGMENTS)
    shown = shown_cells(gathered, into, reported=SEGMENTS, min_base=10)
    means_table(gathered, into[SEGMENTS], SEGMENTS, shown.means[SEGMENTS], correction="fdr")
    shares_table(gathered, into[SEGMENTS], SEGMENTS, shown.shares[SEGMENTS], correction="fdr")
    tests_table(sample, (), ())
    return time.perf_counter() - start


def in_r(code: str, file: Path) -> float:
    """Return the seconds that R code prints."""
    done = subprocess.run(
        ["Rscript", "-e", f"f <- '{file}'; {code}"], capture_output=True, text=True, check=True
    )
    return float(done.stdout.strip().split()[-1])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
