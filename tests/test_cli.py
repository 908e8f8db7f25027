"""The command line: exit codes, messages, progress, and that wrong input writes nothing."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from psychoseg.cli import main

STUDY = """
[data]
file = "answers.csv"
id = "id"

[[items]]
columns = ["q*"]
range = [1, 5]

[segments]
bootstrap = 10
"""


def answers(n=80, p=6, seed=1):
    rng = np.random.default_rng(seed)
    latent = np.repeat(rng.standard_normal((n, 2)), p // 2, axis=1)
    x = np.clip(np.round(3 + 0.9 * latent + 0.6 * rng.standard_normal((n, p))), 1, 5).astype(int)
    header = ["id", *(f"q{j + 1}" for j in range(p))]
    return [header, *([f"{i:04d}", *map(str, row)] for i, row in enumerate(x))]


def write(folder: Path, rows, study=STUDY, **files) -> Path:
    folder.mkdir(exist_ok=True)
    text = "\n".join(",".join(row) for row in rows) + "\n"
    (folder / "answers.csv").write_text(text, encoding="utf-8")
    (folder / "study.toml").write_text(study, encoding="utf-8")
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)
    return folder


def changed(rows, row, column, value):
    out = [list(r) for r in rows]
    out[row][column] = value
    return out


MERGE = '\n[[merge]]\nfile = "extra.csv"\nid = "id"\nexpect = "{}"\n'

#: What is wrong -> (rows, study, other files, what the message must say).
BAD = {
    "missing file": (answers(), STUDY.replace("answers.csv", "answer.csv"), {}, ["answer.csv"]),
    "unknown key": (
        answers(),
        STUDY.replace("bootstrap", "bootstrp"),
        {},
        ["line 11", "bootstrp", "Did you mean bootstrap?"],
    ),
    "unknown column": (
        answers(),
        STUDY + '\n[[columns]]\nname = "q9x"\n',
        {},
        ["q9x"],
    ),
    "duplicate ids": (changed(answers(), 5, 0, "0001"), STUDY, {}, ["0001"]),
    "fan-out join": (
        answers(),
        STUDY + MERGE.format("many_to_one"),
        {"extra": b"id,town\n0001,Ulm\n0001,Bonn\n"},
        ["extra.csv", "0001"],
    ),
    "constant item": (
        [answers()[0], *([*row[:-1], "3"] for row in answers()[1:])],
        STUDY,
        {},
        ["q6"],
    ),
    "text in an item": (changed(answers(), 7, 2, "often"), STUDY, {}, ["q2", "often"]),
    "code out of range": (changed(answers(), 7, 2, "9"), STUDY, {}, ["q2", "9"]),
    "fewer respondents than items": (answers(5), STUDY, {}, ["6 items", "5 respondents"]),
    "stray quotes": (
        changed(changed(answers(), 10, 1, '"3'), 60, 6, '4"'),
        STUDY,
        {},
        ["answers.csv", "quote", "11"],
    ),
    "wrong encoding": (
        changed(answers(), 1, 0, "Jürgen"),
        STUDY.replace('id = "id"', 'id = "id"\nencoding = "ascii"'),
        {},
        ["ascii"],
    ),
    "all answers missing": (
        [answers()[0], *([row[0], *[""] * 6] for row in answers()[1:])],
        STUDY,
        {},
        ["answer"],
    ),
    "negative weights": (
        [[*r, w] for r, w in zip(answers(), ["w", "-1", *["1"] * 79], strict=True)],
        STUDY + '\n[weights]\ncolumn = "w"\n',
        {},
        ["w", "-1"],
    ),
    "infinite range": (
        answers(),
        STUDY.replace("[1, 5]", "[-inf, inf]"),
        {},
        ["items[1].range", "finite"],
    ),
    "k of one": (
        answers(),
        STUDY.replace("bootstrap = 10", "bootstrap = 10\nk = 1"),
        {},
        ["line 12", "segments.k", "a whole number from 2"],
    ),
    "scale with an item twice": (
        answers(),
        STUDY + '\n[[scales.scale]]\nname = "s"\nitems = ["q1", "q1"]\n',
        {},
        ["lists q1 more than once"],
    ),
    "infinite column": (
        [[*r, a] for r, a in zip(answers(), ["age", "1e400", *["30"] * 79], strict=True)],
        STUDY + '\n[[columns]]\nname = "age"\ntype = "numeric"\nuse = "active"\n',
        {},
        ["age", "1e400"],
    ),
    "no such codec": (
        answers(),
        STUDY.replace('id = "id"', 'id = "id"\nencoding = "punycode"'),
        {},
        ["punycode"],
    ),
    "k larger than n": (
        answers(),
        STUDY.replace("bootstrap = 10", "bootstrap = 10\nk = 500"),
        {},
        ["k = 500"],
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_input_exits_2_says_what_and_writes_nothing(case, tmp_path, capsys):
    rows, study, files, said = BAD[case]
    folder = write(tmp_path / "study", rows, study, **files)
    before = sorted(p.name for p in folder.rglob("*"))
    assert main(["run", str(folder)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("psychoseg: ")
    assert "Traceback" not in captured.err
    for words in said:
        assert words in captured.err, captured.err
    assert sorted(p.name for p in folder.rglob("*")) == before


def test_every_bad_input_has_its_own_message(tmp_path, capsys):
    messages = set()
    for case, (rows, study, files, _) in BAD.items():
        main(["run", str(write(tmp_path / case.replace(" ", "_"), rows, study, **files))])
        messages.add(capsys.readouterr().err.replace(case.replace(" ", "_"), ""))
    assert len(messages) == len(BAD)


def test_a_run_exits_0_and_prints_where_the_report_is(tmp_path, capsys):
    folder = write(tmp_path / "study", answers())
    assert main(["run", str(folder)]) == 0
    printed = capsys.readouterr()
    assert "80 respondents read, 80 segmented, 0 excluded" in printed.out
    lines = printed.out.splitlines()
    report = Path(next(s for s in lines if s.startswith("Report: ")).removeprefix("Report: "))
    assert report.is_file()
    assert report.parent.parent == folder / "runs"
    assert printed.err == ""


def test_quiet_prints_nothing(tmp_path, capsys):
    folder = write(tmp_path / "study", answers())
    assert main(["run", str(folder / "study.toml"), "--quiet", "--out", str(tmp_path / "r")]) == 0
    assert capsys.readouterr() == ("", "")
    assert (tmp_path / "r" / "report.html").is_file()


def test_verbose_prints_the_warnings_in_full(tmp_path, capsys):
    rows = answers()
    turned = [rows[0], *([*r[:-1], str(6 - int(r[-1]))] for r in rows[1:])]
    folder = write(tmp_path / "study", turned)
    main(["run", str(folder), "--out", str(tmp_path / "a")])
    brief = capsys.readouterr().out
    assert "Warnings:\n  - " in brief
    assert "  - in the scale q6, these count the other way: q5; q4\n" in brief
    main(["run", str(folder), "--verbose", "--out", str(tmp_path / "b")])
    out = capsys.readouterr().out
    assert "in the scale q6, these count the other way: q5; q4" in out


def test_a_long_warning_takes_two_lines_of_the_terminal_and_verbose_has_all_of_it(tmp_path, capsys):
    rows = answers()
    loose = np.random.default_rng(2).integers(1, 6, (80, 2)).astype(str)
    wide = [[*rows[0], "q7", "q8"], *([*r, *x] for r, x in zip(rows[1:], loose, strict=True))]
    named = '[[scales.scale]]\nname = "Loose"\nitems = ["q7", "q8"]\n[[scales.scale]]\n'
    named += 'name = "Sound"\nitems = ["q1", "q2", "q3"]\n'
    folder = write(tmp_path / "study", wide, STUDY + named)
    main(["run", str(folder), "--out", str(tmp_path / "a")])
    brief = capsys.readouterr().out
    assert "Warnings (--verbose and manifest.json have them in full):\n  - " in brief
    line = next(x for x in brief.splitlines() if x.startswith("  - the scale Loose has a"))
    assert len(line) <= 164
    assert line.endswith(" …")
    main(["run", str(folder), "--verbose", "--out", str(tmp_path / "b")])
    assert line.removesuffix(" …") in capsys.readouterr().out.replace("Warnings:\n", "")


def test_where_most_of_the_sample_is_lost_the_first_line_says_so_and_why(tmp_path, capsys):
    rows = answers(240)
    lost = [[*r[:2], "", "", "", "", ""] if i % 3 else r for i, r in enumerate(rows[1:])]
    folder = write(tmp_path / "study", [rows[0], *lost])
    out = tmp_path / "r"
    assert main(["run", str(folder), "--out", str(out)]) == 0
    told = capsys.readouterr().out
    first = "Most of the sample is lost: 160 of 240 respondents (67%) are left out (160: "
    assert told.startswith(first)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["warnings"][0]["message"].startswith(first)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.index(first) < page.index("At a glance")


def test_a_fault_of_ours_exits_1_and_says_so(tmp_path, capsys, monkeypatch):
    import psychoseg.runs

    def broken(*_, **__):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(psychoseg.runs, "fit_scales", broken)
    folder = write(tmp_path / "study", answers())
    assert main(["run", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "a fault in psychoseg, not in your data: ZeroDivisionError: oops" in said
    assert "--verbose" in said


def test_progress_is_shown_on_a_terminal_and_not_when_piped(root, tmp_path):
    folder = write(tmp_path / "study", answers())
    command = [sys.executable, "-m", "psychoseg.cli", "run", str(folder)]
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert piped.stderr == ""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    process.wait(timeout=60)
    os.close(ours)
    assert b"Growing the tree" in shown


def test_doctor_names_every_component(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for name in ("Python", "numpy", "factor-analyzer", "rpy2", "psych"):
        assert name in printed


def test_an_unknown_engine_exits_2(tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["run", str(tmp_path), "--engine", "spss"])
    assert stop.value.code == 2


def test_a_system_error_exits_2_and_names_the_path(tmp_path, capsys, monkeypatch):
    import psychoseg.runs

    def full(*_, **__):
        raise OSError(28, "No space left on device", "/somewhere/report.html")

    monkeypatch.setattr(psychoseg.runs, "write_tables", full)
    folder = write(tmp_path / "study", answers())
    assert main(["run", str(folder)]) == 2
    assert "/somewhere/report.html: No space left on device" in capsys.readouterr().err
    assert not (folder / "runs").exists()


def test_columns_with_the_same_label_and_internal_names_do_no_harm(tmp_path, capsys):
    rng = np.random.default_rng(2)
    rows = answers()
    rows[0] = [*rows[0][:1], "item", *rows[0][2:], "a", "b"]
    for i, row in enumerate(rows[1:]):
        row += ["" if i == 3 else str(rng.integers(20, 60)), str(rng.integers(1, 9))]
    study = STUDY.replace('["q*"]', '["item", "q*"]')
    for name in ("a", "b"):
        study += f'\n[[columns]]\nname = "{name}"\nlabel = "Same"\nuse = "active"\n'
        study += 'type = "numeric"\n'
    folder = write(tmp_path / "study", rows, study)
    assert main(["run", str(folder), "--out", str(tmp_path / "run")]) == 0
    assert "79 segmented, 1 excluded" in capsys.readouterr().out
    ledger = (tmp_path / "run" / "survey" / "ledger.csv").read_text()
    assert "no value for Same" in ledger


def test_a_label_of_thousands_of_letters_does_not_hang(tmp_path):
    rows = answers()
    study = STUDY + f'\n[items.labels]\nq1 = "{"x" * 5000}"\nq2 = "{"word " * 900}"\n'
    study = study.replace("[segments]\nbootstrap = 10\n", "") + "\n[segments]\nbootstrap = 10\n"
    command = [
        sys.executable,
        "-m",
        "psychoseg",
        "run",
        str(write(tmp_path / "study", rows, study)),
    ]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


def test_a_scale_cannot_take_the_name_of_another_column(tmp_path):
    import pandas as pd

    study = STUDY + '\n[[scales.scale]]\nname = "Segment"\nitems = ["q1", "q2", "q3"]\n'
    study += '\n[[scales.scale]]\nname = "Id"\nitems = ["q4", "q5", "q6"]\n'
    folder = write(tmp_path / "study", answers(), study)
    main(["run", str(folder), "--quiet", "--out", str(tmp_path / "run")])
    header = (tmp_path / "run" / "respondents.csv").read_text().splitlines()[0].split(",")
    assert len(header) == len(set(header))
    assert pd.read_csv(tmp_path / "run" / "respondents.csv")["segment"].between(1, 10).all()
