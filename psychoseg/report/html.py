"""The HTML report: one self-contained file; prints, computes nothing.

Owns what the browser may do with it: no request at all, and no script but ours, each by its hash.
"""

from __future__ import annotations

import base64
import hashlib
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
from psychoseg.report.explorer import explorer_data
from psychoseg.report.facts import FigureText
from psychoseg.report.leaving import in_house, leaving_run, outline_for

if TYPE_CHECKING:
    from psychoseg.run_folder import Run

__all__ = ["inline_figure", "render_page", "write_html"]

TEMPLATES = Path(__file__).parent / "templates"
#: Leaves of the tree on a page, and on a telephone.
WIDE_LEAVES, NARROW_LEAVES = 60, 40
#: Stands in the policy of the page until the hashes of its scripts are known.
_SCRIPTS = "'psychoseg-scripts'"
_SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


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
    outline = outline_for(run)
    shown = None if in_house(run) else outline
    explorer = explorer_data(run)
    run = leaving_run(run)
    context = build_context(run)
    names = [p.name for p in context.personas]
    # The explorer has colours beyond those of the segments shown.
    numbers = range(1, max(len(context.personas), len(plots.SEGMENT_COLOURS)) + 1)
    settings = run.study.segments
    drawings: dict[str, Callable[[float], Figure]] = {
        "dendrogram": lambda width: plots.plot_dendrogram(
            run.segments,
            names,
            width=width,
            max_leaves=WIDE_LEAVES if width == plots.WIDE else NARROW_LEAVES,
            outline=outline,
        ),
        "choice": lambda width: plots.plot_choice(
            run.segments,
            min_jaccard=settings.min_jaccard,
            stable_jaccard=settings.stable_jaccard,
            width=width,
        ),
        "stability": lambda width: plots.plot_stability(run.segments, names, width=width),
        "certainty": lambda width: plots.plot_certainty(
            run.segments, names, width=width, least=outline.least
        ),
        "flow": lambda width: plots.plot_flow(run.segments, names, width=width),
        "neighbours": lambda width: plots.plot_neighbours(run.segments, width=width),
        "map": lambda width: plots.plot_map(run.segments, names, width=width, outline=shown),
        "heatmap": lambda width: plots.plot_heatmap(run.profiles, width=width),
        "snake": lambda width: plots.plot_snake(run.profiles, width=width),
        "radar": lambda width: plots.plot_radar(run.profiles, width=width),
        "profile": lambda width: plots.plot_profile(run.profiles, width=width),
        "importance": lambda width: plots.plot_importance(run.profiles, width=width),
        "scree": lambda width: plots.plot_scree(run.scales, width=width),
    }
    figures = {
        name: Markup("").join(
            inline_figure(draw(width), f"{name}-{variant}", variant, context.figures[name])
            for variant, width in (("wide", plots.WIDE), ("narrow", plots.NARROW))
        )
        for name, draw in drawings.items()
        if name in context.figures
    }
    render_page(
        "report.html.j2",
        path,
        report=context,
        explorer=explorer,
        figures=figures,
        colours=[(plots.segment_colour(n), plots.ink_on(plots.segment_colour(n))) for n in numbers],
    )


def render_page(template: str, path: Path, **values: object) -> None:
    """Write a page from a template of this package, its scripts named in its policy."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template(template).render(script_policy=_SCRIPTS, **values)
    html = _with_policy(_without_controls(html))
    path.write_text(html, encoding="utf-8", newline="\n")


def inline_figure(figure: Figure, name: str, variant: str, text: FigureText) -> Markup:
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


def _with_policy(html: str) -> str:
    """Name the page's scripts by their hashes in its content-security policy.

    Only a script of ours is named: one that a label had smuggled in would not run.

    Raises
    ------
    RuntimeError
        Where the page holds a script that is none of ours.
    """
    ours = {script.read_text(encoding="utf-8").strip() for script in TEMPLATES.glob("*.js")}
    hashes = []
    for kind, body in _SCRIPT.findall(html):
        if 'type="application/json"' in kind:
            continue  # data, which no browser runs
        if body.strip() not in ours:
            raise RuntimeError("the report holds a script that is not psychoseg's")
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        hashes.append(f"'sha256-{digest}'")
    return html.replace(_SCRIPTS, " ".join(dict.fromkeys(hashes)) or "'none'", 1)


def _shortened(tag: re.Match[str]) -> str:
    """Round the numbers of a tag to two decimals: more shows nowhere and costs a third."""
    rounded = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", tag[0])
    return rounded.replace("\n", " ")


def _without_controls(html: str) -> str:
    """Drop control characters, which HTML forbids, and those that turn text around."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", html)
