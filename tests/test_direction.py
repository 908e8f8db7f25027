"""Every name, sentence and label of a run says of people what they answered, not its opposite.

The runs are brief, since any division of the people will do; what they say is read from their files
by ``claims``, and compared with raw answers.
"""

from __future__ import annotations

import html
import re
import shutil
import tomllib
import warnings
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pptx
import pytest

from psychoseg import PsychosegWarning, api, runs
from psychoseg.study import load_study
from tests.brief_segments import cut_short
from tests.claims import Answers, Claim, claims_of

#: Where a segment is this near the rest, either word is right: Cohen's "negligible" is .2.
NEAR = 0.1

RUNS = (
    "surveys/fitness_app",
    "surveys/big_five",
    "tests/studies/cola",
    "tests/studies/gss_values",
    "tests/studies/hsq",
    "tests/studies/star_wars",
    "tests/studies/young_people",
    "drafted",
    "found",
)
#: What is read in page, deck and workbook as well: a scale of reversed items alone, and others.
SHOWN = "found"

_FOUND = """
[data]
file = "data.csv"
id = "id"
labels = "codebook.csv"

[[items]]
columns = ["A1:O5"]
range = [1, 6]
reverse = ["A1", "C4", "C5", "E1", "E2", "O2", "O5", "N1", "N2", "N3", "N4", "N5"]

[scales]
correlation = "pearson"
n_factors = 5

[[columns]]
name = "gender"
label = "Gender"
type = "categorical"
labels = { 1 = "Male", 2 = "Female" }

[[columns]]
name = "age"
label = "Age"
type = "numeric"

[[actions]]
name = "Club evenings"
wants = { make_friends_easily = "high", reversed_get_angry_easily = "high" }
"""


def study_of(name: str, root: Path, shared_data: Path, folder: Path) -> Path:
    if name == "drafted":
        shutil.copy(shared_data / "06_spss_sav" / "displayr" / "Cola.sav", folder)
        return api.draft_study(folder / "Cola.sav")[0]
    if name == "found":
        for file in ("data.csv", "codebook.csv"):
            shutil.copy(root / "surveys" / "big_five" / file, folder)
        (folder / "study.toml").write_text(_FOUND, encoding="utf-8")
        return folder / "study.toml"
    return root / name


def brief(patch: pytest.MonkeyPatch) -> None:
    """Let a run take seconds: few resamples, no audits, four segments, no search for optima."""
    cut_short(patch)

    def load(path: Path) -> object:
        study = load_study(path)
        short = {"k": 4, "k_max": 5, "bootstrap": 2, "null_replicates": 2, "audits": False}
        return study.model_copy(
            update={
                "segments": study.segments.model_copy(update=short),
                "scales": study.scales.model_copy(update={"starts": 0, "correlation": "pearson"}),
            }
        )

    patch.setattr(runs, "load_study", load)


@pytest.fixture(scope="module")
def made(root, shared_data, tmp_path_factory):
    """Return the folder of a run by its name, each made once."""
    folders: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in folders:
            folder = tmp_path_factory.mktemp("study")
            study = study_of(name, root, shared_data, folder)
            with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
                warnings.simplefilter("ignore", PsychosegWarning)
                brief(patch)
                files = ("html", "pptx", "xlsx", "csv") if name == SHOWN else ("csv",)
                out = folder / "run"
                runs.run_study(study, out=out, formats=files, write_report=api._write_report)
            folders[name] = folder / "run"
        return folders[name]

    return of


def answers_of(folder: Path) -> Answers:
    """Return the answers of a run, keyed as the study file says, and else as the scale turned."""
    with (folder / "study.toml").open("rb") as file:
        study = tomllib.load(file)
    items = pd.read_csv(folder / "scales" / "items.csv")
    book = pd.read_csv(folder / "survey" / "codebook.csv").set_index("name")
    scales = study.get("scales", {})
    declared = {i for scale in scales.get("scale", []) for i in scale.get("reverse", [])}
    declared |= set(book.index[book["reversed"].astype(bool)])
    keys = dict.fromkeys(declared, -1)
    if not scales.get("scale"):
        # Scales that are found turn items by themselves; the one that bears the name is straight.
        keys = dict(zip(items["item"], items["key"], strict=True))
        for item in scales.get("names", {}):
            assert keys.get(item, 1) == 1 or item in declared
    return Answers(folder, keys)


def false(claim: Claim, answers: Answers) -> bool:
    real = answers.direction(claim.what, claim.category, claim.segment)
    if claim.way == 0:
        return abs(real) > 0.5
    return claim.way * real < -NEAR


@pytest.mark.parametrize("name", RUNS)
def test_no_name_sentence_driver_or_reason_says_the_opposite_of_the_answers(made, name):
    folder = made(name)
    answers = answers_of(folder)
    claims = list(claims_of(folder, answers))
    assert len(claims) >= 20
    wrong = [c for c in claims if false(c, answers)]
    assert wrong == []


def table_of(page: str, caption: str) -> list[list[str]]:
    """Return the text of a table's cells, figures without what stands in small under them."""
    body = re.search(rf"<table(?:(?!</table>).)*?{caption}.*?</table>", page, re.DOTALL)
    assert body
    rows = re.findall(r"<tr.*?</tr>", body[0], re.DOTALL)
    cells = [re.findall(r"<t[dh]\b.*?</t[dh]>", row, re.DOTALL) for row in rows]
    small = re.compile(r"<(small|b)\b.*?</\1>", re.DOTALL)
    return [
        [html.unescape(re.sub(r"<.*?>", "", small.sub("", c))).strip() for c in row]
        for row in cells
    ]


def assert_true_figures(rows: dict[str, list[float]], answers: Answers) -> int:
    """Hold figures, everybody's first and then the segments', against the words beside them."""
    seen = 0
    for label, (total, *segments) in rows.items():
        for number, value in enumerate(segments, start=1):
            real = answers.direction(label, "", number)
            assert (value - total) * real > 0 or abs(real) < NEAR, (label, number, value, total)
            seen += abs(real) >= NEAR
    return seen


def test_page_says_of_each_statement_what_was_answered(made):
    folder = made(SHOWN)
    answers = answers_of(folder)
    assert any(label.startswith("(reversed) ") for label in answers.scale)
    page = (folder / "report.html").read_text(encoding="utf-8")
    rows = {
        row[0]: [float(x.replace("−", "-")) for x in row[1:]]
        for row in table_of(page, "Means by segment")
        if row and row[0] in answers.scale
    }
    assert set(rows) == set(answers.scale)
    assert assert_true_figures(rows, answers) >= 10
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)))
    personas = pd.read_csv(folder / "profiles" / "personas.csv")
    facts = pd.read_csv(folder / "profiles" / "facts.csv")
    for said in (*personas["name"], *facts["text"]):
        assert re.sub(r"\s+", " ", said) in text


def test_workbook_says_of_each_statement_what_was_answered(made):
    folder = made(SHOWN)
    answers = answers_of(folder)
    book = openpyxl.load_workbook(folder / "tables.xlsx", read_only=True)
    rows: dict[str, list[float]] = {}
    names: list[str] = []
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            if len(row) > 3 and row[0] in answers.scale and row[1] == "Mean":
                rows[row[0]] = [row[2], *row[3::2][:4]]
            names += [x for x in row if isinstance(x, str) and "eversed" in x]
    assert set(rows) == set(answers.scale)
    assert assert_true_figures(rows, answers) >= 10
    assert names


def test_slides_bear_no_statement_without_its_mark(made):
    folder = made(SHOWN)
    answers = answers_of(folder)
    marked = [x.removeprefix("(reversed) ") for x in answers.scale if x.startswith("(reversed) ")]
    texts: list[str] = []
    for slide in pptx.Presentation(folder / "report.pptx").slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                texts += [p.text for p in shape.text_frame.paragraphs]
            if shape.has_table:
                texts += [c.text for row in shape.table.rows for c in row.cells]
            if shape.has_chart:
                texts += [str(c) for plot in shape.chart.plots for c in plot.categories]
    for words in marked:
        said = [t for t in texts if words.casefold() in t.casefold()]
        assert said
        bare = re.compile(rf"(?<!\(reversed\) ){re.escape(words)}", re.IGNORECASE)
        assert not [t for t in said if bare.search(t) and "raw" not in t]


@pytest.mark.parametrize("name", ["surveys/fitness_app", SHOWN])
def test_rules_find_the_people_that_their_words_describe(made, name):
    folder = made(name)
    answers = answers_of(folder)
    scores = pd.read_csv(folder / "respondents.csv", dtype={"id": str})
    scores = scores.set_index("id").loc[answers.members["id"]]
    seen = 0
    for rule in pd.read_csv(folder / "profiles" / "rules.csv").itertuples():
        for label, scale in answers.scale.items():
            # "High" of the score is high of what the label says.
            if label in rule.rule:
                x, y = scores[scale].to_numpy(dtype=float), answers.values(label)
                known = ~np.isnan(x) & ~np.isnan(y)
                assert np.corrcoef(x[known], y[known])[0, 1] > 0.3
                seen += 1
    assert seen
