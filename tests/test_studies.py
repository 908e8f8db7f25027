"""The studies that come with the project: their data are what they say they are."""

import csv
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from psychoseg.study import load_study

STUDIES = (
    "surveys/fitness_app",
    "surveys/big_five",
    "tests/studies/young_people",
    "tests/studies/cola",
    "tests/studies/hsq",
    "tests/studies/gss_values",
    "tests/studies/star_wars",
)
SIMULATED = (
    "labels/codebook.csv",
    "purchases.csv",
    "survey.csv",
    "truth.csv",
    "truth_loadings.csv",
)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("folder", STUDIES)
def test_study_file_loads(root: Path, folder: str) -> None:
    study = load_study(root / folder)
    assert study.study.title != "Survey segmentation", "the default title"
    assert study.items


@pytest.mark.parametrize("folder", [s for s in STUDIES if s.startswith("tests")])
def test_study_of_the_tests_finds_its_shared_file(
    root: Path, shared_data: Path, folder: str
) -> None:
    study = load_study(root / folder)
    assert (study.folder / study.data.file).resolve().is_relative_to(shared_data.resolve())
    assert (study.folder / study.data.file).is_file()


def test_simulation_gives_the_committed_bytes(root: Path, tmp_path: Path) -> None:
    script = tmp_path / "simulate.py"
    shutil.copy(root / "surveys/fitness_app/simulate.py", script)
    subprocess.run([sys.executable, str(script)], check=True)
    made = sorted(str(f.relative_to(tmp_path).as_posix()) for f in tmp_path.rglob("*.csv"))
    assert made == sorted(SIMULATED)
    for name in SIMULATED:
        committed = (root / "surveys/fitness_app" / name).read_bytes()
        assert (tmp_path / name).read_bytes() == committed, name


def test_every_simulated_respondent_has_one_true_segment(root: Path) -> None:
    folder = root / "surveys/fitness_app"
    asked = [row["user_id"] for row in read(folder / "survey.csv")]
    truth = [row["id"] for row in read(folder / "truth.csv")]
    assert len(asked) == len(set(asked)) == 1200
    assert truth == asked
    shares = Counter(row["segment"] for row in read(folder / "truth.csv"))
    assert len(shares) == 5
    # Planted: 30, 24, 19, 15 and 12 %. A share of 1,200 has a standard error of at most 1.3 points.
    for planted, (_, count) in zip(
        (0.30, 0.24, 0.19, 0.15, 0.12), shares.most_common(), strict=True
    ):
        assert count / 1200 == pytest.approx(planted, abs=0.03)


def test_simulated_survey_is_spoilt_as_its_readme_says(root: Path) -> None:
    folder = root / "surveys/fitness_app"
    survey = read(folder / "survey.csv")
    items = [row["item"] for row in read(folder / "truth_loadings.csv")]
    customers = {row["user_id"] for row in read(folder / "purchases.csv")}
    answers = [[row[item] for item in items] for row in survey]
    assert len(items) == 40
    assert len(customers) == 2400
    assert {a for row in answers for a in row} == {"", "1", "2", "3", "4", "5", "9"}
    assert sum(len(set(row)) == 1 for row in answers) == 15
    assert sum(sum(a in {"", "9"} for a in row) > 20 for row in answers) == 10
    assert sum(row["user_id"] not in customers for row in survey) == 8
    assert any(row["user_id"].startswith("00") for row in survey)
    assert all(len(row["user_id"]) == 5 for row in survey)


def test_each_scale_of_the_simulation_has_items_keyed_both_ways(root: Path) -> None:
    folder = root / "surveys/fitness_app"
    loadings = read(folder / "truth_loadings.csv")
    keys = {(row["factor"], float(row["loading"]) > 0) for row in loadings}
    assert len(keys) == 2 * 7
    assert all(0.6 <= abs(float(row["loading"])) <= 0.85 for row in loadings)
    reversed_items = {row["item"] for row in loadings if float(row["loading"]) < 0}
    assert reversed_items == set(load_study(folder).items[0].reverse)


def test_big_five_is_the_data_set_of_psychtools_cell_by_cell(root: Path, shared_data: Path) -> None:
    # psychTools 2.2.9 (Debian r-cran-psychtools), bfi: written twice, by two scripts.
    with (root / "surveys/big_five/data.csv").open(encoding="utf-8", newline="") as file:
        ours = list(csv.reader(file))
    with (shared_data / "02_r_personality/bfi.csv").open(encoding="utf-8", newline="") as file:
        theirs = list(csv.reader(file))
    assert ours[0] == ["id", *theirs[0][1:]]
    assert len(ours) == 1 + 2800
    assert ours[1:] == theirs[1:]


def test_big_five_labels_are_the_wordings_of_psychtools(root: Path, shared_data: Path) -> None:
    ours = {row["name"]: row["label"] for row in read(root / "surveys/big_five/codebook.csv")}
    theirs = {
        row["item"]: row["Item"]
        for row in read(shared_data / "02_r_personality/bfi_dictionary.csv")
    }
    items = list(theirs)[:25]
    assert {item: ours[item] for item in items} == {item: theirs[item] for item in items}


def test_big_five_keys_are_those_of_psychtools(root: Path, shared_data: Path) -> None:
    keys = read(shared_data / "02_r_personality/bfi_keys.csv")
    theirs = {(row["item"], row["direction"]) for row in keys}
    ours = {
        (item, "-1" if item in scale.reverse else "1")
        for scale in load_study(root / "surveys/big_five").scales.scale
        for item in scale.items
    }
    assert ours == theirs
