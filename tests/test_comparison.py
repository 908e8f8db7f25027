"""Two runs side by side: what became of the segments, and whether more than chance."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg import DataError
from psychoseg.cli import main
from psychoseg.comparison import compare_runs
from psychoseg.report.comparing import comparison_facts

#: Means of three scales in four planted groups; the fourth is a group that only a late wave has.
CENTRES = np.array([[4.3, 2.0, 2.0], [2.0, 4.3, 2.0], [2.0, 2.0, 4.3], [4.3, 4.3, 4.3]])
STUDY = """
[data]
file = "data.csv"
{id}
[[items]]
columns = ["a1:c3"]
range = [1, 5]
[[columns]]
name = "age"
[[columns]]
name = "owner"
[scales]
correlation = "pearson"
[[scales.scale]]
name = "A"
items = ["a1", "a2", "a3"]
[[scales.scale]]
name = "B"
items = ["b1", "b2", "{last}"]
[[scales.scale]]
name = "C"
items = ["c1", "c2", "c3"]
[segments]
k = {k}
bootstrap = 20
null_replicates = 39
audits = false
[report]
formats = ["csv"]
"""


def wave(seed, sizes, *, older=0.0, start=0):
    """Return a made wave: people of each planted group, and the age of the first moved."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    items = CENTRES[groups].repeat(3, axis=1) + 0.6 * rng.standard_normal((len(groups), 9))
    columns = [f"{scale}{i}" for scale in "abc" for i in (1, 2, 3)]
    frame = pd.DataFrame(np.clip(np.round(items), 1, 5).astype(int), columns=columns)
    frame.insert(0, "id", [f"p{start + i:05d}" for i in range(len(groups))])
    frame["age"] = np.round(40 + older * (groups == 0) + 8 * rng.standard_normal(len(groups)))
    frame["owner"] = np.where(rng.random(len(groups)) < 0.3 + 0.2 * (groups == 1), "yes", "no")
    return frame


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """Return a function that runs a made wave, each once."""
    done = {}

    def made(name, frame, *, k=3, with_id=True, last="b3"):
        if name not in done:
            folder = tmp_path_factory.mktemp(name)
            frame.to_csv(folder / "data.csv", index=False)
            text = STUDY.format(k=k, id='id = "id"' if with_id else "", last=last)
            (folder / "study.toml").write_text(text, encoding="utf-8")
            done[name] = psychoseg.run(folder, out=folder / "run")
        return done[name]

    return made


FIRST = wave(1, (160, 120, 90))


@pytest.fixture(scope="module")
def first(run_of):
    return run_of("first", FIRST)


def sizes_of(run):
    return dict(zip(run.segments.table["segment"], run.segments.table["share"], strict=True))


def test_a_run_compared_with_itself_is_the_same_throughout(first):
    found = compare_runs(first, first)
    assert found.kind == "solutions"
    assert found.shared == 370
    assert found.match["change"].tolist() == ["same"] * 3
    assert found.match["jaccard"].tolist() == [1.0] * 3
    assert found.match["distance"].tolist() == [0.0] * 3
    assert found.summary["value"].tolist() == [1.0, 1.0]
    assert (found.changes["difference"] == 0).all()
    assert found.notes == ()


def test_a_segment_divided_in_two_is_one_smaller_and_one_new(first, run_of):
    found = compare_runs(first, run_of("four", FIRST, k=4))
    counts = found.flow.pivot(index="a", columns="b", values="n").to_numpy()
    assert counts.sum() == 370
    assert counts.sum(axis=1).tolist() == first.segments.table["n"].tolist()
    assert found.match["change"].tolist().count("new") == 1
    changed = found.match[found.match["change"] == "changed"]
    assert len(changed) == 1
    # Its overlap is that of the larger part, the intersection over the union, which is the whole.
    s = int(changed["a"].iloc[0])
    assert changed["jaccard"].iloc[0] == pytest.approx(counts[s - 1].max() / counts[s - 1].sum())
    stay = found.summary.iloc[0]
    assert stay["value"] == pytest.approx(counts.max(axis=1).sum() / 370)
    assert stay["high"] < stay["expected"], "dividing a segment is more than a redraw does"


@pytest.mark.parametrize(
    ("changes", "rand", "stay", "expected", "headline"),
    [
        (
            ["same"] * 3, 0.87, 0.96, 0.99,
            "The two solutions are nearly the same: 96% stay in the matching segment; 99% would if "
            "the survey were drawn again.",
        ),
        (
            ["same", "same", "changed"], 0.95, 0.98, 0.99,
            "The two solutions are nearly the same: 98% stay in the matching segment; 99% would if "
            "the survey were drawn again.",
        ),
        (
            ["same"] * 3, 0.95, 0.98, np.nan,
            "The two solutions are nearly the same: 98% stay in the matching segment.",
        ),
        # Nothing that was drawn again says that it is the same.
        (
            ["same"] * 3, 0.7, 0.8, np.nan,
            "80% of the people are in the matching segment of both runs.",
        ),
        (
            ["same"] * 3, 0.4, 0.6, 0.7,
            "No segment differs more than chance: 60% stay in the matching segment; 70% would if "
            "the survey were drawn again.",
        ),
        (
            ["same"] * 3, 0.4, 0.6, 0.6,
            "The two solutions differ no more than chance would make them: 60% stay.",
        ),
        (
            ["same", "same", "changed"], 0.7, 0.8, 0.9,
            "The two solutions differ more than chance: 80% stay, 90% would.",
        ),
    ],
)  # fmt: skip
def test_the_headline_of_two_solutions_agrees_with_what_became_of_the_segments(
    first, changes, rand, stay, expected, headline
):
    found = compare_runs(first, first)
    summary = found.summary.copy()
    summary.loc[0, ["value", "low", "high", "expected"]] = (stay, stay, stay + 0.005, expected)
    summary.loc[1, "value"] = rand
    made = dataclasses.replace(found, match=found.match.assign(change=changes), summary=summary)
    assert comparison_facts(made, first, first).headline == headline


def test_the_same_division_of_others_is_a_wave_without_real_change(first, run_of):
    found = compare_runs(first, run_of("again", wave(2, (160, 120, 90), start=5000)))
    assert found.kind == "waves"
    assert found.match["change"].tolist() == ["same"] * 3
    assert (found.match["distance"] < 0.2).all()
    assert not found.changes.loc[found.changes["kind"] == "size", "real"].any()
    assert found.changes["real"].mean() < 0.1
    assert found.summary.loc[0, "value"] > 0.95


def test_a_planted_change_of_size_is_found_with_its_interval(first, run_of):
    second = run_of("moved", wave(3, (60, 120, 190), start=9000))
    found = compare_runs(first, second)
    sizes = found.changes[found.changes["kind"] == "size"]
    assert len(sizes) == 3
    # By hand: two independent shares.
    for r in sizes.to_dict("records"):
        pa, pb = sizes_of(first)[r["a"]], sizes_of(second)[r["b"]]
        se = np.sqrt(pa * (1 - pa) / 369 + pb * (1 - pb) / 369)
        assert r["difference"] == pytest.approx(pb - pa)
        assert (r["high"] - r["low"]) / 2 == pytest.approx(1.963 * se, rel=2e-3)
    planted = sizes.set_index("a")["real"]
    # Groups of 160, 120 and 90 became 60, 120 and 190.
    assert planted.tolist() == [True, False, True]


def test_a_planted_change_of_age_is_found_in_its_segment_alone(first, run_of):
    found = compare_runs(first, run_of("older", wave(4, (160, 120, 90), older=9, start=20000)))
    ages = found.changes[found.changes["variable"] == "age"].set_index("a")
    assert ages["real"].tolist() == [True, False, False]
    assert ages["low"].loc[1] < 9 < ages["high"].loc[1]
    p = found.changes["p"].dropna().to_numpy()
    adjusted = found.changes["p_adjusted"].dropna().to_numpy()
    assert (adjusted >= p).all()


def test_a_group_that_only_the_second_wave_has_is_new(first, run_of):
    second = run_of("grown", wave(5, (160, 120, 90, 80), start=30000), k=4)
    found = compare_runs(first, second)
    assert sorted(found.match["change"]) == ["new", "same", "same", "same"]
    back = compare_runs(second, first)
    assert sorted(back.match["change"]) == ["gone", "same", "same", "same"]


def test_scales_of_other_items_are_not_compared_and_said(first, run_of):
    other = wave(6, (160, 120, 90), start=40000).rename(columns={"b3": "b9"})
    found = compare_runs(first, run_of("items", other, last="b9"))
    assert found.notes == ("Made of other items in the second run, so not compared: B.",)
    assert "B" not in set(found.changes["label"])
    assert {"A", "C"} <= set(found.changes["label"])


def test_row_numbers_do_not_make_two_waves_one_survey(run_of):
    a = run_of("numbered", FIRST.drop(columns="id"), with_id=False)
    b = run_of("numbered2", wave(7, (160, 120, 90)).drop(columns="id"), with_id=False)
    assert compare_runs(a, b).kind == "waves"
    assert compare_runs(a, a).kind == "solutions"


def test_runs_without_anything_in_common_are_refused(first, run_of):
    renamed = wave(8, (160, 120, 90), start=50000)
    study = STUDY.format(k=3, id='id = "id"', last="b3")
    other = run_of("first", FIRST)
    folder = other.folder.parent.parent / "foreign"
    folder.mkdir()
    renamed.to_csv(folder / "data.csv", index=False)
    for name in "ABC":
        study = study.replace(f'name = "{name}"', f'name = "Other {name}"')
    (folder / "study.toml").write_text(study, encoding="utf-8")
    foreign = psychoseg.run(folder, out=folder / "run")
    with pytest.raises(DataError, match="share neither respondents nor active"):
        compare_runs(first, foreign)


def test_the_command_prints_the_answer_and_writes_a_page_without_scripts(
    first, run_of, tmp_path, capsys
):
    second = run_of("moved", wave(3, (60, 120, 190), start=9000))
    page = tmp_path / "page.html"
    assert main(["compare", str(first.folder), str(second.folder), "--out", str(page)]) == 0
    printed = capsys.readouterr().out
    assert "3 segments came back; 2 of them changed size more than chance." in printed
    assert str(page) in printed
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "script-src" not in html
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html
    for name in second.profiles.personas["name"]:
        assert name in html
    assert re.search(r"\d+ of \d+ figures of the segments that came back changed", html)


def test_a_folder_that_is_no_run_is_refused_in_one_line(first, tmp_path, capsys):
    assert main(["compare", str(first.folder), str(tmp_path)]) == 2
    assert "cannot be read as a run" in capsys.readouterr().err
