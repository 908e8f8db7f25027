"""How sure the segments are: the verdict, sentences for each kind of evidence, and its tables.

Computes nothing.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from psychoseg.report import words
from psychoseg.report.facts import (
    Cell,
    Fact,
    Light,
    Row,
    Sureness,
    Table,
    Verdict,
    cell_anchor,
    cells,
)
from psychoseg.report.number import choice_text
from psychoseg.report.profile_tables import hidden_cell
from psychoseg.report.tables import kept
from psychoseg.stats.choice import ALPHA
from psychoseg.stats.stability import BORDER

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["sureness_facts", "verdict_facts"]

#: Numbers of segments beyond the chosen one whose stability is printed.
BEYOND = 2
#: Level of Hennig's bands from which a segment is valid.
_VALID = 3

#: Kind, word, colour and meaning of the three verdicts (Dolnicar & Leisch 2010).
_LIGHTS = (
    (
        "natural",
        "Natural",
        "green",
        "There are gaps between groups of people that one cloud of people does not have.",
    ),
    (
        "reproducible",
        "Reproducible",
        "amber",
        "No gaps, but the same division comes back when the survey is drawn again. Most surveys "
        "are like this.",
    ),
    (
        "constructed",
        "Constructed",
        "red",
        "Neither gaps nor a division that comes back: no stable segments.",
    ),
)
_HEADLINES = {
    "natural": "Natural groups of people",
    "reproducible": "Reproducible segments",
    "constructed": "No stable segments",
}
_ADVICE = {
    "natural": "The segments are there to be found: another survey of the same people should find "
    "them again.",
    "reproducible": "The segments are a sound map of a continuum, not separate types of people: "
    "whoever stands near a border could as well belong to the neighbours.",
    "constructed": "Use the segments below as a way to look at the data. Do not build a strategy "
    "on who belongs to which.",
}
#: The same of segments that do not all come back.
_UNSTEADY = {
    **_ADVICE,
    "natural": "There is something to be found, but this number of segments does not find it "
    "dependably: look at the runner-up before you build on these.",
}
#: Name of an audit, and what was done; the values follow.
_AUDITS = {
    "row order": (
        "Row order",
        "The rows of the file were shuffled and divided anew; agreement (adjusted Rand, 1 is the "
        "same segments)",
    ),
    "ties": (
        "Ties",
        "Steps of the tree at one height with another, which textbook Ward lets the order of the "
        "rows decide",
    ),
    "measurement error": (
        "Error of measurement",
        "Every scale was moved by as much as it errs (from its alpha), and people were divided "
        "anew",
    ),
    "consensus": (
        "Consensus",
        "One division was made of many by several methods, beside the one shown",
    ),
    "approximation": ("Approximation", ""),
}
_ENGINES = (
    "Python and R both computed this run; how far they agree, stage by stage, is in the section "
    "“Two engines”."
)
_CRITICS = (
    "Dividing people by scales, or by components of them, has critics: what parts people may lie "
    "in what the scales leave out (Arabie and Hubert 1994; Dolnicar and Grün 2008). So the same "
    "people were divided by scales, by components and by the items themselves."
)


def verdict_facts(run: Run) -> Verdict:
    """Return the verdict with its light, its sentence, how many segments and how sure.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Verdict
    """
    segments = run.segments
    headline = _HEADLINES[segments.verdict]
    tone = next(colour for kind, _, colour, _ in _LIGHTS if kind == segments.verdict)
    return Verdict(
        kind=segments.verdict,
        tone=tone,
        headline=headline,
        reason=words.sentence(segments.reason.removeprefix(f"{headline}:")),
        meaning=_ADVICE[segments.verdict] if _comes_back(run) else _UNSTEADY[segments.verdict],
        lights=tuple(
            Light(kind, word, colour, meaning, kind == segments.verdict)
            for kind, word, colour, meaning in _LIGHTS
        ),
        facts=(Fact("How many", choice_text(run)), Fact("How sure", _redrawn(run))),
    )


def sureness_facts(run: Run) -> Sureness:
    """Gather what a report says about how sure the segments are.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Sureness
    """
    found = (
        ("Against one cloud", _against_one_cloud(run)),
        ("When the survey is redrawn", _redrawn(run)),
        ("Person by person", _people(run)),
        *((name, _audited(run, audit)) for audit, (name, _) in _AUDITS.items()),
        ("Other methods", _other_methods(run)),
        ("Two engines", _ENGINES if run.agreement is not None else ""),
        ("Approximate", words.sentence(run.segments.approximate)),
    )
    return Sureness(
        facts=tuple(Fact(label, text) for label, text in found if text),
        segments=_segment_table(run),
        audit=_audit_table(run),
        methods=_method_table(run),
        tandem_text=_tandem_text(run),
        tandem=_tandem_table(run),
        consensus=_consensus_table(run),
        stability=_stability_table(run),
    )


def _against_one_cloud(run: Run) -> str:
    if run.segments.null.empty:
        return ""
    row = run.segments.null.to_dict("records")[0]
    if not np.isfinite(row["p_value"]):
        return "Whether there are gaps between groups could not be tested."
    who = f"{int(row['n_people']):,} people"
    people = f"a sample of {who}" if row["sampled"] else f"the {who}"
    clustered = row["p_value"] <= ALPHA
    return (
        f"Held against {int(row['replicates']):,} made-up clouds with the same averages, "
        f"correlations and answer steps but no groups, {people} are "
        f"{'more clustered than chance allows' if clustered else 'no more clustered'} "
        f"({_p(row['p_value'])}): there are {'gaps' if clustered else 'no gaps to be found'}."
    )


def _p(value: float) -> str:
    text = words.p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _comes_back(run: Run) -> bool:
    """Tell whether the division comes back by the bounds of the study; yes where not measured."""
    bounds, choice = run.study.segments, run.segments.choice
    at = choice[choice["chosen"]]
    return not (
        (at["jaccard_mean"] < bounds.stable_jaccard) | (at["jaccard_min"] < bounds.min_jaccard)
    ).any()


def _redrawn(run: Run) -> str:
    """Say how many segments are valid by the bootstrap, and name the weakest."""
    real = _real(run)
    known = [(float(r["jaccard"]), int(r["segment"])) for r in real if np.isfinite(r["jaccard"])]
    if not known:
        return "How well the segments come back was not measured."
    valid = sum(words.stability_band(j)[0] >= _VALID for j, _ in known)
    weakest, segment = min(known)
    every = "All" if valid == len(real) else f"{valid} of" if valid else "None of the"
    # Not "come back", which the verdict says of all segments together, by the study's own bounds.
    is_valid = "is valid" if valid == 1 < len(real) else "are valid"
    return (
        f"{every} {words.plural(len(real), 'segment')} {is_valid} when the survey is drawn again "
        f"(Jaccard from 0.75, {run.segments.resamples} resamples); the weakest is segment "
        f"{segment} with {words.number(weakest)}, {words.stability_band(weakest)[1]}."
    )


def _real(run: Run) -> list[dict[Hashable, Any]]:
    """Return the rows of the segments that are segments."""
    table = run.segments.table
    return table[table["segment"] != run.segments.unassigned].to_dict("records")


def _people(run: Run) -> str:
    known = [r for r in _real(run) if np.isfinite(r["certainty"])]
    if not known:
        return ""
    low, high = (f(known, key=lambda r: r["certainty"]) for f in (min, max))
    text = (
        f"People land in the same segment in {words.percent(high['certainty'])} of the resamples "
        f"in segment {int(high['segment'])}, the surest, and in {words.percent(low['certainty'])} "
        f"in segment {int(low['segment'])}, the least sure."
    )
    audit = run.segments.audit
    border = audit[audit["audit"] == "border"].to_dict("records") if len(audit) else []
    if border and np.isfinite(border[0]["value"]):
        text += (
            f" {words.percent(border[0]['value'])} of all {words.count(border[0]['base'])} stand "
            f"on a border: they keep their segment in fewer than {words.percent(BORDER)} of the "
            "resamples."
        )
    return text


def _audited(run: Run, audit: str) -> str:
    rows = run.segments.audit
    if rows.empty:
        return ""
    found = []
    for r in rows[rows["audit"] == audit].to_dict("records"):
        what, value = str(r["what"]), float(r["value"])
        inside = [_audit_range(what, float(r["low"]), float(r["high"]))]
        if "Rand" in what or audit == "row order":
            inside.append(words.agreement_words(value))
        inside = [text for text in inside if text]
        shown = _audit_value(what, value) + (f" ({', '.join(inside)})" if inside else "")
        found.append(f"{what} {shown}" + (f" of {words.count(r['base'])}" * (audit == "ties")))
    lead = _AUDITS[audit][1]
    return words.sentence(": ".join(t for t in (lead, "; ".join(found)) if t)) if found else ""


def _what(text: str) -> str:
    return text if text.startswith("psychoseg") else words.sentence(text).rstrip(".")


def _audit_value(what: str, value: float) -> str:
    if what.startswith("share"):
        return words.percent(value)
    return words.count(value) if "merges" in what else words.number(value)


def _audit_range(what: str, low: float, high: float) -> str:
    if not (np.isfinite(low) and np.isfinite(high)) or words.number(low) == words.number(high):
        return ""
    return (
        words.percent_interval(low, high) if what.startswith("share") else words.interval(low, high)
    )


def _other_methods(run: Run) -> str:
    found = [
        f"{r['method']} {words.number(r['adjusted_rand'])}, "
        f"{words.agreement_words(r['adjusted_rand'])}"
        for r in run.segments.methods.to_dict("records")
        if np.isfinite(r["adjusted_rand"])
    ]
    if not found:
        return ""
    return (
        f"The same people divided otherwise agree with these segments (adjusted Rand) by: "
        f"{'; '.join(found)}. 1 is the same division, 0 no more than chance; methods that disagree "
        "are usual where people form a continuum."
    )


def _segment_table(run: Run) -> Table:
    names = dict(zip(run.profiles.personas["segment"], run.profiles.personas["name"], strict=True))
    rows = []
    for r in run.segments.table.to_dict("records"):
        number = int(r["segment"])
        left_out = number == run.segments.unassigned
        band = "no segment" if left_out else words.stability_band(r["jaccard"])[1]
        rows.append(
            Row(
                (
                    Cell(str(names[number]), number=number),
                    Cell(
                        words.percent(r["share"]) if np.isfinite(r["share"]) else words.FEW,
                        base=str(r["people"]),
                        anchor=cell_anchor("personas", "", "", int(r["segment"])),
                    ),
                    Cell(words.number(r["jaccard"])),
                    Cell(band),
                    Cell(words.number(r["slsw"])),
                    *(
                        [hidden_cell(run)] * 3
                        if not r["n"] >= run.study.profiles.min_base
                        else cells(
                            words.percent(r["certainty"]),
                            words.percent(r["border_share"]),
                            words.number(r["silhouette"]),
                        )
                    ),
                )
            )
        )
    return Table(
        "How sure each segment is",
        cells(
            "Segment", "Size", "Jaccard", "In words", "SLSw", "Certainty", "On a border",
            "Silhouette",
        ),
        tuple(rows),
        note="Jaccard (Hennig 2007): below 0.60 not to be trusted, to 0.75 a pattern, from 0.75 "
        "valid, from 0.85 highly stable. SLSw is the median over the resamples; certainty and "
        "border are means over the people of the segment.",
        text_columns=(3,),
    )  # fmt: skip


def _audit_table(run: Run) -> Table | None:
    rows = tuple(
        Row(
            cells(
                words.sentence(str(r["audit"])).rstrip("."),
                _what(str(r["what"])),
                _audit_value(str(r["what"]), float(r["value"])),
                _audit_range(str(r["what"]), float(r["low"]), float(r["high"])) or words.NOTHING,
                words.count(r["base"]),
            )
        )
        for r in run.segments.audit.to_dict("records")
    )
    if not rows:
        return None
    return Table(
        "Audits",
        cells("Audit", "What was done", "Value", "Range", "Base (n)"),
        rows,
        note="Values of row order are adjusted Rand indices: 1 is the same division, 0 no more "
        "than chance. The base of ties counts the merges of the tree.",
        text_columns=(1,),
    )


def _method_table(run: Run) -> Table | None:
    rows = tuple(
        Row(
            (
                Cell(words.sentence(str(r["method"])).rstrip(".")),
                Cell(words.count(r["k"])),
                Cell(words.number(r["adjusted_rand"]), words.agreement_words(r["adjusted_rand"])),
                *(Cell(words.number(r[c])) for c in ("silhouette", "bic", "icl")),
                Cell(str(r["note"])),
            )
        )
        for r in run.segments.methods.to_dict("records")
    )
    if not rows:
        return None
    return Table(
        "The same people divided by other methods",
        cells("Method", "Segments", "Adjusted Rand", "Silhouette", "BIC", "ICL", "Base (n)"),
        rows,
        note="Adjusted Rand: with the segments shown, in Steinley's words "
        "(2004). Lower BIC and ICL are better, among models of the same data.",
        text_columns=(6,),
    )


def _tandem_text(run: Run) -> str:
    found = [
        (float(r["adjusted_rand"]), str(r["b"]))
        for r in run.segments.tandem.to_dict("records")
        if r["a"] == "segments" and np.isfinite(r["adjusted_rand"])
    ]
    if not found:
        return ""
    said = ", ".join(f"by {b} {words.number(v)}" for v, b in found)
    word = words.agreement_words(min(found)[0])
    return f"{_CRITICS} Agreement with the segments shown (adjusted Rand): {said}. {_READING[word]}"


#: What the weakest agreement of the tandem check says.
_READING = {
    "excellent": "The scales hide nothing of what divides people.",
    "good": "The scales hide little of what divides people.",
    "moderate": "The main lines are the same, but some people change segments with the way they "
    "are compared.",
    "poor": "Who belongs together depends on how people are compared. Read the segments as those "
    "of the scales, which are more reliable than single items, and not as the only ones that these "
    "answers hold.",
}


def _tandem_table(run: Run) -> Table | None:
    rows = tuple(
        Row(
            (
                Cell(words.sentence(f"{r['a']} and {r['b']}").rstrip(".")),
                Cell(words.count(r["k"])),
                Cell(words.number(r["adjusted_rand"]), words.agreement_words(r["adjusted_rand"])),
                Cell(words.count(r["base"])),
            )
        )
        for r in run.segments.tandem.to_dict("records")
    )
    if not rows:
        return None
    return Table(
        "Tandem check: how far divisions by scales, components and items agree",
        cells("Divided by", "Segments", "Adjusted Rand", "Base (n)"),
        rows,
    )


def _consensus_table(run: Run) -> Table | None:
    rows = tuple(
        Row(
            cells(
                f"Consensus segment {int(r['segment'])}",
                words.count(r["n"]) if np.isfinite(r["n"]) else words.NOTHING,
                words.percent(r["share"]),
                words.number(r["jaccard"]),
                words.stability_band(r["jaccard"])[1],
                words.number(r["agreement"]),
            )
        )
        for r in run.segments.consensus.to_dict("records")
    )
    if not rows:
        return None
    return Table(
        "Consensus: one division made of many",
        cells("Segment", "People", "Share", "Jaccard", "In words", "Agreement"),
        rows,
        note=f"Base n = {kept(run):,}. Beside the segments of this report, not in their place.",
        text_columns=(4,),
    )


def _stability_table(run: Run) -> Table | None:
    segments = run.segments
    last = max(segments.k, segments.recommended_k) + BEYOND
    rows = []
    for k in range(2, last + 1):
        part = segments.stability
        part = part[part["k"] == k] if len(part) else part
        if part.empty:
            continue
        shown = ", shown" if k == segments.k else ""
        rows.append(Row((Cell(f"{k} segments{shown}"),), "group"))
        rows += [
            Row(
                cells(
                    f"Segment {int(r['segment'])}",
                    words.percent(r["share"]),
                    words.number(r["jaccard"]),
                    words.number(r["jaccard_low"]),
                    words.number(r["slsa"]),
                    words.number(r["slsa_next"]),
                )
            )
            for r in part.to_dict("records")
        ]
    if not rows:
        return None
    return Table(
        "Stability at each number of segments",
        cells("Segment", "Share", "Jaccard", "its low end", "SLSa, back", "SLSa, on"),
        tuple(rows),
        note=f"Base n = {kept(run):,}. SLSa back: how far it was one segment before; on: how "
        "far it stays one. The other numbers are in the run folder, segments/stability.csv.",
    )
