"""One run as ready-to-print facts, the same for every format; computes nothing, knows no markup.

Everything is text, or a number between 0 and 100 for the length of a bar. Templates print it as it
is, and tests check it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from psychoseg.profiles.figures import dividing_rows
from psychoseg.report import answering, profile_tables, tables, words
from psychoseg.report.cards import persona_cards
from psychoseg.report.carriers import carrier_facts
from psychoseg.report.drivers import driver_facts
from psychoseg.report.facts import (
    Fact,
    FigureText,
    Notice,
    Persona,
    ReportContext,
    ScaleBlock,
    Table,
)
from psychoseg.report.glossary import GLOSSARY
from psychoseg.report.leaving import in_house, leaving_run
from psychoseg.report.measurement import measurement_facts
from psychoseg.report.number import number_facts
from psychoseg.report.sureness import sureness_facts, verdict_facts
from psychoseg.report.wants import job_tables, word_tables
from psychoseg.study_segments import FINDS_K, TREE_METHODS
from psychoseg.survey.ledger import say_lost

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["build_context"]

#: Below this reliability a scale is marked (Nunnally 1978, Psychometric Theory, 2nd ed., p. 245).
LOW_ALPHA = 0.7
#: On a report with ``[report] individuals``.
CONFIDENTIAL = (
    "This report shows people one by one: each is a dot on the map, and branches and sizes are "
    "told however few people they have. Do not pass it on. Without “individuals = true” under "
    "[report] in the study file, psychoseg writes one that may leave."
)
#: Fewer scales make no radar.
SPOKES = 3


def build_context(run: Run) -> ReportContext:
    """Gather what a report says about a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    ReportContext

    Notes
    -----
    Percentages are whole, other numbers have at most two decimals. Intervals are at 95%.
    """
    run = leaving_run(run)
    study, scales = run.study.study, run.scales
    personas = persona_cards(run)
    versions = run.manifest.get("versions", {})
    return ReportContext(
        title=study.title,
        description=study.description,
        population=study.population,
        source=study.source,
        confidential=CONFIDENTIAL if in_house(run) else "",
        verdict=verdict_facts(run),
        key_numbers=_key_numbers(run),
        personas=personas,
        people=tables.people_table(run),
        set_aside=tables.set_aside_table(run),
        lost=say_lost(run.survey.ledger, run.survey.n_read),
        weighting=_weighting(run),
        sample=tables.sample_table(run),
        answering=_present(
            answering.quality_table(run),
            answering.style_table(run),
            answering.missing_table(run),
            answering.weighting_table(run),
            answering.margin_table(run),
        ),
        scales_method=words.sentence(scales.method),
        scales=_scale_blocks(run),
        measurement=measurement_facts(run) if run.study.items else None,
        number=number_facts(run),
        sureness=sureness_facts(run),
        carriers=carrier_facts(run),
        tree_text=_tree_text(run),
        map_text=_map_text(run),
        axes=tables.axes_table(run),
        profile_means=profile_tables.mean_tables(run),
        profile_shares=profile_tables.share_tables(run),
        tests=profile_tables.difference_table(run),
        agreement=tables.agreement_table(run),
        warnings=tuple(
            Notice(words.stage_name(str(r["stage"])), words.sentence(str(r["message"])))
            for r in run.warnings.to_dict("records")
        ),
        method=_method(run),
        settings=run.study.to_toml(),
        versions=tuple(Fact(str(k), str(v)) for k, v in versions.items())
        if isinstance(versions, Mapping)
        else (),
        inputs=_inputs(run),
        glossary=tuple(Fact(term, meaning) for term, meaning in GLOSSARY),
        figures=_figures(run, personas),
        drivers=driver_facts(run),
        jobs=job_tables(run),
        words=word_tables(run),
    )


def _present(*found: Table | None) -> tuple[Table, ...]:
    return tuple(table for table in found if table is not None)


def _key_numbers(run: Run) -> tuple[Fact, ...]:
    survey, segments = run.survey, run.segments
    people = tables.kept(run)
    note = f"of {survey.n_read:,} read, {survey.n_read - people:,} left out"
    if survey.weight_kind != "none":
        note += f", effective base {survey.n_effective:,.0f}"
    mean, weakest = _stability(run)
    if run.study.segments.k != "auto":
        how = "set in the study"
    elif run.study.segments.method in FINDS_K or segments.unassigned:
        how = "where people are dense"
    elif segments.verdict == "constructed":
        how = "for illustration"
    elif segments.k == segments.recommended_k:
        how = "recommended"
    else:
        how = "the most useful division"
    return (
        Fact("Segments", str(tables.n_segments(run)), how),
        Fact("People in the results", f"{people:,}", note),
        _asked(run),
        Fact(
            "Stability",
            words.number(mean),
            f"mean Jaccard, from 0 to 1; weakest segment {words.number(weakest)}",
        ),
    )


def _asked(run: Run) -> Fact:
    """Return how many questions divide people."""
    if run.study.items:
        scales = words.plural(len(run.scales.table), "scale")
        return Fact("Questions asked", str(len(run.scales.items)), f"summarised in {scales}")
    active = [v for v in run.survey.codebook.values() if v.role == "active"]
    kinds = {"choice": "options", "numeric": "numbers"}
    what = dict.fromkeys(kinds.get(v.kind, "categories") for v in active)
    return Fact("Answers used", str(len(active)), f"{' and '.join(what)}, no scales")


def _stability(run: Run) -> tuple[float, float]:
    chosen = run.segments.choice[run.segments.choice["chosen"]].to_dict("records")
    if not chosen:
        return np.nan, np.nan
    return float(chosen[0]["jaccard_mean"]), float(chosen[0]["jaccard_min"])


def _weighting(run: Run) -> str:
    survey = run.survey
    if survey.weight_kind == "none":
        return "The answers are not weighted: every respondent counts once."
    effective = f"{survey.n_effective:,.0f}"
    if survey.weight_kind == "frequency":
        return f"Each row stands for as many people as its weight says: {effective} in all."
    return (
        f"The answers are weighted (weights from {words.number(survey.weights.min())} to "
        f"{words.number(survey.weights.max())}, mean one). {survey.n:,} respondents so weighted "
        f"tell as much as {effective} unweighted ones (Kish's effective base); intervals and tests "
        f"count on that."
    )


def _scale_blocks(run: Run) -> tuple[ScaleBlock, ...]:
    scales = run.scales
    blocks = []
    for r in scales.table.to_dict("records"):
        items = scales.items[scales.items["scale"] == r["scale"]]
        label = str(r["label"])
        blocks.append(
            ScaleBlock(
                label=label,
                alpha=words.number(r["alpha"]),
                alpha_interval=words.interval(r["alpha_low"], r["alpha_high"]),
                low_alpha=not r["alpha"] >= LOW_ALPHA,
                meaning=words.alpha_meaning(r["alpha"]),
                facts=(
                    f"{words.plural(int(r['n_items']), 'item')}, mean {words.number(r['mean'])} "
                    f"(SD {words.number(r['sd'])}), average inter-item r "
                    f"{words.number(r['mean_r'])}, n = {int(r['base']):,}"
                ),
                question=_question(run, items["item"]),
                items=tables.item_table(label, items),
            )
        )
    alone = scales.items[scales.items["scale"] == ""]
    if len(alone):
        blocks.append(
            ScaleBlock(
                label="In no scale",
                alpha="",
                alpha_interval="",
                low_alpha=False,
                meaning="",
                facts=f"{words.plural(len(alone), 'item')} asked, but part of no scale",
                question=_question(run, alone["item"]),
                items=tables.item_table("In no scale", alone),
            )
        )
    return tuple(blocks)


def _question(run: Run, items: Iterable[str]) -> str:
    book = run.survey.codebook
    stems = (book[i].question for i in items if i in book)
    return " / ".join(dict.fromkeys(stem for stem in stems if stem))


def _tree_text(run: Run) -> str:
    segments = run.segments
    if not _has_tree(run):
        return (
            f"{words.sentence(segments.method)} The method divides people directly, so there is no "
            "tree to draw."
        )
    settings = run.study.segments
    weighted = "" if run.survey.weight_kind == "none" else " (weighted)"
    cut = (
        f"Cutting it where the dashed line stands gives {_parts(run)}. Wedges are small branches "
        f"folded up; the number beside each is how many people it holds{weighted}."
    )
    moved = settings.consolidate or segments.n_moved > 0
    if settings.method in TREE_METHODS and not moved:
        text = f"The tree joins the most similar people first, then the most similar groups. {cut}"
    else:
        first = (
            f"A tree was cut, and {words.plural(segments.n_moved, 'respondent')} then moved to a "
            "nearer segment"
            if moved
            else "The method divides people directly, without a tree"
        )
        text = (
            f"{words.sentence(segments.method)} {first}. The one below is drawn over the segments "
            f"for looking: it joins alike people within each, then the segments. {cut}"
        )
    if segments.approximate:
        text += f" Approximate: {segments.approximate}."
    if segments.tied_merges and settings.method in TREE_METHODS:
        text += (
            f" {words.plural(segments.tied_merges, 'merge')} of {len(segments.tree):,} had a tie, "
            f"and {words.plural(segments.n_identical, 'respondent')} answered just like another "
            f"one: ties are broken by a fixed order that does not depend on the order of the file."
        )
    return text


def _parts(run: Run) -> str:
    """Return "5 segments", and that there are people in none."""
    left_out = " and those who fit none" if run.segments.unassigned else ""
    return words.plural(tables.n_segments(run), "segment") + left_out


def _has_tree(run: Run) -> bool:
    """Say whether there is a tree with heights, which a flat method need not have."""
    tree = run.segments.tree
    return len(tree) > 0 and bool(np.isfinite(tree[:, 2]).all())


def _map_text(run: Run) -> str:
    points = run.segments.points
    marks = (
        "Each point is a respondent and each disc the centre of a segment"
        if in_house(run)
        else "Each cloud is a segment and each disc its centre: about two in five of its people "
        "are in the inner ellipse, nearly nine in ten in the outer one. Nobody is shown alone, "
        f"and no cloud has fewer than {run.study.profiles.min_base} people"
    )
    if not (points["map_1"] == points["comp_1"]).all():
        return (
            f"{marks}. This map is for looking only: it keeps neighbours together, and neither its "
            "directions nor its distances mean anything."
        )
    seen = words.percent(_seen(run))
    if not points["map_2"].any():
        return (
            f"{marks}. There is one component, with {seen} of the variance; each segment has a "
            f"lane of its own."
        )
    return (
        f"{marks}, on the two strongest "
        f"components. Together they show {seen} of the variance: segments that overlap here may be "
        f"apart in the rest. Arrows point to where a feature is stronger."
    )


def _seen(run: Run) -> float:
    shares = run.segments.eigenvalues["share"].to_numpy(dtype=float)
    return float(shares[: 2 if run.segments.points["map_2"].any() else 1].sum())


def _method(run: Run) -> tuple[Fact, ...]:
    scales, segments = run.scales, run.segments
    features = "; ".join(str(t) for t in segments.features["label"])
    retained = int(segments.eigenvalues["retained"].sum())
    return (
        Fact("Scales", words.sentence(scales.method)),
        *(
            [Fact("Correlation", f"{scales.correlation.capitalize()} correlations of the items.")]
            if run.study.items
            else []
        ),
        Fact(
            "Features",
            f"{words.plural(len(segments.features), 'feature')}, standardised: {features}.",
        ),
        Fact(
            "Reduction",
            f"{retained} of {len(segments.eigenvalues)} components kept. "
            + words.sentence(segments.components_rule),
        ),
        Fact("Division", words.sentence(segments.method)),
        Fact("Number of segments", words.sentence(segments.k_rule)),
        Fact("Verdict", f"{segments.verdict.capitalize()}. {words.sentence(segments.reason)}"),
        Fact("Engine", str(run.manifest.get("engine", words.NOTHING))),
        Fact("Seed", str(run.manifest.get("seed", run.study.study.seed))),
    )


def _inputs(run: Run) -> tuple[Fact, ...]:
    inputs = run.manifest.get("inputs", ())
    if not isinstance(inputs, Sequence):
        return ()
    return tuple(
        Fact(str(i["file"]), f"sha256 {i['sha256']}", f"{int(i['bytes']):,} bytes") for i in inputs
    )


def _figures(run: Run, personas: Sequence[Persona]) -> Mapping[str, FigureText]:
    segments = run.segments
    sizes = "; ".join(f"segment {p.number}, {p.name}, {p.share}" for p in personas)
    ks = segments.choice["k"]
    mean, weakest = _stability(run)
    figures = {
        "dendrogram": FigureText(
            "Dendrogram coloured by segment",
            f"A tree cut into {_parts(run)}: {sizes}.",
        ),
        "choice": FigureText(
            "What each index says of the number of segments",
            f"Ten line charts over {ks.min()} to {ks.max()} segments. At {segments.k} the mean "
            f"Jaccard is {words.number(mean)}, the weakest segment's {words.number(weakest)}. All "
            f"numbers are in the tables of the section for the statistician.",
        ),
        "stability": FigureText(
            "How much of each segment comes back",
            f"A box for each segment over the resamples. The same numbers are in the table below: "
            f"{sizes}.",
        ),
        "certainty": FigureText(
            "How sure each respondent's segment is",
            "Number of respondents by the share of resamples that put them into the same segment. "
            "The averages by segment are in the table.",
        ),
        "flow": FigureText(
            "Where people go when there is one segment more",
            f"Segments at neighbouring numbers, joined by the people who go from one to the other, "
            f"in the colours of the segments shown. At {segments.k}: {sizes}.",
        ),
        "map": FigureText(
            "Map of people and segments",
            f"People by their place on the strongest components, which show "
            f"{words.percent(_seen(run))} of the variance, coloured by segment: {sizes}.",
        ),
        "heatmap": FigureText(
            "Heat map of segments by scales",
            "Mean of each segment on each scale, coloured by its distance from everybody's mean. "
            "The same numbers, with intervals, are in the profile tables.",
        ),
        "snake": FigureText(
            "Snake plot: the segments over the scales",
            "A line for each segment over the scales, in standard deviations from everybody's "
            "mean. The same numbers are in the profile tables.",
        ),
        "radar": FigureText(
            "A radar for each segment",
            "Each segment's means on spokes, one a scale, beside everybody's. The same numbers are "
            "in the profile tables.",
        ),
        "profile": FigureText(
            "Segment profile plot: what marks each segment",
            "A panel a segment with a bar a scale, from everybody's mean to the segment's; bars "
            "more than half a standard deviation long are coloured. The same numbers are in the "
            "profile tables.",
        ),
        "importance": FigureText(
            "What tells the segments apart",
            "Accuracy that a model loses without each variable, strongest first. The same numbers "
            "are in the table below.",
        ),
        "scree": FigureText(
            "Eigenvalues against parallel analysis",
            f"Eigenvalues of components and of factors, each against those of chance; "
            f"{words.plural(len(run.scales.factors), 'factor')} used. The first numbers are in the "
            f"table below.",
        ),
    }
    if len(segments.neighbours):
        figures["neighbours"] = FigureText(
            "How near people's neighbours are",
            "Distance to the neighbour that completes a dense group, people in order of it. Those "
            "above the line, where the curve turns up, are in no dense group by themselves.",
        )
    means = run.profiles.means
    absent = {
        "dendrogram": not _has_tree(run),
        "importance": run.profiles.importance.empty,
        "radar": dividing_rows(means, run.profiles.shares)["variable"].nunique() < SPOKES,
        "scree": not run.study.items,
    }
    for name, missing in absent.items():
        if missing:
            del figures[name]
    return figures
