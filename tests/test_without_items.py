"""A survey of check-alls or categories alone: divided, described and kept like any other."""

import json
import re
import subprocess

import numpy as np
import pandas as pd
import pytest
from pptx import Presentation

import psychoseg
from psychoseg.errors import StudyError
from psychoseg.run_folder import read_run
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import load_study
from tests.brief_segments import cut_short

OPTIONS = [f"o{j}" for j in range(9)]
SETTINGS = """
[segments]
k = 3
k_max = 3
bootstrap = 10
null_replicates = 39
audits = false
"""
SETS = """
[data]
file = "s.csv"
id = "id"
[[sets]]
name = "reasons"
label = "Why do you come?"
columns = ["o0:o8"]
use = "active"
[[columns]]
name = "age"
"""


def planted() -> pd.DataFrame:
    """Return 240 people of three groups, each of which ticks three options of nine."""
    rng = np.random.default_rng(4)
    group = np.repeat([0, 1, 2], [100, 80, 60])
    chance = np.where(np.arange(9) // 3 == group[:, None], 0.95, 0.05)
    ticks = (rng.random(chance.shape) < chance).astype(int)
    ticks[:4] = 0
    frame = pd.DataFrame(ticks, columns=OPTIONS)
    frame.insert(0, "id", [f"p{i:03d}" for i in range(240)])
    words = np.array([["red", "green", "blue"], ["tea", "milk", "beer"], ["cat", "dog", "fish"]])
    noisy = np.where(rng.random((3, 240)) < 0.95, group, rng.integers(0, 3, (3, 240)))
    for name, options, chosen in zip(("colour", "drink", "pet"), words, noisy, strict=True):
        frame[name] = options[chosen]
    return frame.assign(age=40 + 10 * group + rng.integers(-5, 6, 240), group=group)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("no_items")
    frame = planted()
    frame.drop(columns="group").to_csv(folder / "s.csv", index=False)
    (folder / "study.toml").write_text(SETS + SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        cut_short(patch)
        run = psychoseg.run(folder, formats=("html", "pptx", "xlsx", "csv", "sav"))
    return frame, run


def test_ticks_alone_give_the_planted_groups(made):
    frame, run = made
    labels = run.segments.labels
    assert adjusted_rand(labels[labels > 0], frame["group"].to_numpy()[labels > 0]) > 0.9
    assert list(run.segments.table["n"]) == pytest.approx([96, 80, 60], abs=4)


def test_who_was_not_asked_the_set_has_one_line_in_the_ledger(made):
    _, run = made
    ledger = run.survey.ledger
    assert list(ledger["reason"]) == ["no value for Why do you come?"] * 4
    assert (run.segments.labels == 0).sum() == 4


def test_the_report_shows_the_options_and_speaks_of_no_scale(made):
    _, run = made
    html = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "The study has no items, so there are no scales." in html
    assert 'id="measurement"' not in html
    assert (
        "nan" not in re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL).lower().split()
    )
    heat = json.loads(re.search(r'id="xp-data">(.*?)</script>', html, re.DOTALL).group(1))["heat"]
    assert len(heat) == len(OPTIONS)
    slides = Presentation(str(run.folder / "report.pptx")).slides
    texts = [s.text_frame.text for slide in slides for s in slide.shapes if s.has_text_frame]
    assert any("Answers used" in text for text in texts)


def test_the_run_is_read_back_as_it_was(made):
    _, run = made
    again = read_run(run.folder)
    assert again.scales.table.empty
    assert np.isnan(again.scales.kmo)
    assert again.scales.scores.shape == run.scales.scores.shape
    pd.testing.assert_frame_equal(again.profiles.shares, run.profiles.shares)
    assert "NaN" not in (run.folder / "scales" / "summary.json").read_text(encoding="utf-8")


def test_categories_alone_give_the_planted_groups(tmp_path, monkeypatch):
    cut_short(monkeypatch)
    frame = planted()
    frame.drop(columns="group").to_csv(tmp_path / "s.csv", index=False)
    columns = "".join(
        f'[[columns]]\nname = "{c}"\nuse = "active"\n' for c in ("colour", "drink", "pet")
    )
    (tmp_path / "study.toml").write_text(f'[data]\nfile = "s.csv"\n{columns}{SETTINGS}')
    run = psychoseg.run(tmp_path, formats=("csv",))
    assert adjusted_rand(run.segments.labels, frame["group"].to_numpy()) > 0.7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[columns]]\nname = "age"', "nothing divides people: add [[items]]"),
        (
            '[[sets]]\nname = "r"\ncolumns = ["o0:o8"]\nuse = "active"\nsensitive = true',
            "sets[1] (r): sensitive = true",
        ),
        (
            '[[columns]]\nname = "age"\nuse = "active"\n[scales.names]\no1 = "A"',
            "[scales] names scales, but there are no [[items]]",
        ),
    ],
)
def test_what_cannot_be_divided_is_refused(tmp_path, text, message):
    planted().to_csv(tmp_path / "s.csv", index=False)
    (tmp_path / "study.toml").write_text(f'[data]\nfile = "s.csv"\n{text}\n')
    with pytest.raises(StudyError, match=re.escape(message)):
        psychoseg.run(tmp_path)


def test_a_study_without_items_comes_back_from_its_own_toml(tmp_path):
    (tmp_path / "study.toml").write_text(SETS + SETTINGS)
    study = load_study(tmp_path)
    (tmp_path / "study.toml").write_text(study.to_toml())
    assert load_study(tmp_path) == study


def test_r_draws_the_options_and_says_that_there_are_no_eigenvalues(made, root, rscript, tmp_path):
    _, run = made
    script = root / "r_scripts" / "persona_report.R"
    done = subprocess.run(
        [rscript, str(script), str(run.folder), str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "no scree: The run has no eigenvalues of items." in done.stderr
    assert (tmp_path / "heatmap.png").stat().st_size > 10_000
