"""The command line: reads arguments, shows progress and turns errors into messages and exit codes.

Exit codes: 0 done, 2 something the user can put right, 1 a fault of ours, 130 stopped with Ctrl-C,
SIGTERM or SIGHUP.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING

from psychoseg.errors import PsychosegError
from psychoseg.stopping import STOPPED, Stop, catching, say_stopped
from psychoseg.study_report import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from psychoseg.run_folder import Run

__all__ = ["main"]

#: How the files that people ask for are called.
_REPORTS = ("report", "respondents", "tables")
#: Characters of a warning on the terminal: two lines of 80.
_WARNING = 160
_STAGE_TEXT = {
    "survey": "Reading the survey",
    "scales": "Building scales",
    "segments": "Growing the tree, resampling",
    "agreement": "Checking with the second engine",
    "profiles": "Profiling the segments",
    "report": "Writing the report",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    stop = Stop()
    with catching(stop):
        return _ended(arguments, stop)


def _ended(arguments: argparse.Namespace, stop: Stop) -> int:
    """Run a command and turn what it raises into a message and an exit code."""
    try:
        return int(arguments.command(arguments))
    except PsychosegError as error:
        print(f"psychoseg: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print(
            "psychoseg: there is not enough memory for this file on this machine. Keep the columns "
            "and rows that are needed, or use a larger machine.",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        if stop.asked:
            say_stopped()
            return STOPPED
        where = f"{error.filename}: " if error.filename else ""
        print(
            f"psychoseg: {where}{error.strerror or error}. Look at the path, its permissions and "
            "the free space.",
            file=sys.stderr,
        )
        return 2
    except (KeyboardInterrupt, Exception) as error:
        # Compiled code may turn the interruption into an error of its own.
        if stop.asked or isinstance(error, KeyboardInterrupt):
            say_stopped()
            return STOPPED
        if arguments.verbose:
            traceback.print_exc()
        print(
            f"psychoseg: a fault in psychoseg, not in your data: {type(error).__name__}: {error}"
            + (
                ""
                if arguments.verbose
                else "\nRun it again with --verbose and report what it prints."
            ),
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="psychoseg", description="From a survey file to segments and personas."
    )
    parser.add_argument("--version", action="version", version=f"psychoseg {version('psychoseg')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="run a study and write its report",
        description="Run a study: read, clean, scales, segments, profiles, report.",
    )
    run.add_argument(
        "study", help="a study folder, its study.toml, or a survey file to draft a study from"
    )
    run.add_argument("--out", help="the run folder (default: runs/<time> beside the study file)")
    run.add_argument(
        "--engine",
        choices=("python", "r", "both"),
        help="who computes (default: as the study says)",
    )
    run.add_argument("--seed", type=int, help="seed of everything random (default: the study's)")
    _add_formats(run, "which files to write (default: the study's)")
    volume = run.add_mutually_exclusive_group()
    volume.add_argument("--quiet", action="store_true", help="print nothing but errors")
    volume.add_argument("--verbose", action="store_true", help="print every warning in full")
    run.set_defaults(command=_run)

    report = commands.add_parser(
        "report",
        help="make the report of a finished run anew",
        description="Make report.html anew from a run folder, with what confirm_scales.R found.",
    )
    report.add_argument("run", help="a run folder")
    _add_formats(report, "which files to make (default: html)")
    report.set_defaults(command=_report, verbose=False)

    init = commands.add_parser(
        "init",
        help="draft a study file from a survey file",
        description="Read a survey file (.csv, .sav, .xlsx, ...) and write a study.toml that runs, "
        "with what could not be decided marked by ??.",
    )
    init.add_argument("survey", help="the file of answers")
    init.add_argument("--out", help="folder for study.toml (default: beside the file)")
    init.add_argument("--encoding", help="what the file was saved in, such as cp1252")
    init.add_argument("--skip-rows", type=int, metavar="N", help="rows above the header")
    init.add_argument("--sheet", help="name or number of a workbook's sheet")
    init.set_defaults(command=_init, verbose=False)

    compare = commands.add_parser(
        "compare",
        help="hold two runs side by side: solutions or waves",
        description="Say which segment became which, who moved, and whether more than chance.",
    )
    compare.add_argument("first", help="a run folder")
    compare.add_argument("second", help="the later run folder")
    compare.add_argument("--out", help="the page (default: comparison.html in the second run)")
    compare.set_defaults(command=_compare, verbose=False)

    settings = commands.add_parser(
        "settings",
        help="print every setting of a study file",
        description="Print what each setting means, what it may be, and its default.",
    )
    settings.add_argument("table", nargs="?", help="one table alone, such as segments")
    settings.set_defaults(command=_settings, verbose=False)

    scripts = commands.add_parser(
        "scripts",
        help="print where the R scripts are",
        description="Print the folder of the R scripts that came with psychoseg.",
    )
    scripts.set_defaults(command=_scripts, verbose=False)

    doctor = commands.add_parser(
        "doctor",
        help="print what is installed and what is missing",
        description="Print Python, R, their packages and versions, and how to get what is missing.",
    )
    doctor.set_defaults(command=_doctor, verbose=False)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    import psychoseg

    console = Console(stderr=True, quiet=arguments.quiet)
    study = arguments.study
    if psychoseg.is_survey_file(study):
        study = _study_of(study)
    with _Bar(console) as bar:
        result = psychoseg.run(
            study,
            out=arguments.out,
            engine=arguments.engine,
            seed=arguments.seed,
            formats=arguments.format,
            progress=bar,
        )
    if not arguments.quiet:
        _summarise(result, verbose=arguments.verbose)
        _say_next(result)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    import psychoseg

    for path in psychoseg.remake_report(arguments.run, formats=arguments.format or ("html",)):
        print(f"Report: {path}")
    return 0


def _init(arguments: argparse.Namespace) -> int:
    path = _drafted(
        arguments.survey,
        out=arguments.out,
        encoding=arguments.encoding,
        skip_rows=arguments.skip_rows,
        sheet=arguments.sheet,
    )
    print(f"Next: look at it, then psychoseg run {path.parent}")
    return 0


def _study_of(survey: str) -> Path:
    """Return the study of a survey file: the one beside it that reads it, else a new draft."""
    from pathlib import Path

    from psychoseg.errors import StudyError
    from psychoseg.study import load_study

    path = Path(survey)
    there = path.parent / "study.toml"
    if not (path.is_file() and there.is_file()):
        return _drafted(survey)
    study = load_study(there)
    reads = (study.folder / study.data.file).resolve()
    if reads != path.resolve():
        raise StudyError(
            f"{there} is there already and reads {study.data.file}, not {path.name}. Draft another "
            f"with: psychoseg init {path} --out another_folder"
        )
    print(f"Study: {there}, as it stands (it reads {path.name}; delete it to have it drafted anew)")
    return there


def _drafted(
    survey: str,
    *,
    out: str | None = None,
    encoding: str | None = None,
    skip_rows: int | None = None,
    sheet: str | None = None,
) -> Path:
    """Draft a study file and say what it holds and what is left to decide."""
    import psychoseg

    path, draft = psychoseg.draft_study(
        survey, out=out, encoding=encoding, skip_rows=skip_rows, sheet=sheet
    )
    print(f"Study: {path}")
    for line in draft.found:
        print(f"  {line}")
    if draft.undecided:
        print("To decide (marked ?? in the file):")
        for line in draft.undecided:
            print(f"  - {line}")
    return path


def _compare(arguments: argparse.Namespace) -> int:
    import psychoseg

    page, facts = psychoseg.compare(arguments.first, arguments.second, out=arguments.out)
    print(facts.headline)
    print(facts.reason)
    for row in facts.match.rows:
        first, second, before, after, *_, what = (cell.text for cell in row.cells)
        print(f"  {first} ({before}) -> {second} ({after}): {what}")
    print(facts.changes_text)
    for note in facts.notes:
        print(note)
    print(f"Comparison: {page}")
    return 0


def _add_formats(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "--format",
        action="extend",
        type=_formats,
        metavar="FORMAT[,FORMAT...]",
        help=f"{text}: {', '.join(FORMATS)}, or all",
    )


def _formats(text: str) -> list[str]:
    """Split a list of formats; "all" is every one, the PDF where a browser is there."""
    names = [name.strip() for name in text.split(",")]
    return list(FORMATS) if "all" in names else names


def _summarise(result: Run, *, verbose: bool) -> None:
    """Print who was kept, the segments, the verdict and where the report is."""
    from psychoseg.survey.ledger import say_lost

    survey, segments = result.survey, result.segments
    kept = int((segments.labels > 0).sum())
    lost = say_lost(survey.ledger, survey.n_read)
    if lost:
        print(lost)
    print(
        f"{survey.n_read} respondents read, {kept} segmented, {survey.n_read - kept} excluded "
        "(survey/ledger.csv)"
    )
    personas = result.profiles.personas
    for segment, share, name in zip(
        personas["segment"], personas["share"], personas["name"], strict=True
    ):
        print(f"  segment {segment}: {100 * share:.0f}%  {name}")
    print(segments.reason)
    if result.agreement is not None:
        print("Agreement of the two engines:")
        columns = (result.agreement[c] for c in ("measure", "what", "value"))
        for measure, what, value in zip(*columns, strict=True):
            print(f"  {measure} ({what}): {value:.6g}")
    messages = [text for text in result.warnings["message"] if text != lost]
    if messages:
        whole = verbose or all(len(text) <= _WARNING for text in messages)
        print("Warnings:" if whole else "Warnings (--verbose and manifest.json have them in full):")
        for text in messages:
            print(f"  - {text if verbose else textwrap.shorten(text, _WARNING, placeholder=' …')}")
    folder = result.folder
    if folder is None:
        return
    # The tables of the stages are always there; these are what was asked for.
    files = sorted(file.name for file in folder.iterdir() if file.name.split(".")[0] in _REPORTS)
    shown = [name for name in files if name != "report.html"]
    if shown:
        print(f"In {folder}: {', '.join(shown)}")
    if "report.html" in files:
        print(f"Report: {folder / 'report.html'}")


def _say_next(result: Run) -> None:
    """Say what can be done with a run, and with which command."""
    folder = result.folder
    if folder is None:
        return
    study, steps = result.study, []
    if not study.segments.names:
        steps.append(f"name the segments under [segments.names] in {study.path}, and run it again")
    missing = [name for name in FORMATS if name not in study.report.formats and name != "csv"]
    if missing:
        steps.append(f"psychoseg report {folder} --format {missing[0]}")
    earlier = [m.parent for m in folder.parent.glob("*/manifest.json") if m.parent != folder]
    if earlier:
        latest = max(earlier, key=lambda run: ((run / "manifest.json").stat().st_mtime_ns, run))
        steps.append(f"psychoseg compare {latest} {folder}")
    for step in steps:
        print(f"Next: {step}")


def _settings(arguments: argparse.Namespace) -> int:
    import psychoseg

    print(psychoseg.settings_reference(arguments.table), end="")
    return 0


def _scripts(_: argparse.Namespace) -> int:
    import psychoseg

    print(psychoseg.r_scripts())
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.table import Table

    from psychoseg.engines.doctor import check_installation

    components = check_installation()
    table = Table(title="psychoseg doctor")
    for heading in ("", "Component", "Version", "Needed for"):
        table.add_column(heading)
    for c in components:
        table.add_row("ok" if c.ok else "--", c.name, c.version or "missing", c.needed_for)
    Console().print(table)
    # Outside the table, where a terminal does not break a command that is to be copied.
    missing = [c for c in components if not c.ok]
    for remedy in dict.fromkeys(c.remedy for c in missing):
        names = ", ".join(c.name for c in missing if c.remedy == remedy)
        print(f"{names}: {remedy}")
    print("Everything is there." if not missing else "Without these, only what needs them fails.")
    return 0


class _Bar:
    """Progress on a terminal; silent where the output is piped."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = console.is_terminal and not console.quiet
        self._bar: RichProgress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> _Bar:
        if self._shown:
            from rich.progress import (
                BarColumn,
                Progress,
                SpinnerColumn,
                TextColumn,
                TimeElapsedColumn,
            )

            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("Starting", total=None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def stage(self, name: str) -> None:
        """Show the stage that begins."""
        if self._bar is not None and self._task is not None:
            self._bar.reset(self._task, description=_STAGE_TEXT.get(name, name), total=None)

    def step(self, done: int, total: int) -> None:
        """Show how far the stage is."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)


if __name__ == "__main__":
    sys.exit(main())
