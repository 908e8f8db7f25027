"""How many segments: the recommendation in words, what each index says; computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from psychoseg.report import words
from psychoseg.report.facts import Cell, Fact, Number, Row, Table, cells
from psychoseg.report.tables import kept, n_segments
from psychoseg.study_segments import FINDS_K

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["choice_text", "number_facts"]

#: Columns of the two tables of the panel, and their headings.
_COMPACT = (
    ("within", "Within sum of squares"),
    ("silhouette", "Silhouette"),
    ("calinski_harabasz", "Calinski-Harabasz"),
    ("davies_bouldin", "Davies-Bouldin"),
    ("dunn", "Dunn"),
    ("hartigan", "Hartigan"),
    ("duda_hart", "Duda-Hart"),
    ("duda_hart_critical", "its critical value"),
    ("height", "Height"),
    ("height_jump", "Jump"),
)
_TESTED = (
    ("gap", "Gap"),
    ("gap_se", "its standard error"),
    ("prediction_strength", "Prediction strength"),
    ("jaccard_mean", "Jaccard, mean"),
    ("jaccard_min", "Jaccard, weakest"),
    ("association", "Link to profile"),
    ("division_p", "p of the division"),
    ("bic", "BIC"),
    ("icl", "ICL"),
    ("score", "Evidence"),
)


def number_facts(run: Run) -> Number:
    """Gather what a report says about the number of segments.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Number
    """
    segments = run.segments
    known = n_segments(run)
    by_density = run.study.segments.method in FINDS_K or segments.unassigned > 0
    role = f"Found: {known}" if by_density else f"Recommended: {segments.recommended_k}"
    reasons = [Fact(role, words.sentence(segments.k_reason))]
    if segments.runner_up:
        why = words.sentence(segments.runner_up_reason)
        reasons.append(Fact(f"Runner-up: {segments.runner_up}", why or words.NOTHING))
    reasons.append(Fact("The rule", words.sentence(segments.k_rule)))
    return Number(
        choice=choice_text(run),
        reasons=tuple(reasons),
        votes=_votes_table(run),
        eligible=_eligible_table(run),
        panel=(
            _panel(run, "Compactness and separation at each number of segments", _COMPACT, _WITHIN),
            _panel(run, "Tests, stability and use at each number of segments", _TESTED, _TESTS),
        ),
    )


_WITHIN = (
    "The within sum of squares, Hartigan and Duda-Hart can be read at one segment, the others from "
    "two on. Duda-Hart belongs to the segment that is divided next."
)
_TESTS = (
    "Evidence is what the divisions up to a number have for them, less what they have against "
    "them; p tests the group that is divided to make that number against one cloud of its own."
)


def choice_text(run: Run) -> str:
    """Say how many segments are shown, recommended and next, in one sentence or two."""
    segments = run.segments
    k, best, runner_up = segments.k, segments.recommended_k, segments.runner_up
    others = [] if not runner_up or runner_up == k else [f"the runner-up is {runner_up}"]
    people = "all people form one cloud" if best == 1 else f"{best} are recommended"
    if run.study.segments.method in FINDS_K or segments.unassigned:
        text = f"{words.plural(n_segments(run), 'segment')}, found where people are dense"
        others = []
    elif segments.verdict == "constructed" and run.study.segments.k == "auto":
        text = f"{words.plural(k, 'segment')}, for illustration: none of the numbers is stable"
        others = []
    elif k == best:
        text = f"{words.plural(k, 'segment')}, as recommended"
    elif run.study.segments.k != "auto":
        text = f"{words.plural(k, 'segment')}, as the study asks"
        others.insert(0, people)
    else:
        role = "the most useful division" if k == runner_up else "for illustration"
        text = f"{words.plural(k, 'segment')}, {role}"
        others.insert(0, people)
    if segments.unassigned:
        others.append(f"“segment” {k} holds the people who fit none")
    return words.sentence("; ".join([text, *others]))


def _votes_table(run: Run) -> Table | None:
    rows = []
    for r in run.segments.votes.to_dict("records"):
        k = int(r["k"])
        rows.append(
            Row(
                (
                    Cell(words.sentence(str(r["rule"])).rstrip(".")),
                    Cell(str(k) if k else "cannot say"),
                    Cell(words.number(r["statistic"])),
                    Cell(words.sentence(str(r["meaning"]))),
                ),
                "chosen" if k == run.segments.k else "",
            )
        )
    if not rows:
        return None
    return Table(
        "What each rule says",
        cells("Rule", "Segments", "Index there", "How it is read"),
        tuple(rows),
        note="Marked: the rules that say the number shown. Only some can say that there is one "
        "group; they answer different questions, so they need not agree.",
        text_columns=(3,),
    )


def _eligible_table(run: Run) -> Table:
    rows = []
    for r in run.segments.choice.sort_values("k").to_dict("records"):
        if int(r["k"]) < 2:
            continue
        rows.append(
            Row(
                (
                    Cell(str(int(r["k"])), _role(run, int(r["k"]))),
                    Cell(words.number(r["jaccard_mean"])),
                    Cell(words.number(r["jaccard_min"])),
                    Cell(words.percent(r["smallest_share"]), f"n = {words.count(r['smallest_n'])}")
                    if np.isfinite(r["smallest_n"])
                    else Cell(words.FEW, f"n < {run.study.profiles.min_base}"),
                    Cell("Yes" if r["eligible"] else "No"),
                    Cell(words.sentence(str(r["why"]))),
                ),
                "chosen" if r["chosen"] else "",
            )
        )
    return Table(
        "Which numbers of segments are eligible",
        cells(
            "Segments", "Jaccard, mean", "Jaccard, weakest", "Smallest segment", "Eligible", "Why"
        ),
        tuple(rows),
        note=f"Base n = {kept(run):,}. Jaccard over {run.segments.resamples} bootstrap resamples.",
        text_columns=(4, 5),
    )


def _role(run: Run, k: int) -> str:
    segments = run.segments
    roles = {segments.runner_up: "runner-up", segments.recommended_k: "recommended"}
    return ", ".join(x for x in ("shown" if k == segments.k else "", roles.get(k, "")) if x)


def _panel(run: Run, caption: str, every: tuple[tuple[str, str], ...], note: str) -> Table:
    known = run.segments.choice.notna().any()
    columns = [(c, title) for c, title in every if known[c]]
    rows = tuple(
        Row(
            (
                Cell(str(int(r["k"]))),
                *(
                    Cell(words.p_value(r[c]) if c == "division_p" else words.tiny(float(r[c])))
                    for c, _ in columns
                ),
            ),
            "chosen" if r["chosen"] else "",
        )
        for r in run.segments.choice.sort_values("k").to_dict("records")
    )
    head = cells("Segments", *(title for _, title in columns))
    return Table(caption, head, rows, note=f"Base n = {kept(run):,}. {note}")
