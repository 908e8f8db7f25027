"""A run folder is read back as the run that was written, and its report can be made again."""

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg import DataError
from psychoseg.cli import main
from psychoseg.run_folder import Run, read_run


@pytest.fixture(scope="module")
def fitness(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("folder") / "fitness"
    return psychoseg.run(root / "surveys" / "fitness_app", out=out)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return the run of a study whose answers are what a CSV reader likes to spoil."""
    folder = tmp_path_factory.mktemp("small")
    rng = np.random.default_rng(1)
    n = 300
    factor = np.repeat(rng.standard_normal((n, 2)), 4, axis=1)
    items = np.clip(np.round(0.8 * factor + 0.6 * rng.standard_normal((n, 8)) + 3), 1, 5)
    frame = pd.DataFrame(items.astype(int), columns=[f"q{i}" for i in range(8)])
    frame.insert(0, "id", [f"{i:05d}" for i in range(n)])
    frame["brand"] = rng.choice(["None", "NA?", "01", 'say "hi", you\nthere'], n)
    frame["age"] = np.where(rng.random(n) < 0.1, "", rng.integers(18, 80, n).astype(str))
    frame["sex"] = np.where(np.arange(n) % 2, "man", "woman")
    frame["w"] = rng.uniform(0.5, 2, n)
    frame.to_csv(folder / "data.csv", index=False)
    (folder / "study.toml").write_text(
        """
[data]
file = "data.csv"
id = "id"
[[items]]
columns = ["q0:q7"]
range = [1, 5]
[weights]
column = "w"
[[columns]]
name = "brand"
[[columns]]
name = "age"
[[columns]]
name = "sex"
[scales]
n_factors = 2
[segments]
k = 2
bootstrap = 10
null_replicates = 39
audits = false
""",
        encoding="utf-8",
    )
    return psychoseg.run(folder, out=folder / "run")


def assert_same(a: object, b: object, where: str) -> None:
    for field in dataclasses.fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        name = f"{where}.{field.name}"
        if isinstance(x, pd.DataFrame):
            if field.name == "ledger":  # the row of another file may be none, so all are texts
                x, y = x.astype(str), y.astype(str)
            # A column of texts may be of either kind; that its texts are the same is what counts.
            pd.testing.assert_frame_equal(
                x, y, check_exact=True, check_dtype=False, check_categorical=False, obj=name
            )
        elif isinstance(x, pd.Series):
            pd.testing.assert_series_equal(x, y, check_dtype=False, obj=name)
        elif isinstance(x, np.ndarray):
            np.testing.assert_array_equal(x, y, err_msg=name)
        elif dataclasses.is_dataclass(x):
            assert_same(x, y, name)
        elif field.name not in ("folder", "manifest"):
            assert x == y, name


@pytest.mark.parametrize("which", ["fitness", "small"])
def test_a_run_read_back_is_the_run_that_was_written(which, request):
    run: Run = request.getfixturevalue(which)
    again = read_run(run.folder)
    for part in ("survey", "scales", "segments", "profiles"):
        assert_same(getattr(run, part), getattr(again, part), part)
    pd.testing.assert_frame_equal(run.warnings, again.warnings, check_dtype=False)
    pd.testing.assert_frame_equal(run.respondents, again.respondents, check_dtype=False)
    assert again.study.model_dump() == run.study.model_dump()
    assert again.survey.missing_answers().overall.equals(run.survey.missing_answers().overall)


@pytest.mark.parametrize("which", ["fitness", "small"])
def test_respondents_carry_their_certainty_and_whether_they_stand_on_a_border(which, request):
    run: Run = request.getfixturevalue(which)
    table = pd.read_csv(run.folder / "respondents.csv")
    inside = run.segments.labels > 0
    np.testing.assert_array_equal(table["certainty"], run.segments.certainty[inside])
    known = table["certainty"].notna()
    assert known.any()
    on_border = table.loc[known, "on_border"].astype(bool)
    assert list(on_border) == list(table.loc[known, "certainty"] < 0.75)
    place = run.segments.points.iloc[run.segments.point_of[inside]]
    np.testing.assert_array_equal(table[["map_1", "map_2"]], place[["map_1", "map_2"]])


def test_a_respondent_whose_certainty_nobody_looked_at_is_neither_on_a_border_nor_off_it(small):
    certainty = small.segments.certainty.copy()
    certainty[:5] = np.nan
    segments = dataclasses.replace(small.segments, certainty=certainty)
    table = dataclasses.replace(small, segments=segments).respondents
    assert table["on_border"].isna().sum() == (small.segments.labels[:5] > 0).sum() > 0


def test_audits_that_were_not_made_leave_empty_tables_that_are_read_back(small):
    segments = read_run(small.folder).segments
    for name in ("audit", "methods", "tandem"):
        table = getattr(segments, name)
        assert len(table) == 0
        assert list(table.columns) == list(getattr(small.segments, name).columns) != []


@pytest.mark.parametrize("which", ["fitness", "small"])
def test_the_report_made_again_is_the_same_to_the_byte(which, request, tmp_path):
    run: Run = request.getfixturevalue(which)
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    first = (folder / "report.html").read_bytes()
    before = sorted(p.name for p in folder.iterdir())
    (folder / "report.html").unlink()
    assert psychoseg.remake_report(folder) == [folder / "report.html"]
    assert (folder / "report.html").read_bytes() == first
    assert sorted(p.name for p in folder.iterdir()) == before


def test_what_r_confirms_comes_into_the_report(rscript, root, small, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(small.folder, folder)
    first = (folder / "report.html").read_text(encoding="utf-8")
    script = root / "r_scripts" / "confirm_scales.R"
    command = [rscript, str(script), str(folder), "--group", "sex", "--split-half"]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    assert main(["report", str(folder)]) == 0
    assert str(folder / "report.html") in capsys.readouterr().out
    run = read_run(folder)
    assert {"fit", "loadings", "invariance", "split_half", "notes"} <= set(run.confirmation)
    html = (folder / "report.html").read_text(encoding="utf-8")
    chosen = run.confirmation["fit"].query("model == 'all respondents' and preferred == 'True'")
    assert f"{chosen['rmsea'].iloc[0]:.3f}" in html
    assert "Intercepts equal as well" in html
    assert "Intercepts equal as well" not in first


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: shutil.rmtree(f / "scales"), "cannot be read as a run"),
        (lambda f: (f / "manifest.json").write_text("{}"), "cannot be read as a run"),
        (lambda f: (f / "manifest.json").unlink(), "manifest.json"),
        (
            lambda f: edit(f / "scales/table.csv", lambda t: t.iloc[:, 1:]),
            r"scales/table\.csv has \d+ columns where the run wrote \d+: a column was lost",
        ),
        (
            lambda f: edit(f / "scales/table.csv", lambda t: t.assign(note="mine")),
            r"scales/table\.csv has \d+ columns where the run wrote \d+: a column was added",
        ),
        (
            lambda f: edit(f / "scales/fit.csv", lambda t: t, sep=";"),
            r"scales/fit\.csv has 1 column where .* separated by semicolons",
        ),
        (
            lambda f: edit(f / "scales/fit.csv", lambda t: t.assign(value="0,5")),
            r"scales/fit\.csv, column value: '0,5' is not a number, with a point",
        ),
        (
            lambda f: edit(f / "segments/choice.csv", lambda t: t.assign(k="two")),
            r"segments/choice\.csv, column k: 'two' is not a whole number",
        ),
        (
            lambda f: edit(f / "segments/choice.csv", lambda t: t.assign(chosen="WAHR")),
            r"segments/choice\.csv, column chosen: 'WAHR' is not True or False",
        ),
        (
            lambda f: (f / "segments/tree.csv").open("a").write("1,2\n"),
            r"segments/tree\.csv: row \d+ has 2 cells where the header has 5",
        ),
        (
            lambda f: edit(f / "segments/members.csv", lambda t: t.iloc[1:]),
            r"segments/members\.csv has 299 rows and survey/answers\.csv has 300",
        ),
        (
            lambda f: edit(f / "scales/scores.csv", lambda t: t.iloc[::-1]),
            r"scales/scores\.csv has other ids, or in another order",
        ),
        (
            lambda f: (f / "scales/table.csv").write_bytes("Größe".encode("latin-1")),
            r"scales/table\.csv is not UTF-8",
        ),
    ],
)
def test_a_folder_that_is_no_run_is_refused_and_left_as_it_is(small, tmp_path, spoil, message):
    folder = tmp_path / "run"
    shutil.copytree(small.folder, folder)
    spoil(folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(DataError, match=message):
        psychoseg.remake_report(folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def edit(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], *, sep: str = ",") -> None:
    """Open a table as text, change it and save it."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(frame).to_csv(path, index=False, sep=sep)


def test_tables_that_a_spreadsheet_saved_as_utf_8_are_read_back(small, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(small.folder, folder)
    for path in [*folder.rglob("*.csv"), folder / "manifest.json"]:
        text = path.read_text(encoding="utf-8")
        if path.name != "manifest.json":
            text = text.replace(",True", ",TRUE").replace(",False", ",FALSE") + "\n"
        path.write_text(text, encoding="utf-8-sig")
    expected, found = read_run(small.folder), read_run(folder)
    for part in ("survey", "scales", "segments", "profiles"):
        assert_same(getattr(expected, part), getattr(found, part), part)
    first = (small.folder / "report.html").read_bytes()
    assert psychoseg.remake_report(folder)[0].read_bytes() == first


def test_the_command_line_refuses_a_folder_that_is_no_run(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 2
    assert "is not a run folder: it has no manifest.json" in capsys.readouterr().err


def test_a_run_of_r_is_refused_by_its_name_with_what_to_do(tmp_path):
    (tmp_path / "manifest.json").write_text('{"program": "segment_survey.R"}', encoding="utf-8")
    with pytest.raises(DataError, match=r"written by segment_survey\.R.*`psychoseg run`"):
        read_run(tmp_path)
