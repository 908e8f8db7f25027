"""``r_scripts/confirm_scales.R``: lavaan's word on the scales of a run folder."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg.spreadsheet import harmless

#: One call takes 2 to 10 s; a busy machine may take much longer.
TIME_LIMIT = 600
#: lavaan stops where the gradient is below 1e-6 or so; statistics agree to about seven digits.
SAME = 1e-6

Confirm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def confirm(rscript: str, root: Path) -> Confirm:
    def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
        command = [rscript, str(root / "r_scripts/confirm_scales.R"), str(folder), *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)

    return run


@pytest.fixture(scope="module")
def holzinger(rscript: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of Holzinger and Swineford's nine tests (lavaan's data)."""
    study = tmp_path_factory.mktemp("holzinger")
    code = f"""
      d <- lavaan::HolzingerSwineford1939
      utils::write.csv(d, "{(study / "data.csv").as_posix()}", row.names = FALSE)
    """
    subprocess.run([rscript, "-e", code], check=True, capture_output=True, timeout=TIME_LIMIT)
    (study / "study.toml").write_text(
        """
[data]
file = "data.csv"
id = "id"
[[items]]
columns = ["x1:x9"]
[scales]
correlation = "pearson"
[[scales.scale]]
name = "Visual"
items = ["x1", "x2", "x3"]
[[scales.scale]]
name = "Textual"
items = ["x4", "x5", "x6"]
[[scales.scale]]
name = "Speed"
items = ["x7", "x8", "x9"]
[[columns]]
name = "school"
[segments]
k = 2
bootstrap = 10
"""
    )
    psychoseg.run(study, out=study / "run")
    return study / "run"


def made_answers(n: int = 600, shift: float = 0.0) -> pd.DataFrame:
    """Make two scales of three four-point items in two groups; b2 and b3 shift in the second."""
    rng = np.random.default_rng(7)
    group = np.repeat(["one", "two"], n // 2)
    factors = rng.multivariate_normal([0, 0], [[1, 0.3], [0.3, 1]], size=n)
    frame = pd.DataFrame({"id": np.arange(n) + 1000, "weight": 1.0})
    for j, item in enumerate(["a1", "a2", "a3", "b1", "b2", "b3"]):
        latent = 0.8 * factors[:, j // 3] + 0.6 * rng.standard_normal(n)
        if item in ("b2", "b3"):
            latent = latent + shift * np.where(group == "two", np.where(item == "b2", 1, -1), 0)
        frame[item] = 1.0 + np.digitize(latent, [-0.8, 0.0, 0.8])
    frame["group"] = group
    frame["number"] = np.arange(n) % 50
    return frame


def write_run(
    folder: Path, answers: pd.DataFrame, *, drop: str = "", keys: str = "", kind: str = ""
) -> Path:
    """Write what the script reads of a run folder; `drop` and `keys` name items."""
    items = [i for i in ("a1", "a2", "a3", "b1", "b2", "b3") if i not in drop.split()]
    (folder / "scales").mkdir(parents=True)
    (folder / "survey").mkdir()
    pd.DataFrame(
        {
            "item": items,
            "label": [f"Question {i}" for i in items],
            "scale": [f"scale_{i[0]}" for i in items],
            "key": [-1 if i in keys.split() else 1 for i in items],
        }
    ).to_csv(folder / "scales/items.csv", index=False)
    scales = sorted({f"scale_{i[0]}" for i in items})
    factors = pd.DataFrame({"factor": [f"F{j + 1}" for j in range(len(scales))], "scale": scales})
    factors.to_csv(folder / "scales/factors.csv", index=False)
    answers.to_csv(folder / "survey/answers.csv", index=False)
    pd.DataFrame(
        [(i, "item", 1.0, 4.0) for i in items]
        + [("group", "profile", None, None), ("number", "profile", None, None)],
        columns=["name", "role", "low", "high"],
    ).to_csv(folder / "survey/codebook.csv", index=False)
    weights = f'[weights]\ncolumn = "w"\nkind = "{kind}"\n' if kind else ""
    (folder / "study.toml").write_text(
        f"[study]\nseed = 3\n[scales]\nmin_loading = 0.3\n{weights}", encoding="utf-8"
    )
    return folder


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {f.stem: pd.read_csv(f) for f in (folder / "scales/confirm").glob("*.csv")}


def confirmed(confirm: Confirm, folder: Path, *args: str) -> dict[str, pd.DataFrame]:
    done = confirm(folder, *args)
    assert done.returncode == 0, done.stderr
    return tables(folder)


def numbers(frame: pd.DataFrame) -> np.ndarray:
    return frame.select_dtypes("number").to_numpy(dtype=float)


def assert_one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 2, done.stderr
    lines = [x for x in done.stderr.strip().splitlines() if not x.startswith("warning: ")]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]


# ---- cited values ----


def test_holzinger_swineford_has_the_fit_that_lavaan_documents(
    confirm: Confirm, holzinger: Path
) -> None:
    """Rosseel (2012), Journal of Statistical Software 48(2), section 3: lavaan's own output.

    Its groups are those of the same paper's section on invariance (lavaan's tutorial, "Multiple
    groups"): chi-square 115.851, 124.044 and 164.103. The tolerances are its rounding.
    """
    made = confirmed(confirm, holzinger, "--group", "school")
    fit = made["fit"].set_index("version").loc["standard"]
    assert fit["chi_square"] == pytest.approx(85.306, abs=5e-4)
    assert fit["df"] == 24
    assert fit["cfi"] == pytest.approx(0.931, abs=5e-4)
    assert fit["tli"] == pytest.approx(0.896, abs=5e-4)
    assert fit["rmsea"] == pytest.approx(0.092, abs=5e-4)
    assert [fit["rmsea_low"], fit["rmsea_high"]] == pytest.approx([0.071, 0.114], abs=5e-4)
    assert fit["srmr"] == pytest.approx(0.065, abs=5e-4)
    loadings = made["loadings"].set_index("item")["loading"]
    published = {"x1": 0.772, "x2": 0.424, "x3": 0.581, "x4": 0.852, "x5": 0.855, "x6": 0.838}
    published |= {"x7": 0.570, "x8": 0.723, "x9": 0.665}
    assert loadings[list(published)].to_dict() == pytest.approx(published, abs=5e-4)
    steps = made["invariance"].set_index("level")
    assert steps["df"].to_dict() == {"configural": 48, "metric": 54, "scalar": 60}
    assert steps["chi_square_standard"].to_numpy() == pytest.approx(
        [115.851, 124.044, 164.103], abs=5e-4
    )
    assert steps["holds"].to_list()[1:] == [True, False]


# ---- what must hold ----


def test_items_may_be_called_what_the_first_columns_are(confirm: Confirm, tmp_path: Path) -> None:
    """Id and weight are the first two columns of the answers, an item may have their names."""
    answers = made_answers()
    answers["weight"] = np.where(np.arange(len(answers)) % 2, 0.5, 1.5)
    plain = confirmed(confirm, write_run(tmp_path / "plain", answers), "--split-half")
    folder = write_run(tmp_path / "run", answers)
    names = {"a1": "weight", "a2": "id", "b1": "name"}
    for file in ("scales/items.csv", "survey/codebook.csv"):
        frame = pd.read_csv(folder / file)
        frame.replace({"item": names, "name": names}).to_csv(folder / file, index=False)
    answers.rename(columns=names).to_csv(folder / "survey/answers.csv", index=False)
    named = confirmed(confirm, folder, "--split-half")
    for table in ("fit", "loadings", "factor_correlations"):
        np.testing.assert_array_equal(numbers(named[table]), numbers(plain[table]))
    assert set(names.values()) < set(named["loadings"]["item"])


def test_names_that_a_spreadsheet_would_run_are_found_and_guarded_again(
    confirm: Confirm, tmp_path: Path
) -> None:
    plain = confirmed(confirm, write_run(tmp_path / "plain", made_answers()), "--group", "group")
    folder = write_run(tmp_path / "signs", made_answers())
    named = {"a1": "=a1", "a2": "+a2", "b1": "-b1", "b2": "@b2", "group": "=group", "one": "=1+1"}
    for file in folder.glob("s*/*.csv"):
        frame = pd.read_csv(file).rename(columns=named).replace(named)
        frame = frame.replace("scale_a", "=scale_a")
        text = frame.select_dtypes(["object", "str"]).columns
        frame[text] = frame[text].map(lambda x: harmless(x) if isinstance(x, str) else x)
        frame.rename(columns=harmless).to_csv(file, index=False)
    found = confirmed(confirm, folder, "--group", "=group")
    assert found["loadings"]["item"].tolist() == ["'=a1", "'+a2", "a3", "'-b1", "'@b2", "b3"]
    assert found["loadings"]["scale"].tolist() == ["'=scale_a"] * 3 + ["scale_b"] * 3
    assert (found["invariance"]["column"] == "'=group").all()
    for name in ("fit", "loadings", "invariance"):
        # The groups are of one size, so that their names decide which is the first.
        np.testing.assert_allclose(numbers(found[name]), numbers(plain[name]), rtol=1e-3)


def test_progress_is_told_with_how_long_the_groups_take_unless_quiet(
    confirm: Confirm, tmp_path: Path
) -> None:
    folder = write_run(tmp_path, made_answers())
    done = confirm(folder, "--group", "group")
    steps = [x for x in done.stderr.splitlines() if re.match(r"\[ *\d+ s\] ", x)]
    assert "fitting 2 scales of 6 items to 600 respondents by WLSMV" in steps[0]
    assert re.search(r"invariance over group: 4 models of 2 groups, about \d+ s", steps[1])
    assert [x.split()[-2] for x in steps[2:6]] == ["configural", "thresholds", "metric", "scalar"]
    quiet = confirm(folder, "--group", "group", "--quiet")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert quiet.stdout == done.stdout


@pytest.mark.parametrize(("shift", "scalar"), [(0.0, True), (0.8, False)])
def test_items_that_shift_in_one_group_break_scalar_invariance_alone(
    confirm: Confirm, tmp_path: Path, shift: float, scalar: bool
) -> None:
    folder = write_run(tmp_path / "run", made_answers(shift=shift))
    steps = confirmed(confirm, folder, "--group", "group")["invariance"].set_index("level")
    # Wu and Estabrook's counts: 3 thresholds - 2, loadings less variances, intercepts less means.
    assert steps["delta_df"].to_list()[1:] == [6, 4, 4]
    assert steps.loc[["thresholds", "metric"], "holds"].eq(True).all()
    assert steps.loc["scalar", "holds"] == scalar


def test_row_order_changes_nothing(confirm: Confirm, tmp_path: Path) -> None:
    answers = made_answers()
    shuffled = answers.sample(frac=1, random_state=1)
    first = confirmed(confirm, write_run(tmp_path / "a", answers), "--split-half")
    second = confirmed(confirm, write_run(tmp_path / "b", shuffled), "--split-half")
    for name in first:
        pd.testing.assert_frame_equal(first[name], second[name])


def test_the_planted_scales_come_back_in_the_second_half(confirm: Confirm, tmp_path: Path) -> None:
    made = confirmed(confirm, write_run(tmp_path / "run", made_answers()), "--split-half")
    assert made["split_half"]["same"].all()
    assert (made["split_half"]["n_explored"] + made["split_half"]["n_confirmed"] == 600).all()
    # Planted at .8; the standard error of a loading at n = 300 is about .04.
    assert made["split_half"]["loading_confirmed"].to_numpy() == pytest.approx(0.8, abs=0.12)
    assert set(made["fit"]["model"]) == {"all respondents", "second half"}


def test_frequency_weights_equal_repeated_rows(confirm: Confirm, tmp_path: Path) -> None:
    answers = made_answers(300)
    times = 1 + np.arange(300) % 3
    repeated = answers.loc[answers.index.repeat(times)].assign(weight=1.0)
    weighted = write_run(tmp_path / "a", answers.assign(weight=times), kind="frequency")
    first = confirmed(confirm, weighted)
    second = confirmed(confirm, write_run(tmp_path / "b", repeated))
    for name in ("fit", "loadings", "factor_correlations"):
        np.testing.assert_allclose(numbers(first[name]), numbers(second[name]), atol=SAME)


def test_sampling_weights_count_and_rescaling_them_changes_nothing(
    confirm: Confirm, tmp_path: Path
) -> None:
    answers = made_answers()
    w = np.random.default_rng(2).uniform(0.4, 1.6, len(answers))
    first = confirmed(confirm, write_run(tmp_path / "a", answers.assign(weight=w), kind="sampling"))
    second = confirmed(
        confirm, write_run(tmp_path / "b", answers.assign(weight=5 * w), kind="sampling")
    )
    plain = confirmed(confirm, write_run(tmp_path / "c", answers))
    for name in ("fit", "loadings"):
        np.testing.assert_allclose(numbers(first[name]), numbers(second[name]), atol=SAME)
    moved = np.abs(first["loadings"]["loading"] - plain["loadings"]["loading"]).max()
    assert moved > 1e-3
    assert first["notes"].set_index("topic").loc["weights", "note"].startswith("Sampling weights")


def test_an_item_keyed_the_other_way_is_turned(confirm: Confirm, tmp_path: Path) -> None:
    answers = made_answers()
    turned = answers.assign(a2=5 - answers["a2"])
    first = confirmed(confirm, write_run(tmp_path / "a", answers))
    second = confirmed(confirm, write_run(tmp_path / "b", turned, keys="a2"))
    np.testing.assert_allclose(numbers(first["fit"]), numbers(second["fit"]), atol=SAME)
    assert (second["loadings"]["loading"] > 0.5).all()


def test_a_scale_of_two_items_has_equal_loadings_and_says_so(
    confirm: Confirm, tmp_path: Path
) -> None:
    made = confirmed(confirm, write_run(tmp_path / "run", made_answers(), drop="b3"))
    two = made["loadings"].set_index("scale").loc["scale_b", "loading"]
    assert two.iloc[0] == pytest.approx(two.iloc[1], abs=SAME)
    assert made["fit"]["df"].eq(5).all()  # 10 correlations - 4 loadings - 1 correlation of scales
    assert "scale_b" in made["notes"].set_index("topic").loc["two items", "note"]


def test_a_call_that_fails_leaves_the_earlier_tables(confirm: Confirm, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", made_answers())
    before = confirmed(confirm, folder)
    assert confirm(folder, "--group", "number").returncode == 2
    after = tables(folder)
    assert after.keys() == before.keys()
    assert {f.name for f in (folder / "scales").iterdir()} == {
        "items.csv",
        "factors.csv",
        "confirm",
    }


# ---- errors ----


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["--group", "colour"], ["colour", "no such column", "group, number"]),
        (["--group", "number"], ["number", "50 different values"]),
        (["--estimator", "ULS"], ["--estimator is ULS"]),
        (["--seed", "x"], ["--seed is x"]),
        (["--group"], ["--group needs a value"]),
        (["--grup", "x"], ["unknown option --grup"]),
    ],
)
def test_a_wrong_option_is_one_sentence(
    confirm: Confirm, tmp_path: Path, args: list[str], parts: list[str]
) -> None:
    folder = write_run(tmp_path / "run", made_answers())
    assert_one_sentence(confirm(folder, *args), *parts)


def test_groups_too_small_are_counted(confirm: Confirm, tmp_path: Path) -> None:
    answers = made_answers()
    answers["group"] = np.where(np.arange(600) < 560, "many", "few")
    folder = write_run(tmp_path / "run", answers)
    assert_one_sentence(confirm(folder, "--group", "group"), "many (560)", "few (40)")


def test_an_answer_nobody_gave_in_a_group_is_named(confirm: Confirm, tmp_path: Path) -> None:
    answers = made_answers()
    answers["a1"] = answers["a1"].where((answers["group"] == "one") | (answers["a1"] < 4), 3)
    folder = write_run(tmp_path / "run", answers)
    assert_one_sentence(
        confirm(folder, "--group", "group"), "nobody in two gave a1", "number 4 of 4", "ML"
    )


def test_a_lone_scale_of_two_items_cannot_be_tested(confirm: Confirm, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", made_answers(), drop="a3 b1 b2 b3")
    assert_one_sentence(confirm(folder), "scale_a", "two items", "third item")


def test_wlsmv_refuses_items_of_many_answers(confirm: Confirm, tmp_path: Path) -> None:
    answers = made_answers()
    answers["a1"] = np.arange(600) % 30
    folder = write_run(tmp_path / "run", answers)
    assert_one_sentence(confirm(folder, "--estimator", "WLSMV"), "a1 has 30", "--estimator ML")


def test_absent_lavaan_is_named_with_its_debian_package(root: Path, rscript: str) -> None:
    code = f"""
      source("{(root / "r_scripts/confirm_scales.R").as_posix()}")
      requireNamespace <- function(package, ...) package != "lavaan"
      tryCatch(main("x", list()), user_error = function(e) cat(e$message))
    """
    done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, timeout=TIME_LIMIT)
    assert "R lacks lavaan: " in done.stdout, done.stderr
    assert "apt-get install r-cran-lavaan`" in done.stdout
