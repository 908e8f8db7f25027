"""The scripts in ``r_scripts/``, run as a researcher runs them: through Rscript, on real input."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pandas as pd
import pytest

import psychoseg
from psychoseg.plots import SEGMENT_COLOURS
from psychoseg.plots.canvas import HIGH_COLOUR, LOW_COLOUR, MID_COLOUR, ink_on, shade
from psychoseg.run_folder import write_tables
from psychoseg.segments.number import Evidence, choose_number
from psychoseg.spreadsheet import harmless, unharmed
from psychoseg.stats import choice, null_cloud, valleys
from psychoseg.stats.dimension import _with_items_enough, next_eigenvalue, parallel_analysis
from psychoseg.stats.dimension_rules import empirical_kaiser
from psychoseg.stats.gap import Gap
from psychoseg.stats.indices import Indices
from psychoseg.stats.linkage import cut_tree, ward_linkage
from psychoseg.stats.parallel import _precision
from psychoseg.stats.polychoric import polychoric
from psychoseg.stats.stability import Bootstrap
from psychoseg.stats.validity import adjusted_rand
from psychoseg.study import (
    Action,
    ChoiceSet,
    Column,
    Job,
    OpenText,
    SegmentsSettings,
    load_study,
)
from psychoseg.survey import load_survey
from psychoseg.survey.numbers import FORMATS, parse_written
from psychoseg.table_files import read_table, write_table
from tests.made_run import make_run
from tests.survey.reading_cases import write_everything

#: One run of a script takes 5 to 10 s here; a busy machine may take much longer.
TIME_LIMIT = 300
#: As report.html has them; fitness_app has five segments.
COLOURS = tuple(colour.lstrip("#") for colour in SEGMENT_COLOURS[:5])
#: What is drawn of a run with everything; that of DBSCAN has "neighbours" too.
PICTURES = (
    *("dendrogram", "choice", "flow", "map", "profile", "heatmap", "snake", "radar"),
    *("importance", "stability", "certainty", "silhouette", "scree"),
)
#: Where one is put into a name or a text: it must be shown as it is, not run or formatted.
HOSTILE = (
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "`r stop(1)` *stars* **bold** [link](javascript:alert(1))",
    "``` {=html}\n<script>window.hacked=1</script>",
    "</article></main></style><svg onload=window.hacked=1>",
    "&lt;i&gt; $x^2$ \\frac{1}{0} %d %s \\1",
    "=HYPERLINK('x') \"quoted\" 'single'",
)

Done = subprocess.CompletedProcess[str]
Script = Callable[..., Done]


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
def r_run_done(script: Script, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Run the fitness app by R alone; its last argument is the run folder."""
    folder = tmp_path_factory.mktemp("r_runs") / "fitness_app"
    done = script("segment_survey.R", root / "surveys/fitness_app", folder)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def r_run(r_run_done: Done) -> Path:
    """Return the run folder of the fitness app, written by R alone."""
    return Path(r_run_done.args[-1])


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
    "r-cran-haven r-cran-lavaan r-cran-knitr r-cran-rmarkdown pandoc r-cran-survey "
    "r-cran-psychtools"
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


def test_report_is_a_pdf_with_a_page_and_a_picture_for_each_figure(report: Path) -> None:
    names = sorted(f.name for f in report.iterdir())
    assert names == sorted(["persona_report.pdf", *(f"{name}.png" for name in PICTURES)])
    # Cairo writes the page tree, and so its /Count, uncompressed.
    assert b"/Count %d" % len(PICTURES) in (report / "persona_report.pdf").read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_not_blank(report: Path, name: str) -> None:
    pixels = matplotlib.image.imread(report / f"{name}.png")[..., :3]
    assert pixels.shape[0] > 1000
    assert pixels.shape[1] > 1500
    # A title alone on a white page has a standard deviation of about .05; curves have little more.
    assert pixels.std() > 0.08
    # Below the title and right of the labels something is drawn.
    # Everybody is sure in this run, and no legend stands beside that one bar.
    middle = pixels[300:1000, 500 : 1600 if name == "certainty" else 1200]
    assert (middle.min(axis=-1) < 0.9).mean() > 0.004


@pytest.mark.parametrize("name", ["dendrogram", "silhouette", "map"])
def test_segments_have_the_colours_of_the_html_report(report: Path, name: str) -> None:
    pixels = (matplotlib.image.imread(report / f"{name}.png")[..., :3] * 255).round()
    places = [np.argwhere(near(pixels, colour)) for colour in COLOURS]
    assert all(len(place) > 100 for place in places)
    # In the legend, on the right, segment 1 stands above segment 2, and so on.
    legend = [place[place[:, 1] > 0.77 * pixels.shape[1], 0].mean() for place in places]
    assert (np.diff(legend) > 0).all()


def test_bars_of_the_silhouette_plot_stand_in_segment_order(report: Path) -> None:
    pixels = (matplotlib.image.imread(report / "silhouette.png")[..., :3] * 255).round()
    plot = pixels[:, : int(0.7 * pixels.shape[1])]
    middles = [np.argwhere(near(plot, colour))[:, 1].mean() for colour in COLOURS]
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
      tree <- tree_to_hclust(run$tree)
      stopifnot(identical(sort(tree$order), seq_along(run$segment)))
      folded <- folded_tree(run, 50L)
      inside <- run
      inside$individuals <- TRUE
      stopifnot(sum(folded_tree(inside, 50L)$count) == length(run$segment))
      # What leaves tells no size that is not a multiple of the base.
      stopifnot(all(folded$weight %% run$min_base == 0), all(folded$weight > 0))
      # Cut at the same height, the folded tree has the same segments.
      cut <- cutree(folded$tree, h = cut_height(run))
      stopifnot(nrow(unique(cbind(cut, folded$segment))) == run$k)
      write.csv(data.frame(
        cut = cutree(tree, k = run$k), order = order(tree$order)
      ), "{out.as_posix()}", row.names = FALSE)
      cat(folded$segment[folded$tree$order])
    """
    done = subprocess.run([rscript, "-e", code], capture_output=True, text=True, timeout=TIME_LIMIT)
    assert done.returncode == 0, done.stderr
    cut = pd.read_csv(out)
    segment = table(run_folder, "segments/points")["segment"].to_numpy()
    tree = table(run_folder, "segments/tree")[["left", "right", "height", "size"]].to_numpy(float)
    k = int(segment.max())
    assert adjusted_rand(cut_tree(tree, k), segment) == 1
    assert adjusted_rand(cut["cut"].to_numpy(), segment) == 1
    # Drawn from the top down, each segment is one block of leaves, so no branches cross.
    blocks = [int(s) for s in done.stdout.split()]
    assert (np.diff(blocks) != 0).sum() == k - 1


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


def test_report_draws_a_tree_whose_leaves_are_micro_clusters(
    script: Script, run_folder: Path, tmp_path: Path
) -> None:
    folder = copy_run(run_folder, tmp_path / "run")
    tree, points = table(folder, "segments/tree"), table(folder, "segments/points")
    n = len(points)
    # The two points that merge first become one leaf.
    kept, gone = tree.loc[0, ["left", "right"]].astype(int)
    leaf = np.delete(np.arange(n), gone).searchsorted(
        np.where(points["leaf"] == gone, kept, points["leaf"])
    )
    points.assign(leaf=leaf).to_csv(folder / "segments/points.csv", index=False)
    name = np.append(leaf, [leaf[kept], *range(n - 1, 2 * n - 3)])
    tree = tree.iloc[1:].assign(merge=range(n - 2))
    for side in ("left", "right"):
        tree[side] = name[tree[side]]
    tree.to_csv(folder / "segments/tree.csv", index=False)
    done = script("persona_report.R", folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "r_report/dendrogram.png").is_file()


def test_report_refuses_a_tree_of_another_run(
    script: Script, run_folder: Path, tmp_path: Path
) -> None:
    folder = copy_run(run_folder, tmp_path / "run")
    points = table(folder, "segments/points")
    points["segment"] = points["segment"].sample(frac=1, random_state=1).to_numpy()
    points.to_csv(folder / "segments/points.csv", index=False)
    assert_one_sentence(script("persona_report.R", folder), "two runs")
    assert not (folder / "r_report").exists()


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder with hostile texts, weights, a set, people who fit nowhere, hidden cells.

    Cells that are hidden hold a figure here, as no run writes them.
    """
    made = make_run(300, k=4, weighted=True, unassigned=True, measured=True)
    profiles = made.profiles
    bad = pd.Series(HOSTILE * 40)

    def spoilt(texts: pd.Series) -> pd.Series:
        codes, known = pd.factorize(texts)
        return pd.Series(known + " " + bad[: len(known)], dtype="str").iloc[codes].to_numpy()

    tables = {
        name: frame.assign(**{c: spoilt(frame[c]) for c in columns})
        for name, columns in {
            "means": ["label"],
            "shares": ["label", "category"],
            "drivers": ["label", "text"],
            "personas": ["name", "portrait", "is_not"],
            "typical": ["label", "value"],
            "actions": ["action", "reason"],
            "words": ["label", "word"],
            "importance": ["label"],
        }.items()
        for frame in [getattr(profiles, name)]
    }
    for name, figures in (("means", ["mean", "z"]), ("shares", ["share"])):
        tables[name].loc[tables[name]["hidden"], figures] = 98.7654
        assert tables[name]["hidden"].any()
    folder = tmp_path_factory.mktemp("runs") / "a `touch x` $(b) & run"
    folder.mkdir()
    run = replace(made, profiles=replace(profiles, **tables))
    types = write_tables(run, folder)
    manifest = {**made.manifest, "study": f"Title {HOSTILE[2]} {HOSTILE[0]}", "tables": types}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="session")
def hostile_report(script: Script, hostile_run: Path) -> Path:
    done = script("persona_report.R", hostile_run, "--report")
    assert done.returncode == 0, done.stderr
    return hostile_run / "r_report/persona_report.html"


def as_line(text: str) -> str:
    return " ".join(text.split())


def test_html_report_shows_hostile_texts_and_runs_none(
    browser, hostile_run: Path, hostile_report: Path
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(hostile_report.as_uri())
    shown = as_line(page.inner_text("body"))
    hacked = page.evaluate("window.hacked")
    made = page.evaluate(
        "['script', 'em', 'main strong strong', 'main i', 'svg', '[onload]', '[onerror]',"
        " 'main a:not([href^=\"#\"])']"
        ".filter(s => document.querySelector(s))"
    )
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert hacked is None
    assert made == []
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert wide == 390
    personas = table(hostile_run, "profiles/personas")
    for column in ("name", "portrait", "is_not"):
        for text in personas[column]:
            assert as_line(unharmed(text)) in shown, text
    for row in table(hostile_run, "profiles/actions").itertuples():
        assert as_line(unharmed(row.action)) in shown
    assert as_line(f"Title {HOSTILE[2]} {HOSTILE[0]}") in shown


def test_html_report_is_one_file_with_every_figure_that_was_drawn(hostile_report: Path) -> None:
    text = hostile_report.read_text()
    pictures = list(hostile_report.parent.glob("*.png"))
    assert len(pictures) > 10
    assert text.count('src="data:image/png;base64,') == len(pictures)
    assert text.count("<img") == len(pictures)
    assert hostile_report.stat().st_size < 3_000_000


def test_hidden_cells_are_neither_told_nor_drawn(
    rscript: str, root: Path, hostile_run: Path, hostile_report: Path
) -> None:
    text = hostile_report.read_text()
    assert "98.77" not in text
    assert "9877%" not in text
    hidden = sum(
        int(table(hostile_run, f"profiles/{name}")["hidden"].sum()) for name in ("means", "shares")
    )
    assert text.count("<small>hidden</small>") == hidden
    code = f"""
      run <- read_run("{hostile_run.as_posix()}")
      means <- run$means[run$means$hidden, ]
      stopifnot(nrow(means) > 0L, is.na(means$mean), is.na(means$z), is.na(means$base))
      drawn <- function(plot) unlist(lapply(ggplot2::ggplot_build(plot)$data, function(x) {{
        as.numeric(unlist(x[intersect(c("x", "xmin", "xmax", "label"), names(x))]))
      }}))
      for (name in c("profile", "snake", "radar", "heatmap")) {{
        figure <- suppressWarnings(drawn(draw_figure(run, name)))
        stopifnot(max(abs(figure[is.finite(figure)])) < 98)
      }}
    """
    run_code(rscript, root, code, "persona_report.R")


def test_figures_of_a_run_without_a_tree_or_ids(
    rscript: str, root: Path, hostile_run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(hostile_run, folder, ignore=shutil.ignore_patterns("r_report"))
    tree = table(folder, "segments/tree")
    tree.assign(height=np.nan).to_csv(folder / "segments/tree.csv", index=False)
    assert not (folder / "respondents.csv").exists()
    code = f"""
      run <- read_run("{folder.as_posix()}")
      cat(draw_dendrogram(run))
      stopifnot(is_figure(draw_map(run)), is_figure(draw_snake(run)))
    """
    assert "no tree to draw" in run_code(rscript, root, code, "persona_report.R")


# So few points (a scale of five items has some twenty different scores) are never folded into one.
@pytest.mark.parametrize(("n", "k"), [(200, 10), (30, 3)])
def test_figures_of_one_scale_and_one_component(
    rscript: str, root: Path, tmp_path: Path, n: int, k: int
) -> None:
    made = make_run(n, k=k, one_component=True, bare=True)
    means = made.profiles.means
    means = means[means["variable"] == means["variable"].iloc[0]]
    write_tables(replace(made, profiles=replace(made.profiles, means=means)), tmp_path)
    code = f"""
      run <- read_run("{tmp_path.as_posix()}")
      cat(draw_radar(run))
      options(warn = 2)
      cairo_pdf("{(tmp_path / "figures.pdf").as_posix()}")
      for (name in c("map", "heatmap", "snake", "profile", "flow", "dendrogram")) {{
        invisible(ggplot2::ggplotGrob(draw_figure(run, name)))
      }}
    """
    assert "three scales" in run_code(rscript, root, code, "persona_report.R")


def test_colours_are_those_of_python(rscript: str, root: Path) -> None:
    values = np.linspace(-1, 1, 21)
    code = """
      cat(jsonlite::toJSON(list(
        segments = segment_colours, ends = c(low_colour, mid_colour, high_colour),
        ink = ink(segment_colours), shade = shade(seq(-1, 1, length.out = 21))
      )))
    """
    theirs = json.loads(run_code(rscript, root, code, "persona_report.R"))
    assert theirs["segments"] == list(SEGMENT_COLOURS)
    assert theirs["ends"] == [LOW_COLOUR, MID_COLOUR, HIGH_COLOUR]
    assert theirs["ink"] == [ink_on(colour) for colour in SEGMENT_COLOURS]
    # matplotlib's map of colours has 256 steps.
    ours = [list(bytes.fromhex(shade(value)[1:])) for value in values]
    found = [list(bytes.fromhex(colour[1:])) for colour in theirs["shade"]]
    assert np.abs(np.array(ours) - np.array(found)).max() <= 2


# ---- tables ----

#: Texts that a spreadsheet would run, that look as if, and that stand in the way of a CSV file.
NASTY = (
    *("=1+1", "+1", "-1", "-a", "@sum", "'=1", "''=1", "'tis", "'", "''", '"=1"', " =x", "'-3.5"),
    *("\u00a0=1", "\u200b@a", "\uff1d1", "\ufe63x", "\ufeff=1", "\t1", "\u0085x", "-", "--"),
    *(
        "-3.5e+7",
        "-3.5e",
        "+.5",
        "+.",
        "a=b",
        "NA",
        "TRUE",
        "None",
        'a "b", c',
        "line\nbreak",
        "\n=1",
    ),
    *("Müller", "健康", "`", "´=1", "\u2018+1", "-1\n", "1", "007"),
)


def test_r_reads_python_tables_and_python_reads_r_tables(
    rscript: str, root: Path, tmp_path: Path
) -> None:
    write_table(pd.DataFrame({"=text": NASTY, "n": -1.5}), tmp_path / "python.csv")
    code = f"""
      frame <- read_table("{(tmp_path / "python.csv").as_posix()}", "=text")
      stopifnot(identical(names(frame), c("=text", "n")), is.numeric(frame$n))
      write_table(frame, "{(tmp_path / "r.csv").as_posix()}")
      cat(jsonlite::toJSON(list(text = frame[["=text"]], guarded = harmless(frame[["=text"]]))))
    """
    found = json.loads(run_code(rscript, root, code))
    assert found["text"] == list(NASTY)
    assert found["guarded"] == [harmless(text) for text in NASTY]
    back = read_table(tmp_path / "r.csv", ["text", "number"])
    assert list(back.columns) == ["=text", "n"]
    assert list(back["=text"]) == list(NASTY)


def test_r_reads_a_table_with_a_byte_order_mark(rscript: str, root: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('"id","x"\r\n007,1\r\n', encoding="utf-8-sig")
    code = f"""
      frame <- read_table("{(tmp_path / "a.csv").as_posix()}", "id")
      stopifnot(identical(frame, data.frame(id = "007", x = 1L)))
    """
    run_code(rscript, root, code)


# ---- segment_survey.R ----


def test_segment_survey_tells_each_step_and_the_seconds(r_run_done: Done) -> None:
    steps = [x for x in r_run_done.stderr.splitlines() if re.match(r"\[ *\d+ s\] ", x)]
    told = "\n".join(steps)
    for part in ("1200 respondents read", "scales; segments", "resamples", "clouds", "profiles"):
        assert part in told
    seconds = [int(re.findall(r"\d+", x)[0]) for x in steps]
    assert seconds == sorted(seconds)


def test_r_finds_the_segments_that_python_finds(run_folder: Path, r_run: Path) -> None:
    ours, theirs = table(run_folder, "respondents"), table(r_run, "respondents")
    assert list(ours["id"]) == list(theirs["id"])
    assert adjusted_rand(ours["segment"].to_numpy(), theirs["segment"].to_numpy()) == 1
    assert (ours["segment"] == theirs["segment"]).all()


def test_r_has_the_evidence_for_each_number_that_python_has(run_folder: Path, r_run: Path) -> None:
    summaries = [
        json.loads((folder / "segments/summary.json").read_text()) for folder in (run_folder, r_run)
    ]
    for key in ("k", "verdict", "k_rule", "components_rule", "recommended_k", "n_identical"):
        assert summaries[0][key] == summaries[1][key], key
    ours, theirs = table(run_folder, "segments/choice"), table(r_run, "segments/choice")
    assert list(ours["k"]) == list(theirs["k"]) == list(range(1, 16))
    same = ["silhouette", "smallest_share", "smallest_n", "within"]
    np.testing.assert_allclose(theirs[same], ours[same], rtol=1e-9)
    for name in ("eligible", "chosen"):
        assert (ours[name] == theirs[name]).all()
    # Both draw 100 resamples: a mean Jaccard has a standard error of about .01.
    means = ours["jaccard_mean"][1:], theirs["jaccard_mean"][1:]
    np.testing.assert_allclose(*means, rtol=0, atol=0.05)
    # The first four divisions run along gaps, which no cloud has; the others are chance.
    assert (theirs["division_p"][1:5] == 0.02).all()
    assert (ours["division_p"][1:5] == 0.02).all()
    nulls = table(run_folder, "segments/null"), table(r_run, "segments/null")
    assert nulls[0]["p_value"][0] == nulls[1]["p_value"][0] == 0.01
    # In standard deviations of 99 clouds, which 99 clouds know to 7%.
    assert nulls[1]["excess"][0] == pytest.approx(nulls[0]["excess"][0], rel=0.3)


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
    done = script("persona_report.R", r_run, tmp_path / "report", "--report")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report/persona_report.pdf").stat().st_size > 10_000
    text = (tmp_path / "report/persona_report.html").read_text()
    for name in table(r_run, "profiles/personas")["name"]:
        assert name in text


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


def run_code(rscript: str, root: Path, code: str, behind: str = "segment_survey.R") -> str:
    """Run R code behind the functions of a script and return what it prints."""
    source = f'source("{(root / "r_scripts" / behind).as_posix()}")\n'
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


def test_constants_of_the_tests_are_those_of_python(rscript: str, root: Path) -> None:
    code = """
      found <- list(cloud = cloud_rules, valley = valley_rules, choice = choice_rules)
      cat(jsonlite::toJSON(found, auto_unbox = TRUE, digits = NA))
    """
    theirs = json.loads(run_code(rscript, root, code))
    modules = {"cloud": null_cloud, "valley": valleys, "choice": choice}
    for part, constants in theirs.items():
        module = vars(modules[part])
        for name, value in constants.items():
            upper = name.upper()
            assert value == module.get(f"_{upper}", module.get(upper)), (part, name)
    assert {part: len(constants) for part, constants in theirs.items()} == {
        "cloud": 8,
        "valley": 7,
        "choice": 3,
    }


def clustered(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make 300 weighted people in 3 unequal groups: columns, weights and which are nominal."""
    rng = np.random.default_rng(8)
    centres = rng.normal(0, 2.0, (3, 5))
    x = centres[rng.choice(3, 300, p=[0.5, 0.3, 0.2])] + rng.standard_normal((300, 5))
    nominal = np.zeros(5, dtype=bool)
    if kind == "five-point":
        x = np.clip(np.round(x + 3), 1, 5)
    if kind == "nominal":
        nominal[3:] = True
        x[:, 3:] = np.floor(np.clip(x[:, 3:] + 2, 0, 3.9))
    if kind == "many values":  # more than an answer scale has, fewer than 30
        x = np.round(x * 2)
    return x, rng.gamma(4, 0.25, 300), nominal


@pytest.mark.parametrize("kind", ["continuous", "five-point", "many values", "nominal"])
def test_r_fits_the_cloud_and_finds_the_valleys_that_python_does(
    rscript: str, root: Path, tmp_path: Path, kind: str
) -> None:
    x, weights, nominal = clustered(kind)
    ordered, codes = null_cloud._ordered_categories(x, weights, nominal)
    # Python's tree, since the two programs decide ties differently.
    tree = ward_linkage(x, weights)
    for name, array in (("x", x), ("ordered", ordered), ("weights", weights), ("tree", tree)):
        np.savetxt(tmp_path / f"{name}.csv", array, delimiter=",")
    code = f"""
      read <- function(name) unname(as.matrix(
        read.csv(file.path("{tmp_path.as_posix()}", paste0(name, ".csv")), header = FALSE)
      ))
      x <- read("x")
      weights <- as.vector(read("weights"))
      nominal <- c({", ".join(str(bool(flag)).upper() for flag in nominal)})
      merge <- read("tree")[, 1:2]
      merge <- ifelse(merge < nrow(x), -merge - 1, merge - nrow(x) + 1)
      storage.mode(merge) <- "integer"
      tree <- list(merge = merge, order = seq_len(nrow(x)))
      cloud <- fit_cloud(read("ordered"), weights)
      set.seed(1)
      found <- list(
        depths = valley_depths(x, weights, nested_cuts(tree, 10L), 9L),
        corr = crossprod(cloud$root), scales = cloud$scales,
        codes = ordered_categories(x, weights, nominal)$codes[nominal],
        sample = systematic_sample(weights * 10, 100), drawn = draw_cloud(cloud, 20000L)
      )
      cat(jsonlite::toJSON(found, digits = NA))
    """
    theirs = json.loads(run_code(rscript, root, code))
    depths = valleys.valley_depths(x, weights, tree, 9)
    assert depths.max() > 1
    np.testing.assert_allclose(theirs["depths"], depths, rtol=0, atol=1e-10)
    cloud = null_cloud.fit_cloud(ordered, weights)
    np.testing.assert_allclose(theirs["corr"], cloud.root @ cloud.root.T, rtol=0, atol=1e-10)
    for scale, values, shares, discrete in zip(
        theirs["scales"], cloud.values, cloud.shares, cloud.discrete, strict=True
    ):
        np.testing.assert_allclose(scale["values"], values, rtol=0, atol=1e-10)
        np.testing.assert_allclose(scale["shares"], shares, rtol=0, atol=1e-10)
        assert scale["discrete"] == [discrete]
    # An eigenvector has two signs, which turn the order of the categories round.
    ours = [code.tolist() for code in codes.values()]
    assert theirs["codes"] in (ours, [code[::-1] for code in ours])
    taken = null_cloud.systematic_sample(weights * 10, 100)
    assert theirs["sample"] == taken.tolist()
    drawn = null_cloud.draw_cloud(cloud, 20_000, np.random.default_rng(1))
    for statistic in (np.mean, np.std):
        # Of two samples of 20,000, in standard deviations of the column (here at most 3).
        a, b = statistic(np.array(theirs["drawn"]), axis=0), statistic(drawn, axis=0)
        np.testing.assert_allclose(a, b, rtol=0, atol=0.1)
    correlations = [np.corrcoef(d, rowvar=False) for d in (np.array(theirs["drawn"]), drawn)]
    np.testing.assert_allclose(*correlations, rtol=0, atol=0.04)


def random_evidence(seed: int) -> tuple[Evidence, Bootstrap, SegmentsSettings, np.ndarray]:
    """Make up what speaks for 1 to 8 segments of 60 points, in many mixtures."""
    rng = np.random.default_rng(seed)
    weights, people = rng.gamma(4, 0.5, 60), rng.integers(1, 40, 60).astype(float)
    labels = [np.r_[np.arange(k), rng.choice(k, 60 - k)] for k in range(1, 9)]
    nan, none = np.full(8, np.nan), np.full(8, np.nan)
    # Rounded, so that values stand on thresholds too.
    jaccard = [rng.uniform(*rng.choice([[0.3, 0.8], [0.75, 1.0]]), k).round(2) for k in range(2, 9)]
    share = [np.bincount(own, weights=weights) / weights.sum() for own in labels]
    indices = Indices(
        k=np.arange(1, 9),
        within=np.linspace(100, 30, 8),
        calinski_harabasz=nan,
        davies_bouldin=nan,
        dunn=nan,
        hartigan=nan,
        duda_hart=nan,
        duda_hart_critical=nan,
        height=nan,
        height_jump=nan,
        silhouette=np.append(np.nan, rng.uniform(0, 0.4, 7).round(1)),
        smallest_share=none,
        exact=True,
    )
    evidence = Evidence(
        indices=indices,
        test=null_cloud.CloudTest(
            float(rng.choice([0.01, 0.03, 0.04, 0.6])), 1, 1, nan, 2, 60, False
        ),
        nodes=null_cloud.NodeTests(
            rng.choice([0.02, 0.03, 0.5], 7), rng.normal(0.5, 2, 7).round(1)
        ),
        gap=Gap(nan, nan, np.zeros(8), np.zeros(8), 1, 60, False),
        strength=np.zeros(8),
        association=nan,
        share=share,
        people=[np.bincount(own, weights=people) for own in labels],
        unassigned=False,
        bic=nan,
        icl=nan,
    )
    boot = Bootstrap(jaccard, [], [], [], [], np.empty((0, 0)))
    k_max = int(rng.integers(2, 9))
    settings = SegmentsSettings(
        k=int(rng.integers(2, 9)) if rng.random() < 0.2 else "auto",
        k_max=k_max,
        min_share=float(rng.choice([0.01, 0.1])),
        min_people=int(rng.choice([1, 100])),
    )
    return evidence, boot, settings, np.column_stack([weights, people, *labels])


def test_r_chooses_and_says_what_python_does(rscript: str, root: Path, tmp_path: Path) -> None:
    cases, given = [], []
    for seed in range(200):
        evidence, boot, settings, points = random_evidence(seed)
        number = choose_number(evidence, boot, settings)
        cases.append(number)
        given.append(
            {
                "points": points.tolist(),
                "silhouette": [0, *evidence.indices.silhouette[1:].tolist()],
                "jaccard": [[0], *(j.tolist() for j in boot.jaccard)],
                "within": evidence.indices.within.tolist(),
                "test": {"p_value": evidence.test.p_value},
                "nodes": {
                    "p_value": evidence.nodes.p_value.tolist(),
                    "excess": evidence.nodes.excess.tolist(),
                },
                "settings": settings.model_dump(mode="json"),
            }
        )
    (tmp_path / "given.json").write_text(json.dumps(given))
    code = f"""
      given <- jsonlite::read_json(
        "{(tmp_path / "given.json").as_posix()}", simplifyVector = TRUE, simplifyDataFrame = FALSE
      )
      found <- lapply(given, function(case) {{
        labels <- case$points[, -(1:2)] + 1
        choice <- choice_table(
          1:8, lapply(1:8, function(k) labels[, k]),
          lapply(case$silhouette, rep, nrow(labels)), case$jaccard, case$within, case$nodes,
          case$points[, 1], case$points[, 2], case$settings
        )
        advice <- recommend(choice, case$test, case$nodes)
        choice$score <- advice$score
        decision <- decide(choice, advice, case$test, case$settings)
        c(decision, list(
          advice_reason = advice$reason, advice_runner_up_reason = advice$runner_up_reason,
          why = choice$why, score = choice$score, recommended_k = advice$k,
          runner_up = max(advice$runner_up, 0L, na.rm = TRUE), p = choice$division_p
        ))
      }})
      cat(jsonlite::toJSON(found, digits = NA, na = "null"))
    """
    theirs = json.loads(run_code(rscript, root, code))
    assert len(theirs) == 200
    for number, r in zip(cases, theirs, strict=True):
        assert r["why"] == list(number.choice["why"])
        np.testing.assert_allclose(r["score"], number.choice["score"], rtol=0, atol=1e-12)
        for key in ("k", "recommended_k", "runner_up", "k_rule", "verdict", "reason"):
            assert r[key] == [getattr(number, key)], key
        assert r["advice_reason"] == [number.k_reason]
        assert r["advice_runner_up_reason"] == [number.runner_up_reason]
    # All there is to say was said.
    assert {c.verdict for c in cases} == {"natural", "reproducible", "constructed"}
    assert len({c.k_reason.split("(p =")[0] for c in cases}) == 2


MIXED = """
[data]
file = "data.csv"
[[items]]
columns = ["a1:b4"]
range = [1, 5]
[scales]
correlation = "pearson"
n_factors = 2
[[columns]]
name = "school"
type = "ordinal"
order = ["low", "middle", "high"]
use = "active"
block = "education"
[[columns]]
name = "region"
type = "categorical"
use = "active"
[reduce]
{reduce}
[segments]
k = 3
bootstrap = 10
null_replicates = 39
audits = false
"""


@pytest.mark.parametrize(
    "reduce",
    [
        "",
        "standardise = false",
        'method = "none"',
        'components = "all"',
        "components = 2",
    ],
)
def test_r_reduces_mixed_columns_as_python_does(
    script: Script, tmp_path: Path, reduce: str
) -> None:
    rng = np.random.default_rng(5)
    factor = rng.standard_normal((240, 2)).repeat(4, axis=1)
    items = np.clip(np.round(factor + 0.7 * rng.standard_normal((240, 8)) + 3), 1, 5).astype(int)
    names = [f"{letter}{i}" for letter in "ab" for i in range(1, 5)]
    frame = pd.DataFrame(items, columns=names).assign(
        school=rng.choice(["low", "middle", "high"], 240), region=rng.choice(["N", "E", "S"], 240)
    )
    frame.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "study.toml").write_text(MIXED.format(reduce=reduce))
    psychoseg.run(tmp_path, out=tmp_path / "python")
    done = script("segment_survey.R", tmp_path, tmp_path / "r")
    assert done.returncode == 0, done.stderr
    ours, theirs = (table(tmp_path / name, "segments/features") for name in ("python", "r"))
    ours, theirs = (f.set_index("feature").sort_index() for f in (ours, theirs))
    assert list(ours.index) == list(theirs.index)
    for name in ("kind", "block"):
        assert (ours[name] == theirs[name]).all()
    np.testing.assert_allclose(theirs[["mean", "sd"]], ours[["mean", "sd"]], rtol=0, atol=1e-10)
    ours, theirs = (table(tmp_path / name, "segments/eigenvalues") for name in ("python", "r"))
    assert list(ours["retained"]) == list(theirs["retained"])
    np.testing.assert_allclose(theirs["eigenvalue"], ours["eigenvalue"], rtol=0, atol=1e-10)
    ours, theirs = (table(tmp_path / name, "segments/choice") for name in ("python", "r"))
    np.testing.assert_allclose(theirs["within"][:3], ours["within"][:3], rtol=1e-9)
    rules = [
        json.loads((tmp_path / name / "segments/summary.json").read_text())["components_rule"]
        for name in ("python", "r")
    ]
    assert rules[0] == rules[1]


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
    np.testing.assert_allclose(ours[scales], theirs[scales], rtol=0, atol=1e-10)
    # Ties decide lower merges of these trees differently, but not those that divide the segments.
    assert adjusted_rand(ours["segment"].to_numpy(), theirs["segment"].to_numpy()) == 1
    summaries = [
        json.loads((tmp_path / name / "segments/summary.json").read_text())
        for name in ("python", "r")
    ]
    for key in ("k", "recommended_k", "verdict", "k_rule", "components_rule"):
        assert summaries[0][key] == summaries[1][key], key


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
#: What it does not do of [reduce] and [segments].
NOT_REDUCED = ('method = "gower"', 'balance = "blocks"', 'map = "tsne"', 'components = "parallel"')
NOT_SEGMENTED = ('method = "kmeans"', "consolidate = true", "consensus = true")


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
            f'[data]\nfile = "data.csv"\n{ITEMS}[reduce]\n'
            + "\n".join([*NOT_REDUCED, "[reduce.blocks]", "scales = 2", "[segments]"])
            + "\n".join(["", *NOT_SEGMENTED, "eps = 0.5"]),
            "a,b,c\n1,2,3\n",
            (
                *(f"{setting} in [reduce]" for setting in NOT_REDUCED),
                *(f"{setting} in [segments]" for setting in NOT_SEGMENTED),
                "[reduce.blocks]",
                "eps in [segments]",
                "psychoseg run",
            ),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[[columns]]\nname = "d"\ntype = "ordinal"\n',
            "a,b,c,d\n1,2,3,low\n3,2,1,high\n",
            ("column d", "ordinal", "(low, high)", "lowest first"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[scales]\nn_factors = "many"\n',
            "a,b,c\n1,2,3\n3,4,5\n2,2,1\n5,1,2\n",
            ("n_factors = many", '"auto", "parallel"'),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}sensitive = true\n[[columns]]\nname = "d"\n'
            'use = "active"\nsensitive = true\n',
            "a,b,c,d\n1,2,3,4\n",
            ("a, b, c; d", "lawful basis"),
        ),
        (
            f'[data]\nfile = "data.csv"\n{ITEMS}[[sets]]\nname = "s"\ncolumns = ["c", "d"]\n',
            "a,b,c,d\n1,2,3,4\n",
            ("c in [[sets]]", "[[items]]"),
        ),
    ],
    ids=[
        *("toml", "key", "file", "column", "range", "text", "ragged", "quote", "id"),
        *("quality", "margins", "cutoffs", "scales", "segments", "ordinal", "n_factors"),
        *("sensitive", "sets"),
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
    for name in (
        *("study", "clean", "quality", "reduce", "segments", "scales", "engine"),
        *("profiles", "report", "export"),
    ):
        assert set(theirs[name]) == set(ours[name]), name
        for key, value in ours[name].items():
            # R knows no difference between an empty list and an empty table.
            same = not theirs[name][key] if value in ([], {}) else theirs[name][key] == value
            assert same, (name, key)
    for name, given in (("data", ours["data"]), ("items", ours["items"][0])):
        assert set(theirs[name]) == set(given), name
    for name, model in (
        *(("columns", Column), ("sets", ChoiceSet), ("texts", OpenText), ("jobs", Job)),
        ("actions", Action),
    ):
        assert set(theirs[name]) == set(model.model_fields), name
        for key, setting in model.model_fields.items():
            if setting.is_required() or key in ("labels", "wants"):
                continue
            value = setting.get_default(call_default_factory=True)
            assert (theirs[name][key] or None) == (value or None), (name, key)


def test_r_reads_every_setting_of_a_file_as_python_does(
    rscript: str, root: Path, tmp_path: Path
) -> None:
    study = load_study(write_everything(tmp_path))
    with pytest.warns(match="left out"):
        ours = load_survey(study)
    code = f"""
s <- read_survey(read_study("{tmp_path.as_posix()}"))
cat(jsonlite::toJSON(list(
  ids = s$ids, weights = s$weights, income = s$columns$income, share = s$columns$share,
  region = as.character(s$columns$region), again = as.character(s$columns$region_2),
  rows = s$ledger$row, reasons = s$ledger$reason
), digits = NA))
"""
    theirs = json.loads(run_code(rscript, root, code))
    assert theirs["ids"] == ours.ids.tolist()
    assert theirs["weights"] == pytest.approx(ours.weights.tolist(), abs=1e-12)
    for name in ("income", "share"):
        assert theirs[name] == ours.columns[name].tolist()
    assert theirs["region"][:5] == [*ours.columns["region"].astype(str).tolist()[:4], None]
    assert theirs["again"] == ours.columns["region_2"].astype(str).tolist() == ["x"] * ours.n
    assert theirs["rows"] == ours.ledger["row"].tolist()
    assert theirs["reasons"] == ours.ledger["reason"].tolist()


def test_r_reads_numbers_as_python_does_in_every_format(
    rscript: str, root: Path, tmp_path: Path
) -> None:
    texts = ["1'234", "CHF 1’200.–", "€ 1.200,5", "(1.200)", "1.200-", "12 %", "$45k", "--1", "1,4"]
    texts += ["1,2 Mio. EUR", "5 apples", "-1\N{NO-BREAK SPACE}234,5", "1,23,456", "2.5e3", "5."]
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    code = f"""
texts <- jsonlite::fromJSON("{(tmp_path / "texts.json").as_posix()}")
read <- function(form) unname(vapply(texts, written_number, 0, form = form))
cat(jsonlite::toJSON(lapply(stats::setNames(nm = names(number_formats)), read), digits = NA))
"""
    theirs = json.loads(run_code(rscript, root, code))
    ours = {form: [parse_written(text, form) for text in texts] for form in FORMATS}
    assert {form: [None if v == "NA" else v for v in read] for form, read in theirs.items()} == ours


REPORTING = """
[[columns]]
name = "a2"
sensitive = true
[[sets]]
name = "brands"
columns = ["u*"]
[[texts]]
column = "why"
[[jobs]]
label = "Save time"
importance = "a"
satisfaction = "b"
[[actions]]
name = "Offer"
wants = { a2 = "high" }
[profiles]
min_base = 20
[segments.texts]
1 = "They"
"""


def test_r_leaves_settings_of_reports_aside_and_says_so(
    rscript: str, root: Path, tmp_path: Path
) -> None:
    head = f'[data]\nfile = "data.csv"\n{ITEMS}'
    csv = "a,b,c,a2,u1,u2,why\n1,2,3,4,0,1,yes\n3,4,5,1,1,0,no\n2,2,1,3,0,1,no\n"
    plain, full = tmp_path / "plain", tmp_path / "full"
    for folder, toml in ((plain, '[[columns]]\nname = "a2"\n'), (full, REPORTING)):
        folder.mkdir()
        small_study(folder, head + toml, csv)
    code = f"""
      plain <- read_study("{plain.as_posix()}")
      full <- read_study("{full.as_posix()}")
      stopifnot(length(for_python_alone(plain)) == 0L)
      stopifnot(identical(read_survey(plain)$columns, read_survey(full)$columns))
      stopifnot(identical(read_survey(plain)$items, read_survey(full)$items))
      cat(for_python_alone(full), sep = ", ")
    """
    said = run_code(rscript, root, code)
    assert said == "[profiles], [[sets]], [[texts]], [[jobs]], [[actions]], texts in [segments]"
