"""The scripts in ``r_scripts/``, run as a researcher runs them: through Rscript, on real input."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg.stats.dimension import _with_items_enough, next_eigenvalue, parallel_analysis
from psychoseg.stats.dimension_rules import empirical_kaiser
from psychoseg.stats.linkage import cut_tree
from psychoseg.stats.parallel import _precision
from psychoseg.stats.polychoric import polychoric
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import load_study

#: One run of a script takes 5 to 10 s here; a busy machine may take much longer.
TIME_LIMIT = 300
#: Okabe and Ito's colours in segment order, as report.html has them; fitness_app has five segments.
SEGMENT_COLOURS = ("0072B2", "E69F00", "009E73", "CC79A7", "56B4E9")
PICTURES = ("dendrogram", "silhouette", "map", "heatmap")

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def script(rscript: str, root: Path) -> Script:
    """Return a function that runs a script of ``r_scripts/`` with arguments."""

    def run(name: str, *args: str | Path) -> subprocess.CompletedProcess[str]:
        command = [rscript, str(root / "r_scripts" / name), *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)

    return run


@pytest.fixture(scope="session")
def run_folder(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of the fitness app, written by the Python package."""
    folder = tmp_path_factory.mktemp("runs") / "fitness_app"
    psychoseg.run(root / "surveys/fitness_app", out=folder)
    return folder


@pytest.fixture(scope="session")
def report(script: Script, run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports") / "with a space"
    done = script("persona_report.R", run_folder, folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def r_run(script: Script, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of the fitness app, written by R alone."""
    folder = tmp_path_factory.mktemp("r_runs") / "fitness_app"
    done = script("segment_survey.R", root / "surveys/fitness_app", folder)
    assert done.returncode == 0, done.stderr
    return folder


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", dtype={"id": str, "respondent": str})


def assert_one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Check exit status 2 and a single line on stderr that holds the parts."""
    assert done.returncode == 2, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]


# ---- both scripts ----


@pytest.mark.parametrize("name", ["persona_report.R", "segment_survey.R"])
def test_help_prints_the_usage(script: Script, name: str) -> None:
    done = script(name, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: Rscript {name} ")
    assert not done.stderr


@pytest.mark.parametrize("name", ["persona_report.R", "segment_survey.R"])
def test_no_argument_prints_the_usage_and_fails(script: Script, name: str) -> None:
    done = script(name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Usage: Rscript {name} ")


@pytest.mark.parametrize("name", ["persona_report.R", "segment_survey.R"])
def test_a_folder_that_is_not_there_is_named(script: Script, tmp_path: Path, name: str) -> None:
    assert_one_sentence(script(name, tmp_path / "nowhere"), str(tmp_path / "nowhere"))


@pytest.mark.parametrize("name", ["persona_report.R", "segment_survey.R"])
def test_an_unknown_option_is_named(script: Script, name: str) -> None:
    assert_one_sentence(script(name, "--outt"), "--outt", "--help")


def test_an_absent_r_package_is_named_with_its_debian_package(root: Path, rscript: str) -> None:
    code = f"""
      source("{(root / "r_scripts/persona_report.R").as_posix()}")
      requireNamespace <- function(package, ...) package != "dendextend"
      tryCatch(need_packages(c("cluster", "dendextend")), user_error = function(e) cat(e$message))
    """
    done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, timeout=TIME_LIMIT)
    assert "R lacks dendextend: " in done.stdout, done.stderr
    assert "apt-get install r-cran-dendextend`" in done.stdout


# ---- install.sh ----


def test_install_prints_its_usage(root: Path) -> None:
    command = ["sh", str(root / "r_scripts/install.sh"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: sh r_scripts/install.sh")


def test_install_without_apt_says_what_to_install(root: Path, tmp_path: Path) -> None:
    sh = shutil.which("sh")
    assert sh is not None
    done = subprocess.run(
        [sh, str(root / "r_scripts/install.sh")],
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path)},
    )
    assert_one_sentence(done, "no apt-get", "r-cran-rcpptoml")


def fake_programs(folder: Path, installed: str, user: int) -> dict[str, str]:
    """Make an apt-get that writes down its arguments, and a dpkg-query that knows some packages."""
    programs = {
        "apt-get": f'echo "$DEBIAN_FRONTEND $*" >> "{folder}/calls"',
        "dpkg-query": f'for last; do :; done; case " {installed} " in *" $last "*) '
        "echo installed;; *) echo not-installed; exit 1;; esac",
        "id": f"echo {user}",
    }
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    for name in ("cat", "env", "sh"):
        target = shutil.which(name)
        assert target is not None
        (folder / name).symlink_to(target)
    return {"PATH": str(folder)}


ALL_PACKAGES = (
    "r-base-core r-cran-psych r-cran-gparotation r-cran-cluster r-cran-factoextra "
    "r-cran-fastcluster r-cran-dendextend r-cran-ggplot2 r-cran-rcpptoml r-cran-jsonlite "
    "r-cran-haven r-cran-lavaan r-cran-survey r-cran-psychtools"
)


@pytest.mark.parametrize(
    ("installed", "user", "status", "calls"),
    [
        (ALL_PACKAGES, 1000, 0, []),
        (ALL_PACKAGES.replace("r-cran-haven ", ""), 1000, 2, []),
        (
            ALL_PACKAGES.replace("r-cran-haven ", ""),
            0,
            0,
            [
                "noninteractive update -qq",
                "noninteractive install -y -qq --no-install-recommends r-cran-haven",
            ],
        ),
    ],
    ids=["all there: nothing is done", "no root and no sudo: says so", "root: installs the rest"],
)
def test_install_does_what_is_missing_and_no_more(
    root: Path, tmp_path: Path, installed: str, user: int, status: int, calls: list[str]
) -> None:
    env = fake_programs(tmp_path, installed, user)
    done = subprocess.run(
        [str(tmp_path / "sh"), str(root / "r_scripts/install.sh")],
        capture_output=True,
        text=True,
        env=env,
    )
    assert done.returncode == status, done.stderr
    if status:
        assert_one_sentence(done, "no sudo", "r-cran-haven")
    made = tmp_path / "calls"
    assert (made.read_text().splitlines() if made.exists() else []) == calls


# ---- persona_report.R ----


def test_report_is_a_pdf_of_four_pages_and_four_pictures(report: Path) -> None:
    names = sorted(f.name for f in report.iterdir())
    assert names == sorted(["persona_report.pdf", *(f"{name}.png" for name in PICTURES)])
    # Cairo writes the page tree, and so its /Count, uncompressed.
    assert b"/Count 4" in (report / "persona_report.pdf").read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_not_blank(report: Path, name: str) -> None:
    pixels = matplotlib.image.imread(report / f"{name}.png")[..., :3]
    assert pixels.shape[0] > 1000
    assert pixels.shape[1] > 1500
    # A title alone on a white page has a standard deviation of about .05.
    assert pixels.std() > 0.08


@pytest.mark.parametrize("name", ["dendrogram", "silhouette", "map"])
def test_segments_have_the_colours_of_the_html_report(report: Path, name: str) -> None:
    pixels = (matplotlib.image.imread(report / f"{name}.png")[..., :3] * 255).round()
    places = [np.argwhere(near(pixels, colour)) for colour in SEGMENT_COLOURS]
    assert all(len(place) > 100 for place in places)
    # In the legend, on the right, segment 1 stands above segment 2, and so on.
    legend = [place[place[:, 1] > 0.77 * pixels.shape[1], 0].mean() for place in places]
    assert (np.diff(legend) > 0).all()


def test_bars_of_the_silhouette_plot_stand_in_segment_order(report: Path) -> None:
    pixels = (matplotlib.image.imread(report / "silhouette.png")[..., :3] * 255).round()
    plot = pixels[:, : int(0.7 * pixels.shape[1])]
    middles = [np.argwhere(near(plot, colour))[:, 1].mean() for colour in SEGMENT_COLOURS]
    assert (np.diff(middles) > 0).all()


def near(pixels: np.ndarray, colour: str) -> np.ndarray:
    """Return where a colour is, to within the rounding of the drawing library."""
    return (np.abs(pixels - list(bytes.fromhex(colour))) <= 1).all(axis=-1)


def test_dendrogram_in_r_gives_the_segments_of_the_run(
    rscript: str, root: Path, run_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cut.csv"
    code = f"""
      source("{(root / "r_scripts/persona_report.R").as_posix()}")
      run <- read_run("{run_folder.as_posix()}")
      stopifnot(identical(sort(run$hclust$order), seq_along(run$segment)))
      top <- crown(run$hclust, 50L)
      write.csv(data.frame(
        cut = cutree(run$hclust, k = run$k),
        crown = cutree(top$tree, k = run$k)[top$group],
        at = order(run$hclust$order)
      ), "{out.as_posix()}", row.names = FALSE)
    """
    done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, timeout=TIME_LIMIT)
    assert done.returncode == 0, done.stderr
    cut = pd.read_csv(out)
    segment = table(run_folder, "segments/points")["segment"].to_numpy()
    tree = table(run_folder, "segments/tree")[["left", "right", "height", "size"]].to_numpy(float)
    k = int(segment.max())
    assert adjusted_rand(cut_tree(tree, k), segment) == 1
    assert adjusted_rand(cut["cut"].to_numpy(), segment) == 1
    assert adjusted_rand(cut["crown"].to_numpy(), segment) == 1
    # Drawn from left to right, each segment is one block of leaves, so no branches cross.
    along = segment[np.argsort(cut["at"].to_numpy())]
    assert (np.diff(along) != 0).sum() == k - 1


def copy_run(run_folder: Path, to: Path) -> Path:
    for name in ("segments", "profiles"):
        shutil.copytree(run_folder / name, to / name)
    shutil.copy(run_folder / "respondents.csv", to)
    return to


def test_report_of_a_broken_run_folder_lists_what_is_missing(
    script: Script, run_folder: Path, tmp_path: Path
) -> None:
    folder = copy_run(run_folder, tmp_path / "run")
    (folder / "segments/tree.csv").unlink()
    (folder / "profiles/personas.csv").unlink()
    done = script("persona_report.R", folder)
    assert_one_sentence(done, "segments/tree.csv", "profiles/personas.csv")
    assert not (folder / "r_report").exists()


def test_report_refuses_a_tree_of_another_run(
    script: Script, run_folder: Path, tmp_path: Path
) -> None:
    folder = copy_run(run_folder, tmp_path / "run")
    points = table(folder, "segments/points")
    points["segment"] = points["segment"].sample(frac=1, random_state=1).to_numpy()
    points.to_csv(folder / "segments/points.csv", index=False)
    assert_one_sentence(script("persona_report.R", folder), "two runs")
    assert not (folder / "r_report").exists()


# ---- segment_survey.R ----


def test_r_finds_the_segments_that_python_finds(run_folder: Path, r_run: Path) -> None:
    ours, theirs = table(run_folder, "respondents"), table(r_run, "respondents")
    assert list(ours["id"]) == list(theirs["id"])
    assert adjusted_rand(ours["segment"].to_numpy(), theirs["segment"].to_numpy()) == 1
    assert (ours["segment"] == theirs["segment"]).all()


def test_r_leaves_out_whom_python_leaves_out(run_folder: Path, r_run: Path) -> None:
    keys = ["respondent", "file", "row", "stage", "effect"]
    ours = table(run_folder, "survey/ledger")[keys].sort_values(keys, ignore_index=True)
    theirs = table(r_run, "survey/ledger")[keys].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(ours, theirs)


def test_r_scales_equal_pythons(run_folder: Path, r_run: Path) -> None:
    ours, theirs = table(run_folder, "scales/table"), table(r_run, "scales/table")
    assert list(ours["scale"]) == list(theirs["scale"])
    columns = ["n_items", "alpha", "alpha_low", "alpha_high", "mean", "sd", "base"]
    np.testing.assert_allclose(ours[columns], theirs[columns], rtol=0, atol=1e-10)
    loadings = [table(f, "scales/loadings").set_index("item") for f in (run_folder, r_run)]
    # psych's polychoric correlations stop at optimize's tolerance, some 1e-4 of rho.
    np.testing.assert_allclose(loadings[0], loadings[1].loc[loadings[0].index], rtol=0, atol=1e-3)


def test_r_profiles_equal_pythons(run_folder: Path, r_run: Path) -> None:
    for name, keys, numbers in (
        (
            "profiles/means",
            ["segment", "variable"],
            ["mean", "low", "high", "sd", "base", "total", "effect", "z"],
        ),
        (
            "profiles/shares",
            ["segment", "variable", "category"],
            ["share", "total", "base", "index", "effect"],
        ),
    ):
        ours, theirs = (table(f, name).set_index(keys).sort_index() for f in (run_folder, r_run))
        assert list(ours.index) == list(theirs.index)
        np.testing.assert_allclose(ours[numbers], theirs[numbers], rtol=0, atol=1e-8)


def test_report_is_drawn_from_what_segment_survey_wrote(
    script: Script, r_run: Path, tmp_path: Path
) -> None:
    done = script("persona_report.R", r_run, tmp_path / "report")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report/persona_report.pdf").stat().st_size > 10_000


WEIGHTED = """
[study]
seed = 5
[data]
file = "data.csv"
id = "id"
[[items]]
columns = ["A1:O5"]
range = [1, 6]
[weights]
column = "w"
kind = "{kind}"
[scales]
n_factors = 5
min_answered = 1.0
[[columns]]
name = "gender"
type = "categorical"
use = "active"
labels = {{ 1 = "Male", 2 = "Female" }}
[[columns]]
name = "age"
use = "active"
[segments]
k = 4
bootstrap = 10
"""


@pytest.mark.parametrize("kind", ["sampling", "frequency"])
def test_r_uses_weights_everywhere_as_python_does(
    script: Script, root: Path, tmp_path: Path, kind: str
) -> None:
    answers = pd.read_csv(root / "surveys/big_five/data.csv", dtype=str).head(900)
    rng = np.random.default_rng(1)
    weights = rng.gamma(4, 0.5, 900).round(3) if kind == "sampling" else rng.integers(0, 4, 900)
    answers.assign(w=weights).to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "study.toml").write_text(WEIGHTED.format(kind=kind))
    psychoseg.run(tmp_path, out=tmp_path / "python")
    done = script("segment_survey.R", tmp_path)
    assert done.returncode == 0, done.stderr
    r = tmp_path / "runs/r"
    ours, theirs = table(tmp_path / "python", "respondents"), table(r, "respondents")
    np.testing.assert_allclose(ours["weight"], theirs["weight"], rtol=1e-12)
    # Two segments of the frequency-weighted study weigh 345 each: the programs number them in
    # different orders, so theirs are numbered as ours.
    pairs = ours[["segment"]].assign(r=theirs["segment"]).drop_duplicates()
    assert len(pairs) == ours["segment"].nunique() == theirs["segment"].nunique()
    number = dict(zip(pairs["r"], pairs["segment"], strict=True))
    np.testing.assert_allclose(ours["silhouette"], theirs["silhouette"], rtol=0, atol=1e-8)
    for name in ("scales/correlations", "scales/loadings"):
        a, b = (table(f, name).set_index("item") for f in (tmp_path / "python", r))
        np.testing.assert_allclose(a, b.loc[a.index], rtol=0, atol=1e-3)
    columns = ["mean", "low", "high", "sd", "base_weighted", "base_effective", "effect", "z"]
    keys = ["segment", "variable"]
    means = table(r, "profiles/means")
    means["segment"] = means["segment"].map(number)
    a = table(tmp_path / "python", "profiles/means").set_index(keys).sort_index()
    b = means.set_index(keys).sort_index()
    np.testing.assert_allclose(a[columns], b[columns], rtol=1e-8)


def run_code(rscript: str, root: Path, code: str) -> str:
    """Run R code behind the functions of segment_survey.R and return what it prints."""
    source = f'source("{(root / "r_scripts/segment_survey.R").as_posix()}")\n'
    command = [rscript, "-e", source + code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def coarse_answers() -> tuple[np.ndarray, np.ndarray]:
    """Make 500 weighted people with 12 items of 2, 3 and 5 points on 3 correlated factors.

    Those of little weight left out most, so that weighted and plain shares differ.
    """
    rng = np.random.default_rng(12)
    factors = rng.standard_normal((500, 3)) + 0.7 * rng.standard_normal((500, 1))
    latent = 0.7 * factors.repeat(4, axis=1) + 0.7 * rng.standard_normal((500, 12))
    points = np.array([2, 3, 5, 5] * 3)
    items = np.clip(np.floor(latent * points / 3.5 + points / 2) + 1, 1, points)
    weights = rng.gamma(1, 1, 500)
    skipped = np.where(weights < np.median(weights), 0.6, 0.1)[:, None]
    items[rng.random(items.shape) < skipped] = np.nan
    return items, weights


def test_r_holds_eigenvalues_against_the_thresholds_of_python(
    rscript: str, root: Path, tmp_path: Path
) -> None:
    items, weights = coarse_answers()
    corr = polychoric(items, weights)
    n = float(weights.sum() ** 2 / (weights**2).sum())
    for name, array in (("items", items), ("weights", weights), ("corr", corr)):
        np.savetxt(tmp_path / f"{name}.csv", np.atleast_2d(array.T).T, delimiter=",")
    code = f"""
      read <- function(name) read.csv(
        file.path("{tmp_path.as_posix()}", name), header = FALSE, na.strings = "nan"
      )
      corr <- as.matrix(read("corr.csv"))
      rownames(corr) <- colnames(corr)
      settings <- list(replicates = 5000L, percentile = 95)
      set.seed(1)
      precision <- pair_precision(read("items.csv"), read("weights.csv")[[1]], "polychoric")
      parallel <- parallel_analysis(corr, {n!r}, precision, settings)
      tested <- numeric()
      quantiles <- random_quantiles
      random_quantiles <- function(...) {{
        tested <<- c(tested, quantiles(...))
        utils::tail(tested, 1L)
      }}
      m <- next_eigenvalue(corr, {n!r}, precision, settings)
      found <- c(parallel, list(precision = precision, tested = tested, m = m))
      cat(jsonlite::toJSON(found, digits = NA))
    """
    theirs = json.loads(run_code(rscript, root, code))
    rng = np.random.default_rng(1)
    given = {"items": items, "weights": weights, "replicates": 5000, "rng": rng}
    parallel = parallel_analysis(corr, n, correlation="polychoric", **given)
    test = next_eigenvalue(corr, n, correlation="polychoric", most=4, **given)
    assert test.n_factors == 3
    assert theirs["m"] == [3]
    assert theirs["n"] == [parallel.n_factors]
    precision = _precision(items, weights, 12, "polychoric")
    np.testing.assert_allclose(theirs["precision"], precision, rtol=0, atol=1e-12)
    np.testing.assert_allclose(theirs["observed"], parallel.observed, rtol=0, atol=1e-12)
    np.testing.assert_allclose(theirs["reduced"], parallel.reduced, rtol=0, atol=1e-10)
    # Over 5 seeds in Python these thresholds of 5,000 draws have standard deviations up to .005. A
    # 90th percentile is .03 off, and .2 the first threshold of complete normal answers.
    for name, ours in (
        ("threshold", parallel.threshold),
        ("reduced_threshold", parallel.reduced_threshold),
        ("tested", test.threshold),
    ):
        np.testing.assert_allclose(theirs[name], ours, rtol=0, atol=0.025)


def test_r_keeps_the_factors_that_pythons_rules_keep(
    rscript: str, root: Path, tmp_path: Path
) -> None:
    # 3 factors of 8, 4 and 4 items, and 3 pairs within the first: of 5 factors 3 are too small, and
    # taking all of these off at once would leave 2.
    pairs = np.zeros((16, 6))
    pairs[:8, 0] = 0.5
    pairs[8:12, 1] = pairs[12:, 2] = 0.7
    for j in range(3):
        pairs[2 * j : 2 * j + 2, 3 + j] = 0.5
    # 5 factors of 4 items, 2 of them so weak that 60 people cannot tell them from one item.
    weak = np.kron(np.diag([0.8, 0.8, 0.8, 0.4, 0.4]), np.ones((4, 1)))
    matrices = {}
    for name, loadings in (("pairs", pairs), ("weak", weak)):
        matrices[name] = loadings @ loadings.T
        np.fill_diagonal(matrices[name], 1)
        np.savetxt(tmp_path / f"{name}.csv", matrices[name], delimiter=",")
    code = f"""
      read <- function(name) {{
        corr <- as.matrix(read.csv(file.path("{tmp_path.as_posix()}", name), header = FALSE))
        dimnames(corr) <- list(colnames(corr), colnames(corr))
        corr
      }}
      enough <- vapply(1:5, function(m) with_items_enough(read("pairs.csv"), m, 1000), 1)
      weak <- read("weak.csv")
      kaiser <- vapply(c(60, 5000), function(n) empirical_kaiser(eigenvalues(weak), n), 1)
      next_eigenvalue <- function(...) 5L
      recommended <- vapply(c(60, 5000), function(n) recommend_factors(weak, n), 1)
      found <- list(enough = enough, kaiser = kaiser, recommended = recommended)
      cat(jsonlite::toJSON(found))
    """
    theirs = json.loads(run_code(rscript, root, code))
    ours = [_with_items_enough(matrices["pairs"], m) for m in range(1, 6)]
    assert theirs["enough"] == ours == [1, 2, 3, 3, 3]
    eigenvalues = np.linalg.eigvalsh(matrices["weak"])[::-1]
    ours = [empirical_kaiser(eigenvalues, n)[0] for n in (60, 5000)]
    assert theirs["kaiser"] == theirs["recommended"] == ours == [3, 5]


COUNTED = """
[data]
file = "data.csv"
id = "id"
[[items]]
columns = ["A1:O5"]
range = [1, 6]
[scales]
correlation = "pearson"
n_factors = {n_factors}
score = "sum"
power = 3
starts = 0
[engine]
rotator = "factor-analyzer"
"""


@pytest.mark.parametrize(("n_factors", "m"), [('"auto"', 5), ('"parallel"', 6), ("4", 4)])
def test_r_finds_the_scales_that_python_finds_however_they_are_counted(
    rscript: str, root: Path, tmp_path: Path, n_factors: str, m: int
) -> None:
    shutil.copy(root / "surveys/big_five/data.csv", tmp_path)
    (tmp_path / "study.toml").write_text(COUNTED.format(n_factors=n_factors))
    code = f"""
      study <- read_study("{tmp_path.as_posix()}")
      scales <- fit_scales(read_survey(study), study$scales)
      for (name in c("loadings", "items", "scores")) {{
        write_table(scales[[name]], file.path(study$folder, paste0(name, ".csv")))
      }}
    """
    run_code(rscript, root, code)
    study = load_study(tmp_path)
    ours = psychoseg.fit_scales(psychoseg.load_survey(study), study.scales)
    theirs = table(tmp_path, "loadings").set_index("item")
    assert theirs.shape == ours.loadings.shape == (25, m)
    np.testing.assert_allclose(theirs.loc[ours.loadings.index], ours.loadings, rtol=0, atol=1e-3)
    scale_of = table(tmp_path, "items").set_index("item")["scale"].fillna("")
    assert (scale_of.loc[ours.items["item"]].to_numpy() == ours.items["scale"]).all()
    np.testing.assert_allclose(table(tmp_path, "scores"), ours.scores, rtol=0, atol=1e-10)


@pytest.mark.parametrize("study", ["cola", "star_wars"])
def test_r_reads_spss_and_platform_exports(
    script: Script, root: Path, shared_data: Path, tmp_path: Path, study: str
) -> None:
    folder = root / "tests/studies" / study
    assert load_study(folder).data.file.endswith((".sav", "StarWars.csv"))
    psychoseg.run(folder, out=tmp_path / "python")
    done = script("segment_survey.R", folder, tmp_path / "r")
    assert done.returncode == 0, done.stderr
    ours, theirs = table(tmp_path / "python", "respondents"), table(tmp_path / "r", "respondents")
    scales = list(table(tmp_path / "python", "scales/table")["scale"])
    assert list(ours["id"]) == list(theirs["id"])
    # The same answers were read: the scores agree, whatever ties do to the segments.
    np.testing.assert_allclose(ours[scales], theirs[scales], rtol=0, atol=1e-10)


def small_study(folder: Path, toml: str, csv: str = "id,a,b,c\n1,1,2,3\n2,3,4,5\n") -> Path:
    (folder / "data.csv").write_text(csv)
    (folder / "study.toml").write_text(toml)
    return folder


ITEMS = '[[items]]\ncolumns = ["a", "b", "c"]\nrange = [1, 5]\n'
#: What Python does of [scales] and R's program does not.
NOT_IN_R = (
    'correlation = "spearman"',
    'missing = "listwise"',
    "correction = 0.5",
    'extraction = "ml"',
    'rotation = "promax"',
    'variant = "spss"',
    "gamma = 0.5",
    'score = "regression"',
    'centre = "person"',
    'drop_items = "apply"',
    "kaiser = false",
)


@pytest.mark.parametrize(
    ("toml", "csv", "parts"),
    [
        ('[data\nfile = "data.csv"', "a\n1\n", ("cannot be read as TOML",)),
        (f'[data]\nfil = "data.csv"\n{ITEMS}', "a\n1\n", ("unknown key fil", "[data]")),
        (f'[data]\nfile = "other.csv"\n{ITEMS}', "a\n1\n", ("other.csv", "does not exist")),
        (f'[data]\nfile = "data.csv"\n{ITEMS}', "a,b\n1,2\n", ("no column c",)),
        (f'[data]\nfile = "data.csv"\n{ITEMS}', "a,b,c\n1,2,6\n", ("item c", "6")),
        (f'[data]\nfile = "data.csv"\n{ITEMS}', "a,b,c\n1,2,often\n", ("item c", "often")),
        (f'[data]\nfile = "data.csv"\n{ITEMS}', "a,b,c\n1,2,3,4\n", ("line 2 has 4",)),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}',
            'a,b,c\n1,2,3\n1,"2,3\n4,5,1\n2,3",1\n',
            ("line 3", "stray quote"),
        ),
        (
            f'[data]\nfile = "data.csv"\nid = "id"\n{ITEMS}',
            "id,a,b,c\n07,1,2,3\n07,1,2,3\n",
            ("07", "more than once"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[quality]\naction = "exclude"\n'
            'checks = [{ column = "d", accept = [1] }]\n',
            "a,b,c,d\n1,2,3,1\n",
            ("[quality]", "[[quality.checks]]", "cannot do", "psychoseg run"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[weights]\ntrim = [0.2, 5]\n[[weights.margins]]\n'
            'column = "a"\ntargets = { 1 = 50, 2 = 50 }\n',
            "a,b,c\n1,2,3\n",
            ("[[weights.margins]]", "trim in [weights]", "psychoseg run"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[quality.cutoffs]\nlongstring = 9\n',
            "a,b,c\n1,2,3\n",
            ("unknown key longstring", "[quality.cutoffs]"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[scales]\n' + "\n".join(NOT_IN_R),
            "a,b,c\n1,2,3\n",
            (*(f"{setting} in [scales]" for setting in NOT_IN_R), "psychoseg run"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[scales]\nn_factors = "many"\n',
            "a,b,c\n1,2,3\n3,4,5\n2,2,1\n5,1,2\n",
            ("n_factors = many", '"auto", "parallel"'),
        ),
    ],
    ids=[
        *("toml", "key", "file", "column", "range", "text", "ragged", "quote", "id"),
        *("quality", "margins", "cutoffs", "scales", "n_factors"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(
    script: Script, tmp_path: Path, toml: str, csv: str, parts: tuple[str, ...]
) -> None:
    before = {"data.csv", "study.toml"}
    done = script("segment_survey.R", small_study(tmp_path, toml, csv))
    assert_one_sentence(done, *parts)
    assert {f.name for f in tmp_path.iterdir()} == before


def test_excel_is_not_read_and_said_so(script: Script, tmp_path: Path) -> None:
    small_study(tmp_path, f'[data]\nfile = "data.xlsx"\n{ITEMS}')
    (tmp_path / "data.xlsx").write_bytes(b"PK")
    assert_one_sentence(script("segment_survey.R", tmp_path), "Excel", "psychoseg run")


def test_r_does_not_write_over_what_it_has_not_written(
    script: Script, root: Path, run_folder: Path
) -> None:
    before = sorted(run_folder.rglob("*"))
    done = script("segment_survey.R", root / "surveys/fitness_app", run_folder)
    assert_one_sentence(done, str(run_folder), "not an earlier run")
    assert sorted(run_folder.rglob("*")) == before


def test_defaults_are_those_of_the_python_study(rscript: str, root: Path, tmp_path: Path) -> None:
    small_study(tmp_path, f'[data]\nfile = "data.csv"\n{ITEMS}')
    code = 'cat(jsonlite::toJSON(known_keys, auto_unbox = TRUE, null = "null", digits = NA))'
    theirs = json.loads(run_code(rscript, root, code))
    ours = load_study(tmp_path).model_dump(mode="json")
    assert set(theirs) - {"scales.scale"} == set(ours)
    for name in ("study", "clean", "quality", "reduce", "segments", "scales", "engine"):
        assert set(theirs[name]) == set(ours[name]), name
        for key, value in ours[name].items():
            # R knows no difference between an empty list and an empty table.
            same = not theirs[name][key] if value in ([], {}) else theirs[name][key] == value
            assert same, (name, key)
    for name, given in (("data", ours["data"]), ("items", ours["items"][0])):
        assert set(theirs[name]) == set(given), name
