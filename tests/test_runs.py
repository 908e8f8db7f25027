"""Runs end to end: what a run folder holds, that it is the same twice, and that nothing half-
written stays."""

import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import psychoseg
from psychoseg.stats.validity import adjusted_rand

STUDIES = Path(__file__).parent / "studies"


@pytest.fixture(scope="session")
def fitness_run(root, tmp_path_factory):
    return psychoseg.run(
        root / "surveys" / "fitness_app", out=tmp_path_factory.mktemp("runs") / "fitness"
    )


def copied(root, tmp_path, name="fitness_app"):
    folder = tmp_path / name
    shutil.copytree(root / "surveys" / name, folder, ignore=shutil.ignore_patterns("runs"))
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_the_run_folder_holds_what_it_promises(fitness_run):
    names = set(files_of(fitness_run.folder))
    assert {
        "manifest.json",
        "study.toml",
        "report.html",
        "respondents.csv",
        "survey/ledger.csv",
        "survey/codebook.csv",
        "scales/loadings.csv",
        "scales/items.csv",
        "segments/tree.csv",
        "segments/choice.csv",
        "profiles/means.csv",
        "profiles/drivers.csv",
    } <= names
    assert [p.name for p in fitness_run.folder.parent.iterdir()] == ["fitness"]


def test_respondents_start_with_the_id_and_keep_it_as_text(root, fitness_run):
    written = pd.read_csv(fitness_run.folder / "respondents.csv", dtype=str)
    assert written.columns[0] == "id"
    assert "segment" in written.columns
    with (root / "surveys" / "fitness_app" / "survey.csv").open(encoding="utf-8", newline="") as f:
        ids = [row[0] for row in csv.reader(f)][1:]
    assert list(written["id"]) == [i for i in ids if i in set(written["id"])]
    assert any(i.startswith("0") for i in written["id"])


def test_what_both_engines_warn_of_is_told_once(root, tmp_path, monkeypatch):
    """A second engine meets the same answers; here it is Python's own again, and needs no R."""
    from psychoseg import agreement, runs
    from psychoseg.engines import get_engine
    from psychoseg.errors import tell

    def warning(said: str):
        def fit(*args, **settings):
            tell("two items are alike")
            tell(said)
            return psychoseg.fit_scales(*args, **settings)

        return fit

    monkeypatch.setattr(runs, "_engines", lambda _: (get_engine("python"), get_engine("python")))
    monkeypatch.setattr(runs, "fit_scales", warning("of the first"))
    monkeypatch.setattr(agreement, "fit_scales", warning("of the second"))
    run = psychoseg.run(copied(root, tmp_path), out=tmp_path / "run")
    told = run.warnings.set_index("message")["stage"]
    assert told["two items are alike"] == "scales"
    assert (told["of the first"], told["of the second"]) == ("scales", "agreement")
    assert told.index.is_unique


def test_everybody_read_is_kept_or_in_the_ledger(root, fitness_run):
    with (root / "surveys" / "fitness_app" / "survey.csv").open(encoding="utf-8", newline="") as f:
        read = {row[0] for row in csv.reader(f)} - {"user_id"}
    kept = set(pd.read_csv(fitness_run.folder / "respondents.csv", dtype=str)["id"])
    ledger = pd.read_csv(fitness_run.folder / "survey" / "ledger.csv", dtype=str)
    excluded = set(ledger.loc[ledger["effect"] == "excluded", "respondent"])
    assert kept | excluded == read
    assert not kept & excluded
    assert ledger["reason"].notna().all()


def test_the_manifest_says_what_went_in_and_what_made_it(root, fitness_run):
    manifest = json.loads((fitness_run.folder / "manifest.json").read_text(encoding="utf-8"))
    for entry in manifest["inputs"]:
        content = (root / "surveys" / "fitness_app" / entry["file"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    assert {"survey", "scales", "segments", "profiles", "report"} <= set(manifest["seconds"])
    assert manifest["seed"] == fitness_run.study.study.seed
    assert {"psychoseg", "python", "numpy", "scipy"} <= set(manifest["versions"])
    respondents = manifest["respondents"]
    assert respondents["read"] == respondents["kept"] + respondents["excluded"] == 1200


def test_the_study_as_used_runs_again_and_spells_out_every_default(root, fitness_run):
    again = psychoseg.load_study(fitness_run.folder / "study.toml")
    assert again.model_dump() == fitness_run.study.model_dump()
    assert "stable_jaccard" in (fitness_run.folder / "study.toml").read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_bytes_whatever_the_threads(root, fitness_run, tmp_path):
    env = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    subprocess.run(
        [
            *(sys.executable, "-m", "psychoseg.cli", "run", "surveys/fitness_app"),
            *("--quiet", "--out", str(tmp_path / "again")),
        ],
        cwd=root,
        env=env,
        check=True,
    )
    a, b = files_of(fitness_run.folder), files_of(tmp_path / "again")
    for files in (a, b):
        files.pop("manifest.json")
    assert {n for n in a if a[n] != b.get(n)} == set()
    assert set(a) == set(b)


def test_shuffled_rows_and_columns_change_only_the_order_of_the_output(root, fitness_run, tmp_path):
    folder = copied(root, tmp_path)
    # A range of columns means file order; the same items by their names.
    study = (folder / "study.toml").read_text(encoding="utf-8")
    assert study.count('["wl_1:pr_6"]') == 1
    study = study.replace(
        '["wl_1:pr_6"]', '["wl_*", "mg_*", "he_*", "so_*", "te_*", "wp_*", "pr_*"]'
    )
    (folder / "study.toml").write_text(study, encoding="utf-8")
    rng = random.Random(3)
    for name in ("survey.csv", "purchases.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as f:
            header, *rows = csv.reader(f)
        rng.shuffle(rows)
        order = list(range(len(header)))
        rng.shuffle(order)
        with (folder / name).open("w", encoding="utf-8", newline="") as f:
            writer = csv.writer(f)
            writer.writerows([[row[i] for i in order] for row in [header, *rows]])
    again = psychoseg.run(folder, out=tmp_path / "again")
    a, b = (r.respondents.set_index("id").sort_index() for r in (fitness_run, again))
    pd.testing.assert_frame_equal(a, b[a.columns], check_exact=True)
    for table in ("segments/tree.csv", "segments/choice.csv", "profiles/personas.csv"):
        one, two = (pd.read_csv(r.folder / table) for r in (fitness_run, again))
        # The typical respondent is given by his row, which a shuffle moves.
        pd.testing.assert_frame_equal(
            one.drop(columns="typical_row", errors="ignore"),
            two.drop(columns="typical_row", errors="ignore"),
            check_exact=True,
        )


def test_another_seed_keeps_clear_segments(root, fitness_run, tmp_path):
    again = psychoseg.run(root / "surveys" / "fitness_app", out=tmp_path / "again", seed=99)
    assert adjusted_rand(again.segments.labels, fitness_run.segments.labels) == 1
    assert again.manifest["seed"] == 99


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_run_leaves_no_folder(root, tmp_path, sig):
    folder = copied(root, tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "psychoseg.cli", "run", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    # Kill it while it writes, or at the latest three seconds in.
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline and process.poll() is None:
        if list(folder.glob("runs/.*")):
            break
        time.sleep(0.01)
    process.send_signal(sig)
    process.wait(timeout=60)
    assert process.returncode == (130 if sig != signal.SIGKILL else -9)
    runs = list((folder / "runs").iterdir()) if (folder / "runs").exists() else []
    assert [p for p in runs if not p.name.startswith(".")] == []
    if sig != signal.SIGKILL:
        assert runs == []


def test_a_failed_report_leaves_nothing_and_the_next_run_sweeps_up(root, tmp_path):
    from psychoseg.runs import run_study

    folder = copied(root, tmp_path)

    def broken(run, where, formats):
        (where / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_study(folder, write_report=broken)
    assert not (folder / "runs").exists()
    dead = folder / "runs" / ".20200101-000000.partial-999999999"
    dead.mkdir(parents=True)
    run_study(folder)
    assert not dead.exists()


def test_an_earlier_run_is_replaced_and_other_files_are_not(root, tmp_path):
    folder = copied(root, tmp_path)
    first = psychoseg.run(folder, out=tmp_path / "run")
    (first.folder / "survey" / "old.csv").write_text("old")
    psychoseg.run(folder, out=tmp_path / "run")
    assert not (tmp_path / "run" / "survey" / "old.csv").exists()
    (first.folder / "notes.docx").write_text("what the client said")
    with pytest.raises(psychoseg.StudyError, match=r"holds notes\.docx"):
        psychoseg.run(folder, out=tmp_path / "run")
    assert (first.folder / "notes.docx").exists()
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.docx").write_text("years of work")
    with pytest.raises(psychoseg.StudyError, match="not a run of psychoseg"):
        psychoseg.run(folder, out=precious)
    assert (precious / "thesis.docx").read_text() == "years of work"


@pytest.mark.parametrize("name", ["young_people", "cola", "hsq", "gss_values", "star_wars"])
def test_real_surveys_run_to_a_report_without_touching_the_data(shared_data, tmp_path, name):
    result = psychoseg.run(STUDIES / name, out=tmp_path / name)
    html = (tmp_path / name / "report.html").read_text(encoding="utf-8")
    assert result.segments.reason in html.replace("&#39;", "'")
    kept = (result.segments.labels > 0).sum()
    excluded = (result.survey.ledger["effect"] == "excluded").sum()
    assert kept + excluded == result.survey.n_read


def test_big_five_has_the_numbers_psych_prints(root, tmp_path):
    result = psychoseg.run(root / "surveys" / "big_five", out=tmp_path / "run")
    # psych 2.2.9 on psychTools 2.2.9: KMO .8459 (n = 2800, pairwise).
    assert result.scales.kmo == pytest.approx(0.8459, abs=5e-5)
    assert result.survey.n == 2800
    # One cloud of people is not sold as groups.
    assert result.segments.verdict == "constructed"
    assert result.segments.tied_merges > 0


def test_nothing_but_a_run_folder_is_ever_replaced(root, tmp_path):
    folder = copied(root, tmp_path)
    (folder / "manifest.json").write_text("{}")
    fake = tmp_path / "fake"
    fake.mkdir()
    (fake / "manifest.json").write_text("{}")
    link = tmp_path / "link"
    link.symlink_to(fake)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    before = files_of(folder)
    for out in (folder, tmp_path, fake, link, pipe):
        with pytest.raises(psychoseg.StudyError, match="--out"):
            psychoseg.run(folder, out=out)
    assert files_of(folder) == before
    assert link.is_symlink()
    assert pipe.is_fifo()


def test_runs_begun_in_the_same_second_keep_both(root, tmp_path, monkeypatch):
    from psychoseg import runs

    folder = copied(root, tmp_path)
    monkeypatch.setattr(runs, "_run_folder", lambda study, out: study.folder / "runs" / "now")
    first, second = runs.run_study(folder), runs.run_study(folder)
    assert (first.folder.name, second.folder.name) == ("now", "now-2")
    assert (first.folder / "manifest.json").is_file()
    assert (second.folder / "manifest.json").is_file()
