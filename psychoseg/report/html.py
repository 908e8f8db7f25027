"""The HTML report: one self-contained file without scripts; prints, computes nothing."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from psychoseg import plots
from psychoseg.report.context import build_context
from psychoseg.report.facts import FigureText

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["write_html"]

TEMPLATES = Path(__file__).parent / "templates"
#: Leaves of the tree on a page, and on a telephone.
WIDE_LEAVES, NARROW_LEAVES = 60, 40


def write_html(run: Run, path: Path) -> None:
    """Write the report of a run.

    Parameters
    ----------
    run : Run
    path : Path
        The file to write; its folder must exist.

    Notes
    -----
    Each figure is in the file twice, laid out for a page and for a telephone; CSS shows one of
    them. Same run, same bytes: no dates, no random ids.
    """
    context = build_context(run)
    names = [p.name for p in context.personas]
    settings = run.study.segments
    drawings: dict[str, Callable[[float], Figure]] = {
        "dendrogram": lambda width: plots.plot_dendrogram(
            run.segments,
            names,
            width=width,
            max_leaves=WIDE_LEAVES if width == plots.WIDE else NARROW_LEAVES,
        ),
        "choice": lambda width: plots.plot_choice(
            run.segments,
            min_jaccard=settings.min_jaccard,
            stable_jaccard=settings.stable_jaccard,
            width=width,
        ),
        "stability": lambda width: plots.plot_stability(run.segments, names, width=width),
        "certainty": lambda width: plots.plot_certainty(run.segments, names, width=width),
        "flow": lambda width: plots.plot_flow(run.segments, names, width=width),
        "neighbours": lambda width: plots.plot_neighbours(run.segments, width=width),
        "map": lambda width: plots.plot_map(run.segments, names, width=width),
        "heatmap": lambda width: plots.plot_heatmap(run.profiles, width=width),
        "scree": lambda width: plots.plot_scree(run.scales, width=width),
    }
    figures = {
        name: Markup("").join(
            _inline(draw(width), f"{name}-{variant}", variant, context.figures[name])
            for variant, width in (("wide", plots.WIDE), ("narrow", plots.NARROW))
        )
        for name, draw in drawings.items()
        if name in context.figures
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(
        report=context,
        figures=figures,
        colours=[(plots.segment_colour(p.number), p.ink) for p in context.personas],
    )
    path.write_text(_without_controls(html), encoding="utf-8", newline="\n")


def _inline(figure: Figure, name: str, variant: str, text: FigureText) -> Markup:
    """Return a figure as an ``<svg>`` element that can stand beside others in one page."""
    buffer = io.StringIO()
    with plots.figure_style(), warnings.catch_warnings():
        # The browser draws the letters, with its own fonts: what matplotlib's lacks is no matter.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        # The ids of markers and clips must differ between figures of one page.
        matplotlib.rcParams["svg.hashsalt"] = name
        figure.savefig(buffer, format="svg", metadata={"Date": None}, dpi=200, transparent=True)
    svg = buffer.getvalue()
    box = re.search(r'viewBox="([\d. ]+)"', svg)
    if box is None:
        raise RuntimeError("matplotlib wrote an SVG without a viewBox")
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>\*\{[^}]*\}</style>", "", body, count=1)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r"<[^>]*>", _shortened, body)
    head = Markup(
        '<svg class="{}" viewBox="{}" role="img" aria-labelledby="{}-t {}-d" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>'
    ).format(variant, box.group(1), name, name, name, text.title, name, text.description)
    return head + Markup(body.strip()) + Markup("</svg>")


def _shortened(tag: re.Match[str]) -> str:
    """Round the numbers of a tag to two decimals: more shows nowhere and costs a third."""
    rounded = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", tag[0])
    return rounded.replace("\n", " ")


def _without_controls(html: str) -> str:
    """Drop control characters, which HTML forbids, and those that turn text around."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", html)
