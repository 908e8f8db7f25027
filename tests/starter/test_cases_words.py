"""Surveys answered in words that were read wrongly once are read right, or marked."""

import csv

import numpy as np
import pytest

from psychoseg.starter import draft_study, write_study
from psychoseg.starter.frames import as_codes
from psychoseg.study import load_study
from psychoseg.survey import load_survey

CASES = [
    ("difficult_to_answer/s.csv", 4, {"Difficult to answer": 362}, ()),
    ("kann_nicht/s.csv", 4, {"kann ich nicht beurteilen": 220}, ()),
    ("lang_cs/s.csv", 5, {}, ()),
    ("lang_ja/s.csv", 5, {}, ()),
    ("pt_ns/s.csv", 4, {"Não sei / Não respondo": 232}, ()),
    ("words_not_sure_mid/s.csv", 5, {}, ("Not sure",)),
    ("words_not_very_often/s.csv", 5, {}, ()),
    ("words_very_little/s.csv", 5, {}, ()),
    ("words_zutreffend/s.csv", 4, {}, ()),
    ("sav_czech_dk/s.sav", 5, {"6": 289}, ()),
    ("sav_dots/s.sav", 5, {}, ()),
    ("sav_words_override/s.sav", 5, {}, ()),
]


@pytest.fixture
def case(shared_data):
    """Return the path of a case, which lies beside the shared surveys."""

    def path_of(name):
        path = shared_data.parent / "cases" / name
        if not path.exists():
            pytest.skip(f"the case {name} is not here")
        return path

    return path_of


@pytest.mark.parametrize(("name", "steps", "missing", "asked"), CASES, ids=[c[0] for c in CASES])
def test_a_case_is_read_right(case, name, steps, missing, asked):
    path = case(name)
    draft = draft_study(path)
    (battery,) = draft.batteries
    scale = battery.scale
    assert len(battery.columns) == 12
    assert (scale.low, scale.high) == (1, steps)
    assert set(scale.missing) == set(missing)
    for text, count in missing.items():
        assert scale.counts[text] == count
        assert f"{count} cells" in draft.text
    for word in asked:
        assert any(word in question for question in draft.undecided)
    truth = path.parent / "truth.csv"
    if truth.exists():
        with truth.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        wanted = np.array(
            [[float(row[n]) if row[n] else np.nan for n in battery.names] for row in rows]
        )
        np.testing.assert_array_equal(as_codes(battery.columns, scale), wanted)


def test_bands_of_income_stand_by_their_size(case):
    lines = draft_study(case("bands_de/s.csv")).text.splitlines()
    start = lines.index("order = [")
    bands = [line.strip(' ",') for line in lines[start + 1 : start + 6]]
    assert bands == [
        "unter 500 €", "500 bis 999 €", "1.000 bis 1.999 €", "2.000 bis 3.999 €",
        "4.000 € und mehr",
    ]  # fmt: skip


def test_a_middle_on_a_scale_of_an_unknown_word_is_asked_about(case):
    draft = draft_study(case("from_surveys/m11_words.csv"))
    words = next(b for b in draft.batteries if b.names[0] == "pol_1")
    assert [level[0] for level in words.scale.codes] == [
        "not polarized", "low polarized", "neutral", "somewhat polarized", "strongly polarized",
    ]  # fmt: skip
    assert any("neutral" in question for question in draft.undecided)


def write(path, answers, *, items=6, n=90, extra=None):
    """Write a survey of ``items`` columns that hold the answers in turn."""
    rng = np.random.default_rng(5)
    latent = rng.normal(size=(n, 1)) + 0.6 * rng.normal(size=(n, items))
    cuts = np.linspace(-1.2, 1.2, len(answers) - 1)
    codes = (latent[:, :, None] > cuts).sum(axis=2)
    head = ["id", *(f"att_{j + 1}" for j in range(items)), *(extra or {})]
    rows = [
        [f"R{i}", *(answers[c] for c in codes[i]), *(v[i] for v in (extra or {}).values())]
        for i in range(n)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path, codes


def test_a_battery_in_unknown_words_is_drafted_in_an_order_that_rows_do_not_change(tmp_path):
    answers = ["täysin eri mieltä", "eri mieltä", "samaa mieltä", "täysin samaa mieltä"]
    path, _ = write(tmp_path / "s.csv", answers)
    draft = draft_study(path)
    (battery,) = draft.batteries
    assert battery.scale.unordered
    assert "# codes = [" in draft.text
    assert any("att_1 to att_6" in q and "not known" in q for q in draft.undecided)
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="utf-8")
    assert draft_study(path).text == draft.text


def test_a_run_stops_until_unknown_words_are_put_in_order(tmp_path):
    answers = ["täysin eri mieltä", "eri mieltä", "samaa mieltä", "täysin samaa mieltä"]
    path, codes = write(tmp_path / "s.csv", answers)
    study = write_study(path, out=tmp_path / "study")
    with pytest.raises(Exception, match="codes"):
        load_survey(load_study(study))
    text = study.read_text("utf-8").replace("codes = []\n", "")
    start = text.index("# codes = [")
    end = text.index("]", start) + 1
    written = ", ".join(f'"{a}"' for a in answers)
    study.write_text(f"{text[:start]}codes = [{written}]{text[end:]}", encoding="utf-8")
    survey = load_survey(load_study(study))
    np.testing.assert_array_equal(survey.items.to_numpy(), codes + 1)


def test_answers_that_differ_in_capitals_are_one_level_and_the_draft_runs(tmp_path):
    answers = ["Disagree", "disagree", "Neutral", "agree", "Agree"]
    path, codes = write(tmp_path / "s.csv", answers)
    survey = load_survey(load_study(write_study(path, out=tmp_path / "study")))
    np.testing.assert_array_equal(survey.items.to_numpy(), np.array([1, 1, 2, 3, 3])[codes])


def test_a_column_that_holds_few_of_the_answers_is_an_item_of_its_battery(tmp_path):
    answers = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
    path, _ = write(tmp_path / "s.csv", answers)
    lines = path.read_text("utf-8").splitlines()
    turned = {answer: "Agree" if i < 4 else answer for i, answer in enumerate(answers)}
    rows = [line.split(",") for line in lines]
    rows = [[*row[:3], turned.get(row[3], row[3]), *row[4:]] for row in rows]
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    (battery,) = draft_study(path).batteries
    assert battery.names == [f"att_{i}" for i in range(1, 7)]
    assert [level[0] for level in battery.scale.codes] == answers


def test_brands_are_never_put_in_an_order_beside_a_battery(tmp_path):
    answers = ["Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree"]
    brands = ["Coke", "Pepsi", "Fanta"]
    extra = {f"brand_{j}": [brands[(i // (j + 1)) % 3] for i in range(90)] for j in range(4)}
    path, _ = write(tmp_path / "s.csv", answers, extra=extra)
    draft = draft_study(path)
    used = [b for b in draft.batteries if not b.why_not]
    assert [b.names[0] for b in used] == ["att_1"]
    assert all(f'name = "brand_{j}"' in draft.text for j in range(4))
    survey = load_survey(load_study(write_study(path, out=tmp_path / "study")))
    assert survey.items.shape[1] == 6
