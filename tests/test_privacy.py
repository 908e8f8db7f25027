"""Nothing personal leaves the house: no id, no address, no figure on too few people.

One study has what gives people away: a segment of six, questions that few answered, categories of
three, ids and addresses in open answers. Everything that its run writes for others is read back.
"""

import hashlib
import hmac
import html
import json
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tomli_w

import psychoseg
from psychoseg.errors import PsychosegWarning
from psychoseg.profiles.jobs import JOB_COLUMNS

LEAST = 10
SIZES = (140, 96, 6)
N = sum(SIZES)
E_MAILS = [f"ann.{i}@example.org" for i in range(40)]
PHONES = [f"+49 170 55{i:05d}" for i in range(40)]
IDS = [f"p{i:05d}" for i in range(N + 2)]
#: How somebody may write an id into an answer.
WRITTEN = (
    "my id is {}", "id:{}", "panel={}", "#{}", "({})", "'{}'", "“{}”", "{}'s friend", "{}/mine",
    "user_{}", "ID-{}", "{}…", "I am {}!", "see {}_2",
)  # fmt: skip


def make_study(folder: Path, *, settings: dict[str, object] | None = None, wave: int = 0) -> Path:
    rng = np.random.default_rng([8, wave])
    part = np.repeat(np.arange(3), SIZES)
    data: dict[str, object] = {"id": IDS[:N]}
    items = [f"q{i}" for i in range(9)]
    centres = np.array([[2, 4, 3], [4, 2, 2], [1, 1, 5]])
    for i, item in enumerate(items):
        answer = centres[part, i // 3] + rng.normal(scale=0.5, size=N)
        data[item] = np.clip(np.round(answer), 1, 5).astype(int)
    age = (30 + 8 * part + rng.integers(0, 15, N)).astype(float)
    data["age"] = age
    # Few of the second segment were asked; of the first all, of the third nobody.
    spend = np.round(rng.gamma(2, 20, N), 1)
    asked = (part == 0) | ((part == 1) & (rng.random(N) < 0.06))
    data["spend"] = np.where(asked, spend, np.nan)
    data["seldom"] = np.where(np.arange(N) % 40 == 3, spend, np.nan)
    plan = rng.choice(["Basic", "Plus"], N).astype(object)
    plan[[3, 77, 150]] = "Rare plan"
    data["plan"] = plan
    few = np.full(N, "", dtype=object)
    few[::48] = "Yes"
    few[1::48] = "No"
    data["few"] = few
    # Three people of the first segment say how important, and not how satisfied they are.
    for j, gap in enumerate(([], [5, 20, 33], [], [8, 9], [], [])):
        answer = np.clip(np.round(centres[part, j % 3] + rng.normal(size=N)), 1, 5)
        answer[gap] = np.nan
        data[f"j{j}"] = answer
    for i in range(3):
        data[f"o{i}"] = (rng.random(N) < 0.3 + 0.2 * (part == i)).astype(int)
    word = np.array(["tea", "milk", "beer"])[part]
    said = [f"I like {w} and music number {i % 7} very much" for i, w in enumerate(word)]
    for i in range(40):
        said[3 * i] += f" write to {E_MAILS[i]}"
        said[3 * i + 1] += f" call {PHONES[i]}"
        said[3 * i + 2] += f", {WRITTEN[i % len(WRITTEN)].format(IDS[(7 * i) % N])}"
    data["said"] = said
    seconds = np.full(N, np.nan)
    seconds[:5] = [300, 280, 310, 40, 290]
    data["seconds"] = seconds
    frame = pd.DataFrame(data)
    # One who answered nothing and one who is not in the other file are left out.
    gone = frame.iloc[:2].assign(id=IDS[N:])
    gone.loc[gone.index[0], items] = np.nan
    frame = pd.concat([frame, gone], ignore_index=True)
    frame.to_csv(folder / "answers.csv", index=False)
    more = pd.DataFrame({"who": [*IDS[: N + 1], "p99999"], "visits": rng.integers(0, 9, N + 2)})
    more.to_csv(folder / "more.csv", index=False)
    study: dict[str, object] = {
        "study": {"title": "Tiny groups"},
        "data": {"file": "answers.csv", "id": "id"},
        "merge": [{"file": "more.csv", "id": "who", "unmatched": "drop"}],
        "items": [{"columns": items, "range": [1, 5]}],
        "quality": {"duration": ["seconds"]},
        "scales": {
            "correlation": "pearson",
            "scale": [
                {"name": name, "items": items[3 * i : 3 * i + 3]}
                for i, name in enumerate(("Health", "Sociability", "Price"))
            ],
        },
        "columns": [
            {"name": "age", "type": "numeric", "label": "Age"},
            {"name": "spend", "type": "numeric", "label": "Spend"},
            {"name": "seldom", "type": "numeric", "label": "Seldom asked"},
            {"name": "visits", "type": "numeric", "label": "Visits"},
            {"name": "plan", "type": "categorical", "label": "Plan"},
            {"name": "few", "type": "categorical", "label": "Asked of few"},
            *(
                {"name": f"j{j}", "type": "ordinal", "label": f"Job {j}", "order": list("12345")}
                for j in range(6)
            ),
        ],
        "sets": [{"name": "uses", "columns": ["o0", "o1", "o2"], "label": "Uses"}],
        "texts": [{"column": "said", "label": "Comments", "quotes": 20}],
        "segments": {
            "k": 3, "bootstrap": 10, "null_replicates": 39, "audits": False, "min_people": 1,
            "min_share": 0.0,
        },
        "jobs": [
            {"label": "Save time", "importance": "j0", "satisfaction": "j1"},
            {"label": "Save money", "importance": "j2", "satisfaction": "j3"},
            {"label": "Save effort", "importance": "j4", "satisfaction": "j5"},
        ],
        "actions": [{"name": "Coach", "wants": {"Health": "high", "plan": "Rare plan"}}],
        "report": {"formats": ["html", "pptx", "xlsx", "csv", "sav"]},
        **(settings or {}),
    }  # fmt: skip
    (folder / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8")
    return folder


def run_of(folder: Path, name: str) -> psychoseg.Run:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        return psychoseg.run(folder, out=folder / name)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a run in three segments, one of them of six people."""
    return run_of(make_study(tmp_path_factory.mktemp("tiny")), "run")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return a run of the same people in two segments, which hides other cells."""
    segments = {
        "k": 2, "bootstrap": 10, "null_replicates": 39, "audits": False, "min_people": 1,
    }  # fmt: skip
    settings = {"segments": segments, "report": {"formats": ["html"]}}
    return run_of(make_study(tmp_path_factory.mktemp("two"), settings=settings), "run")


@pytest.fixture(scope="module")
def comparison(run, two):
    page, _ = psychoseg.compare(run.folder, two.folder)
    return page


def printed(path: Path) -> str:
    """Return all that a file holds, its markup included."""
    if path.suffix == ".html":
        return html.unescape(path.read_text(encoding="utf-8"))
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(n) for n in archive.namelist() if n.endswith((".xml", ".rels"))]
    return html.unescape("\n".join(part.decode("utf-8") for part in parts))


def words_of(path: Path) -> str:
    """Return the words of a page or a deck, without markup, scripts and styles."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", printed(path), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


@pytest.mark.parametrize("name", ["report.html", "report.pptx", "tables.xlsx", "comparison"])
def test_no_id_and_no_address_is_in_a_report(run, comparison, name):
    text = printed(comparison if name == "comparison" else run.folder / name).casefold()
    secrets = [*IDS, "p99999", *E_MAILS, *PHONES]
    assert [s for s in secrets if s.casefold() in text][:5] == []
    if name in ("report.html", "tables.xlsx"):
        assert "[e-mail]" in text
        assert "[id]" in text


@pytest.mark.parametrize("name", ["report.html", "report.pptx"])
def test_no_base_that_is_printed_is_too_small_nor_is_a_size(run, name):
    bases = [
        int(n.replace(",", ""))
        for n in re.findall(r"(?<!\w)n = ([\d,]*\d)\b(?!\.\d)", words_of(run.folder / name))
    ]
    assert len(bases) > 20
    assert sorted({b for b in bases if b < LEAST}) == []


def test_no_base_in_the_workbook_is_too_small(run):
    import openpyxl

    book = openpyxl.load_workbook(run.folder / "tables.xlsx")
    found, seen = [], 0
    for sheet in book:
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        for j, head in [
            (j, c) for row in rows for j, c in enumerate(row) if c in ("Base", "Base (n)", "n")
        ]:
            values = [row[j] for row in rows if isinstance(row[j], int | float)]
            seen += len(values)
            found += [(sheet.title, head, v) for v in values if v < LEAST]
        found += [(sheet.title, row[0], v) for row in rows if "base" in str(row[1:2]).lower()
                  for v in row[2:] if isinstance(v, int | float) and v < LEAST]  # fmt: skip
    assert seen > 10
    assert found == []


def test_where_columns_lie_on_the_components_is_said_of_enough_people_only(run):
    from psychoseg.report import build_context

    table = build_context(run).carriers.supplementary
    lines = {row.cells[0].text for row in table.rows}
    assert "Age" in lines
    assert run.survey.columns["seldom"].notna().sum() < LEAST
    assert "Seldom asked" not in lines
    assert not lines & {"Rare plan", "Yes", "No"}


def test_care_is_told_of_enough_people_only(run):
    from psychoseg.report import build_context

    rules = run.survey.quality_rules.set_index("index")
    few = rules[(rules["n_known"] > 0) & (rules["n_known"] < LEAST)]
    assert {"relative_speed", "seconds_per_item"} <= set(few.index)
    table = next(t for t in build_context(run).answering if "carefully" in t.caption)
    lines = {row.cells[0].text: row.cells[1:-1] for row in table.rows}
    for label in few["label"]:
        numbers = {c.text + c.base for c in lines[label] if re.search(r"\d", c.text + c.base)}
        assert numbers == {f"n < {LEAST}"}


def test_a_mean_over_the_people_of_a_tiny_segment_is_not_printed(run):
    from psychoseg.report import build_context

    context = build_context(run)
    tiny = next(p for p in context.personas if p.number == 3)
    assert tiny.base == "fewer than 10 people"
    assert "of resamples put its people" not in tiny.sure
    assert "stand on a border" not in tiny.sure


def test_a_row_of_the_flow_between_two_runs_rests_on_enough_people(run, comparison):
    rows = re.findall(r"<tr>(.*?)</tr>", comparison.read_text(encoding="utf-8"), re.DOTALL)
    assert not [row for row in rows if "n = 6" in row]
    of_few = [row for row in rows if "n &lt; 10" in row]
    assert of_few
    assert [row for row in of_few if re.search(r"\d%", row)] == []


def test_the_explorer_shows_no_figure_on_too_few_people(run):
    text = (run.folder / "report.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="xp-data">(.*?)</script>', text, re.DOTALL)[1])
    bases = []
    for cut in data["cuts"]:
        for segment in cut["segments"]:
            bases += [fact["base"] for fact in segment["facts"]]
            bases += [base for shown, _, base in segment["heat"] if shown]
            if segment["people"] == f"fewer than {LEAST} people":
                assert segment["facts"] == []
                assert {z for _, z, _ in segment["heat"]} == {None}
    assert len(bases) > 50
    assert min(int(b.replace(",", "")) for b in bases) >= LEAST


def test_no_score_of_a_job_beside_the_profile_gives_few_people_away(two):
    job_of = {1: ("j0", "j1"), 2: ("j2", "j3"), 3: ("j4", "j5")}
    assert two.profiles.jobs.groupby("job")["hidden"].all().tolist() == [True, True, False]
    shares, jobs = two.profiles.shares, two.profiles.jobs
    assert list(jobs.columns) == list(JOB_COLUMNS)
    checked = 0
    for r in jobs[~jobs["hidden"].astype(bool)].to_dict("records"):
        inside = two.segments.labels == r["segment"] if r["segment"] else two.segments.labels > 0
        columns = two.survey.columns
        both = inside & columns[list(job_of[r["job"]])].notna().all(axis=1).to_numpy()
        for name in job_of[r["job"]]:
            own = shares[(shares["variable"] == name) & (shares["segment"] == max(r["segment"], 1))]
            if own["hidden"].any():
                continue
            alone = int((inside & columns[name].notna().to_numpy() & ~both).sum())
            checked += 1
            assert alone == 0 or alone >= LEAST, (r["label"], name, r["segment"], alone)
    assert checked > 3


def test_two_runs_that_hide_different_cells_give_none_away_together(run, two):
    from psychoseg.segments.cuts import cut_labels

    assert run.survey.ids.tolist() == two.survey.ids.tolist()
    for name in ("age", "spend", "health"):
        values = run.scales.scores[name] if name == "health" else run.survey.columns[name]
        known = values.notna().to_numpy()
        sets = [known]
        for r in (run, two):
            table = r.profiles.by_k
            shown = table[(table["variable"] == name) & ~table["hidden"].astype(bool)]
            for k, s in zip(shown["k"], shown["segment"], strict=True):
                sets.append(known & (cut_labels(r.segments, int(k)) == s))
        assert len(sets) > 5
        # Who is in the same printed sets cannot be told apart: such groups are what one may find.
        patterns, group = np.unique(np.array(sets, dtype=float), axis=1, return_inverse=True)
        sizes = np.bincount(group.ravel(), weights=known)
        for g in np.flatnonzero((sizes > 0) & (sizes < LEAST)):
            target = np.eye(len(sizes))[g]
            mix = np.linalg.lstsq(patterns.T, target, rcond=None)[0]
            assert np.abs(patterns.T @ mix - target)[sizes > 0].max() > 1e-9, (name, sizes[g])


KEY = "a secret of sixteen signs or more"


@pytest.mark.parametrize("ids", ["pseudonym", "drop"])
def test_exports_without_ids_hold_none_anywhere(run, tmp_path, monkeypatch, ids):
    import pyreadstat

    from psychoseg.exports import write_respondents

    monkeypatch.setenv("PSYCHOSEG_KEY", KEY)
    export = run.study.export.model_copy(update={"ids": ids})
    other = replace(run, study=run.study.model_copy(update={"export": export}))
    csv_path, sav_path = write_respondents(other, tmp_path, ["csv", "sav"])
    frame, _ = pyreadstat.read_sav(str(sav_path))
    texts = [csv_path.read_text(encoding="utf-8")]
    texts += [str(v) for c in frame for v in frame[c] if isinstance(v, str)]
    if ids == "pseudonym":
        names = [hmac.new(KEY.encode(), i.encode(), hashlib.sha256).hexdigest()[:20] for i in IDS]
        assert set(pd.read_csv(csv_path)["id"]) <= set(names)
        assert frame["id"].tolist() == names
    everything = "\n".join(texts)
    assert [s for s in (*IDS, *E_MAILS, *PHONES) if s in everything][:5] == []
