"""The dendrogram one can explore: its data, and what it does in a real browser."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from scipy.cluster.hierarchy import linkage

from psychoseg.plots import segment_colour
from psychoseg.report import words, write_html
from psychoseg.report.explorer import explorer_data
from psychoseg.report.folded_tree import MAX_DOTS
from psychoseg.segments.cuts import cut_panel, cut_table
from psychoseg.segments.outline import MAX_WEDGES
from tests.made_run import in_house, make_run

SHARES = ("categorical", "choice")


@pytest.fixture
def opened(browser, written):
    """Return a function that opens the report of a kind: the page, and what went wrong."""
    pages = []

    def opens(kind, *, width=1280, at="", path=None, motion="no-preference"):
        page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion=motion)
        pages.append(page)
        wrong = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        url = (path or written(kind)).as_uri()
        page.on("request", lambda r: None if r.url.startswith(url) else wrong.append(r.url))
        page.goto(url + at)
        return page, wrong

    yield opens
    for page in pages:
        page.close()


def go(page, k):
    """Move the slider as a hand does."""
    page.evaluate(
        """k => { const s = document.getElementById('xp-range'); s.value = k;
                  s.dispatchEvent(new Event('input', {bubbles: true})); }""",
        k,
    )


def until(page, claim):
    """Wait until a claim is true; playwright's own way needs eval, which the policy forbids."""
    for _ in range(100):
        if page.evaluate(claim):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"after ten seconds it is not true that {claim}")


def printed(row):
    return (words.percent if row["kind"] in SHARES else words.number)(row["value"])


def rows_of(by_k):
    category = by_k["category"].fillna("").astype(str)
    keys = zip(by_k["k"], by_k["segment"], by_k["variable"], category, strict=True)
    return dict(zip(keys, by_k.to_dict("records"), strict=True))


#: What each part of the explorer shows; none may stand still when the cut moves.
PARTS = """() => {
    const text = s => [...document.querySelectorAll(s)].map(e => e.textContent).join('|');
    const look = s => [...document.querySelectorAll(s)]
        .map(e => e.style.getPropertyValue('--c')).join('|');
    return {
        count: text('.xp-count b'),
        valuetext: document.getElementById('xp-range').getAttribute('aria-valuetext'),
        said: text('.xp-said'),
        line: document.querySelector('.xp-cut').style.transform,
        branches: look('.xp-stem'), wedges: look('.xp-wedge'), discs: text('.xp-tree .xp-disc'),
        strip: look('.xp-run'), sizes: text('.xp-sizes'), cards: text('.xp-cards'),
        heat: text('.xp-heat tbody'), map: look('.xp-cloud'), centres: text('.xp-map .xp-disc'),
        table: text('.xp-table tbody'), hash: location.hash,
    };
}"""


def test_the_slider_moves_every_part(opened):
    page, wrong = opened("plain")
    before = page.evaluate(PARTS)
    for k in (5, 9, 2, 10):
        go(page, k)
        after = page.evaluate(PARTS)
        assert [part for part in after if after[part] == before[part]] == []
        assert after["count"] == str(k)
        assert after["hash"] == f"#k={k}"
        for part in ("discs", "centres"):
            assert sorted(map(int, after[part].split("|"))) == list(range(1, k + 1))
        counts = [
            page.locator(f"{s}").count() for s in (".xp-card", ".xp-sizes li", ".xp-heat thead th")
        ]
        assert counts == [k, k, k + 2]
        before = after
    assert wrong == []


@pytest.mark.parametrize("kind", ["plain", "hostile", "fifteen segments", "unassigned"])
def test_cards_sizes_heat_map_and_table_say_what_the_profiles_say_for_every_k(opened, made, kind):
    page, wrong = opened(kind)
    profiles = made(kind).profiles
    cells = rows_of(profiles.by_k)
    checked = 0
    for k in sorted(set(profiles.cuts["k"])):
        go(page, k)
        cut = profiles.cuts[profiles.cuts["k"] == k].set_index("segment")
        cards = page.evaluate(
            """() => [...document.querySelectorAll('.xp-card')].map(c => ({
                 k: +c.dataset.k, s: +c.dataset.segment,
                 name: c.querySelector('h4').textContent,
                 share: c.querySelector('.xp-share').textContent,
                 people: c.querySelector('.xp-people').textContent,
                 lead: c.querySelector('.xp-lead')?.textContent ?? '',
                 facts: [...c.querySelectorAll('.xp-facts li')].map(f => [
                     f.dataset.variable, f.dataset.category,
                     ...['.xp-value', '.xp-total', '.xp-n']
                         .map(s => f.querySelector(s).textContent)])}))"""
        )
        assert [(c["k"], c["s"]) for c in cards] == [(k, s) for s in range(1, k + 1)]
        for card in cards:
            own = cut.loc[card["s"]]
            assert card["share"] == words.percent(own["share"])
            assert card["people"].split(",")[0] == f"n = {int(own['n']):,}".split(",")[0]
            assert " ".join(card["name"].split()) == " ".join(str(own["name"]).split())
            assert " ".join(card["lead"].split()) == " ".join(str(own["headline"]).split())
            for variable, category, value, total, base in card["facts"]:
                row = cells[k, card["s"], variable, category]
                assert not row["hidden"]
                show = words.percent if row["kind"] in SHARES else words.number
                assert (value, total) == (printed(row), show(row["total"]))
                assert base == words.count(row["base"])
                checked += 1
        sizes = page.evaluate(
            "() => [...document.querySelectorAll('.xp-sizes .xp-share')].map(e => e.textContent)"
        )
        assert sizes == [words.percent(v) for v in cut["share"]]
        heat = page.evaluate(
            """() => [...document.querySelectorAll('.xp-heat tbody tr')].flatMap(r =>
                 [...r.querySelectorAll('td[data-segment]')].map(c =>
                     [r.dataset.variable, +c.dataset.segment, c.textContent]))"""
        )
        assert len(heat) == 6 * k
        for variable, s, text in heat:
            assert text == words.number(cells[k, s, variable, ""]["value"])
            checked += 1
        table = page.evaluate(
            """() => [...document.querySelectorAll('.xp-table tbody tr[data-segment]')].map(r =>
                 [+r.dataset.segment, ...[...r.querySelectorAll('td')].slice(3).map(c =>
                     c.textContent)])"""
        )
        facts = [(c["s"], f[2], f[3], f[4]) for c in cards for f in c["facts"]]
        assert [(r[0], r[1], r[3], r[5]) for r in table] == facts
    assert checked > 500
    assert wrong == []


def test_no_card_shows_what_is_hidden(made):
    data = explorer_data(made("plain"))
    by_k = made("plain").profiles.by_k
    hidden = {
        (r["k"], r["segment"], r["variable"], r["category"] or "")
        for r in by_k[by_k["hidden"]].to_dict("records")
    }
    assert hidden
    names = [(v["variable"], v["category"]) for v in data["variables"]]
    shown = {
        (c["k"], s["number"], *names[f["what"]])
        for c in data["cuts"]
        for s in c["segments"]
        for f in s["facts"]
    }
    assert shown
    assert not hidden & shown


def test_hidden_cells_and_segments_say_that_there_are_too_few_people(opened, made, tmp_path):
    run = made("plain")
    by_k, cuts = run.profiles.by_k.copy(), run.profiles.cuts.copy()
    few = (by_k["k"] == 4) & (by_k["segment"] == 4)
    figures = ["value", "low", "high", "base", "base_weighted", "base_effective", "index",
               "effect", "z"]  # fmt: skip
    by_k.loc[few, figures] = np.nan
    by_k.loc[few, "hidden"] = True
    cuts[["n", "weighted", "share"]] = cuts[["n", "weighted", "share"]].astype(float)
    cuts.loc[(cuts["k"] == 4) & (cuts["segment"] == 4), ["n", "weighted", "share"]] = np.nan
    changed = replace(run, profiles=replace(run.profiles, by_k=by_k, cuts=cuts))
    page, wrong = opened("", path=_page(changed, tmp_path))
    cells = page.locator(".xp-heat td[data-segment='4']").all_text_contents()
    assert len(cells) == 6
    assert all("too few people" in c for c in cells)
    assert "too few people" in page.locator(".xp-card[data-segment='4']").text_content()
    people = page.locator(".xp-card[data-segment='4'] .xp-people").text_content()
    assert people == "fewer than 10 people"
    assert wrong == []


def test_a_joint_says_who_merges_and_what_sets_them_apart_in_figures_of_by_k(opened, made):
    page, _ = opened("plain")
    profiles = made("plain").profiles
    cells = rows_of(profiles.by_k)
    names = {(r["k"], r["segment"]): r["name"] for r in profiles.cuts.to_dict("records")}
    seen = set()
    for branch in page.locator(".xp-joint").all():
        branch.dispatch_event("click")
        title = page.locator(".xp-title").text_content()
        told = page.locator(".xp-joined").text_content()
        assert "people" in told
        assert "distance" in told
        rows = page.evaluate(
            """() => [...document.querySelectorAll('.xp-apart tbody tr')].map(r =>
                 [+r.dataset.k, r.dataset.variable, r.dataset.category,
                  [...r.querySelectorAll('td')].map(c => [+c.dataset.segment, c.textContent])])"""
        )
        for k, variable, category, values in rows:
            seen.add(k)
            for s, text in values:
                assert text.strip() == printed(cells[k, s, variable, category])
                assert names[k, s] in title
    # Nine merges lie within the cuts from 2 to 10.
    assert seen == set(range(2, 11))


def test_what_sets_two_segments_apart_most_comes_first(made):
    run = made("plain")
    by_k = run.profiles.by_k
    for cut in explorer_data(run)["cuts"]:
        a, b = cut["division"]["parts"]
        here = by_k[(by_k["k"] == cut["k"]) & (by_k["kind"] == "scale")]
        z = here.pivot(index="variable", columns="segment", values="z")
        first = cut["division"]["apart"][0][0]
        name = explorer_data(run)["variables"][first]
        if name["kind"] == "scale":
            assert name["variable"] == (z[a] - z[b]).abs().idxmax()


@pytest.mark.parametrize("kind", ["plain", "fifteen segments"])
def test_a_segment_has_the_colour_that_it_has_in_the_report(opened, made, kind):
    page, _ = opened(kind)
    cuts = made(kind).profiles.cuts
    for k in sorted(set(cuts["k"])):
        go(page, k)
        wanted = [segment_colour(c) for c in cuts[cuts["k"] == k].sort_values("segment")["colour"]]
        for part in (".xp-card", ".xp-sizes li"):
            found = page.evaluate(
                "s => [...document.querySelectorAll(s)].map(e => e.style.getPropertyValue('--c'))",
                part,
            )
            assert found == wanted


@pytest.mark.parametrize("kind", ["plain", "hostile", "fifteen segments", "one component"])
def test_at_no_cut_the_page_scrolls_sideways_on_a_telephone(opened, made, kind):
    page, wrong = opened(kind, width=390)
    for k in sorted(set(made(kind).profiles.cuts["k"])):
        go(page, k)
        page.locator(".xp-joint").first.dispatch_event("click")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert wrong == []


def test_the_keyboard_reaches_and_moves_everything(opened):
    page, wrong = opened("plain")
    page.locator("#xp-range").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#xp").get_attribute("data-k") == "5"
    page.keyboard.press("Home")
    assert page.locator("#xp").get_attribute("data-k") == "2"
    page.keyboard.press("End")
    assert page.locator("#xp").get_attribute("data-k") == "10"
    stops = []
    page.locator(".xp-step").first.focus()
    for _ in range(5):
        stops.append(
            page.evaluate(
                "document.activeElement.className.baseVal ?? document.activeElement.className"
            )
        )
        outline = page.evaluate(
            """() => { const e = document.activeElement, r = e.querySelector('rect');
                       return getComputedStyle(r ?? e)[r ? 'stroke' : 'outlineStyle']; }"""
        )
        # The first was focused by the test, which is not the keyboard.
        assert len(stops) == 1 or outline != "none"
        page.keyboard.press("Tab")
    assert [*stops[:4], stops[4].split()[0]] == ["xp-step", "", "xp-step", "xp-reset", "xp-joint"]
    page.locator(".xp-reset").focus()
    page.keyboard.press("Enter")
    assert page.locator("#xp").get_attribute("data-k") == "4"
    page.keyboard.press("Tab")
    told = []
    for key in ("ArrowDown", "ArrowRight", "ArrowDown", "ArrowUp", "Home"):
        page.keyboard.press(key)
        told.append(page.locator(".xp-joined").text_content())
        branch = page.evaluate("document.activeElement.dataset.branch")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert page.locator(".xp-tree [tabindex='0']").get_attribute("data-branch") == branch
    assert len(set(told)) == 4  # up and right come back to one joint
    assert wrong == []


def test_a_joint_parts_and_joins_its_two_segments(opened):
    page, _ = opened("plain")
    page.locator(".xp-step").first.click()
    page.locator(".xp-reset").click()
    seen = set()
    for branch in page.locator(".xp-joint").all():
        page.locator(".xp-reset").click()
        branch.dispatch_event("click")
        if not page.locator(".xp-go").count():
            continue
        text = page.locator(".xp-go").text_content()
        k = int(text.split(": ")[1].split()[0])
        page.locator(".xp-go").click()
        assert page.locator("#xp").get_attribute("data-k") == str(k)
        assert page.evaluate("document.activeElement.className") == "xp-go"
        seen.add((text.split()[0], k))
    # From 4: 3 and 4 can be undone (2 would leave everybody together), 5 to 10 be made.
    assert seen == {("Join", 2), ("Join", 3), *(("Part", k) for k in range(5, 11))}


def test_pointing_at_a_segment_marks_it_in_every_part(opened):
    page, _ = opened("plain")
    page.locator(".xp-sizes li").nth(1).hover()
    marked = page.evaluate(
        """() => Object.fromEntries(['.xp-stem', '.xp-wedge', '.xp-cloud', '.xp-card',
                                     '.xp-heat td', '.xp-sizes li', '.xp-run'].map(s => [s,
             [...document.querySelectorAll(s)].filter(e => e.dataset.s !== undefined).map(e =>
                 [e.dataset.s, e.classList.contains('xp-on'), e.classList.contains('xp-off')])]))"""
    )
    for part, found in marked.items():
        assert {tuple(f) for f in found if f[0] == "2"} == {("2", True, False)}, part
        assert {(on, off) for s, on, off in found if s != "2"} == {(False, True)}, part
    page.mouse.move(5, 5)
    assert page.locator(".xp-on").count() == 0
    # A press keeps it, for those who touch or type.
    button = page.locator(".xp-sizes button").nth(2)
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    page.locator("#xp-range").focus()
    assert page.locator(".xp-card.xp-on").get_attribute("data-segment") == "3"


def test_marks_and_the_live_region_say_what_is_recommended_and_what_changed(opened, made):
    page, _ = opened("unassigned")
    assert page.locator(".xp-said").get_attribute("role") == "status"
    assert (
        page.locator("#xp-range")
        .get_attribute("aria-valuetext")
        .endswith("recommended, as in this report")
    )
    assert page.locator(".xp-ticks span", has_text="★").get_attribute("data-k") == "4"
    assert page.locator(".xp-ticks span", has_text="●").get_attribute("data-k") == "4"
    page, _ = opened("plain")
    go(page, 6)
    cuts = made("plain").profiles.cuts
    own = cuts[cuts["k"] == 6]
    parent = own["parent"].mode()[0]
    said = page.locator(".xp-said").text_content()
    assert said.startswith("6 segments.")
    before = cuts[(cuts["k"] == 5) & (cuts["segment"] == parent)]["name"].iloc[0]
    assert f"“{before}” divides into" in said
    for name in own[own["parent"] == parent]["name"]:
        assert f"“{name}”" in said


def test_the_address_keeps_the_cut_and_leaves_anchors_alone(opened):
    page, _ = opened("plain", at="#k=7")
    assert page.locator("#xp").get_attribute("data-k") == "7"
    page.locator("nav a[href='#personas']").first.click()
    assert page.evaluate("location.hash") == "#personas"
    assert page.locator("#xp").get_attribute("data-k") == "7"
    until(page, "document.getElementById('personas').getBoundingClientRect().top < innerHeight")
    page.evaluate("location.hash = '#k=3'")
    until(page, "document.getElementById('xp').dataset.k === '3'")
    for wrong in ("#k=99", "#k=x", "#kk=3"):
        page, said = opened("plain", at=wrong)
        assert page.locator("#xp").get_attribute("data-k") == "4"
        assert said == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", ["plain", "hostile", "fifteen segments", "unassigned"])
def test_axe_finds_nothing_serious(opened, kind, width):
    page, _ = opened(kind, width=width, motion="reduce")
    page.locator(".xp-joint").first.dispatch_event("click")
    page.locator(".xp-table summary").click()
    found = Axe().run(page, context="#tree")
    bad = [
        (v["id"], v["impact"], [n["html"][:120] for n in v["nodes"]][:3])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert bad == []
    assert len(found.response["passes"]) > 10


def test_hostile_names_stay_text(opened):
    page, wrong = opened("hostile")
    for k in range(2, 11):
        go(page, k)
        for branch in page.locator(".xp-joint").all()[:12]:
            branch.dispatch_event("click")
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.evaluate("document.querySelectorAll('#xp img, #xp script, #xp style').length") == 0
    assert "<img src=x onerror=window.hacked=1>" in page.locator(".xp-cards").text_content()
    assert wrong == []


@pytest.mark.parametrize(
    "name",
    ["<script>window.hacked=1</script>", "</script><script>window.hacked=1</script>",
     '"><img src=x onerror=window.hacked=1>', "a\u2028b\u2029c", "<!--<script>", "]]>", "\u202egnp",
     "{{ 7 * 7 }} {% raw %}", "\\u003cscript\\u003e", "' onfocus='window.hacked=1"],
)  # fmt: skip
def test_a_hostile_name_ends_neither_the_data_nor_the_script(opened, made, tmp_path, name):
    run = made("plain")
    cuts, by_k = run.profiles.cuts.assign(name=name, headline=name), run.profiles.by_k.copy()
    by_k["label"] = name
    by_k["variable"] = name + by_k["variable"].astype(str)
    hostile = replace(run, profiles=replace(run.profiles, cuts=cuts, by_k=by_k))
    page, wrong = opened("", path=_page(hostile, tmp_path))
    page.locator(".xp-joint").first.dispatch_event("click")
    assert page.evaluate("typeof window.hacked") == "undefined"
    shown = page.locator(".xp-card h4").first.text_content()
    assert shown == name.replace("\u202e", "").strip()
    assert wrong == []


def test_motion_is_short_and_stops_for_those_who_ask(opened):
    page, _ = opened("plain")
    seconds = "getComputedStyle(document.querySelector('.xp-stem')).transitionDuration"
    assert page.evaluate(seconds).startswith("0.25s")
    page, _ = opened("plain", motion="reduce")
    assert page.evaluate(seconds).startswith("0s")


def test_the_chosen_cut_prints_without_controls(opened):
    page, _ = opened("plain")
    go(page, 6)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 695, "height": 1000})
    for gone in (".xp-bar", ".xp-joined", ".xp-table"):
        assert not page.locator(gone).is_visible()
    assert page.locator(".xp-card:visible").count() == 6
    out = page.evaluate(
        """() => [...document.querySelectorAll('#xp *')]
             .filter(e => e.getBoundingClientRect().right > 697).map(e => e.className)"""
    )
    assert out == []
    assert page.pdf(prefer_css_page_size=True, print_background=True).startswith(b"%PDF")


def test_without_scripts_the_explorer_stays_hidden_and_the_figure_stands(browser, written):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written("plain").as_uri())
    assert not page.locator("#xp").is_visible()
    assert page.locator("figure.dendrogram").is_visible()
    context.close()


# ---- the data -------------------------------------------------------------------------------


def wedges_of(tree):
    return [i for i, left in enumerate(tree["left"]) if left < 0]


@pytest.mark.parametrize("kind", ["plain", "fifteen segments", "unassigned", "hostile"])
def test_wedges_hold_everybody_and_add_up_to_the_segments_of_each_cut(made, kind):
    run = made(kind)
    data = explorer_data(run)
    tree = data["tree"]
    wedges = wedges_of(tree)
    # Each is rounded to a thousandth.
    assert math.isclose(sum(tree["weight"][i] for i in wedges), 1, abs_tol=5e-4 * len(wedges))
    for j, cut in enumerate(data["cuts"]):
        for segment in cut["segments"]:
            held = sum(
                tree["weight"][i] for i in wedges if tree["labels"][i][j] == segment["number"]
            )
            assert math.isclose(held, segment["width"], abs_tol=5e-4 * (1 + len(wedges)))


def test_the_folded_tree_has_no_branch_under_the_base(made):
    tree = explorer_data(made("plain"))["tree"]
    sizes = [int(p.split()[0]) for p in tree["people"]]
    assert min(sizes) >= 10
    assert len(tree["order"]) + 1 == len(wedges_of(tree)) > 20
    for i in tree["order"]:
        assert sizes[tree["left"][i]] + sizes[tree["right"][i]] == sizes[i]
        for side in ("left", "right"):
            assert tree["split"][tree[side][i]] <= tree["split"][i]
    assert sizes[0] == 600


def test_a_segment_too_small_to_show_has_no_branch_no_cloud_and_no_size(opened, tmp_path):
    run = _with_outliers()
    data = explorer_data(run)
    people = [int(p.split()[0].replace(",", "")) for p in data["tree"]["people"]]
    assert min(people) >= 10
    others = [cut for cut in data["cuts"] if cut["k"] != data["k"]]
    few = [s for cut in others for s in cut["segments"] if s["people"].startswith("fewer")]
    assert len(few) > 5
    for segment in few:
        assert segment["people"] == "fewer than 10 people"
        assert (segment["share"], segment["weighted"], segment["width"]) == ("", "", 0)
        assert (segment["cloud"], segment["headline"]) == ([], "")
        assert segment["name"] == f"Segment {segment['number']}"
    page, wrong = opened("", path=_page(run, tmp_path))
    go(page, 3)
    page.locator(".xp-joint").first.dispatch_event("click")
    assert "fewer than 10 people" in page.locator(".xp-cards").text_content()
    assert page.locator(".xp-dots").count() == 0
    assert wrong == []


def test_what_stays_in_the_house_shows_people_and_says_so(opened, made, tmp_path):
    run = in_house(made("plain"))
    tree = explorer_data(run)["tree"]
    assert sum(len(d) for d in tree["dots"]) // 2 == 600
    page, wrong = opened("", path=_page(run, tmp_path))
    assert page.locator(".xp-dots").count() > 0
    assert page.locator(".xp-cloud").count() == 0
    assert "shows people one by one" in page.locator(".confidential").text_content()
    assert wrong == []
    page, _ = opened("plain")
    assert page.locator(".confidential").count() == 0


def test_folding_does_not_depend_on_the_order_of_people(made):
    run = made("plain")
    order = np.random.default_rng(5).permutation(600)
    s = run.segments
    mixed = replace(s, labels=s.labels[order], point_of=s.point_of[order])
    assert explorer_data(replace(run, segments=mixed)) == explorer_data(run)


def test_the_data_of_two_thousand_people_are_small():
    text = json.dumps(explorer_data(make_run(2000, k=8)), allow_nan=False)
    assert len(text) < 300_000


def test_a_million_people_fold_into_a_small_tree_and_a_small_map(made):
    run = made("plain")
    s, m = run.segments, 1_000_000
    rng = np.random.default_rng(2)
    leaf = np.concatenate([np.arange(600), rng.integers(0, 600, m - 600)])
    points = s.points.iloc[leaf].reset_index(drop=True)
    points[["map_1", "map_2"]] += rng.normal(size=(m, 2))
    big = replace(s, labels=s.labels[leaf], leaf_of=leaf, point_of=np.arange(m), points=points)
    data = explorer_data(replace(in_house(run), segments=big))
    tree = data["tree"]
    assert len(wedges_of(tree)) == MAX_WEDGES
    dots = sum(len(d) for d in tree["dots"]) // 2
    assert 0.9 * MAX_DOTS < dots <= MAX_DOTS
    # Dots are in proportion to people: of 2,000, within two standard errors plus rounding.
    for i in wedges_of(tree):
        assert abs(len(tree["dots"][i]) / 2 - 2000 * tree["weight"][i]) < 4
    assert len(json.dumps(data)) < 1_000_000
    assert tree["people"][0] == "1,000,000 people"


def test_a_method_without_heights_and_a_run_without_cuts_say_so(opened, made, tmp_path):
    run = made("plain")
    tree = run.segments.tree.copy()
    tree[:, 2] = np.nan
    flat = replace(run, segments=replace(run.segments, tree=tree))
    assert "without a tree" in explorer_data(flat)["absent"]
    none = replace(run, segments=replace(run.segments, tree=np.empty((0, 4))))
    assert "without a tree" in explorer_data(none)["absent"]
    bare = replace(run, profiles=replace(run.profiles, by_k=pd.DataFrame(), cuts=pd.DataFrame()))
    assert "no profiles" in explorer_data(bare)["absent"]
    page, wrong = opened("", path=_page(bare, tmp_path))
    assert "no profiles of other numbers" in page.locator("#tree").text_content()
    assert page.locator("#xp").count() == 0
    assert wrong == []


def test_two_leaves_one_scale_and_long_names_work(opened, made, tmp_path):
    run = made("one component")
    s, p = run.segments, run.profiles
    side = (s.labels == s.labels[0]).astype(int)
    two = replace(
        s, tree=np.array([[0.0, 1.0, 3.5, 600.0]]), leaf_of=side, labels=2 - side,
        points=s.points.assign(segment=2 - side),
    )  # fmt: skip
    long = "A name of sixty letters, which is as long as names may be, x"
    assert len(long) == 60
    cuts = p.cuts[p.cuts["k"] == 2].assign(name=[f"{long[:-1]}{i}" for i in "12"])
    by_k = p.by_k[(p.by_k["k"] == 2) & (p.by_k["variable"] == "scale_1")]
    small = replace(run, segments=two, profiles=replace(p, cuts=cuts, by_k=by_k))
    for width in (1280, 390):
        page, wrong = opened("", path=_page(small, tmp_path), width=width)
        assert page.locator("#xp-range").is_disabled()
        assert page.locator(".xp-card").count() == 2
        assert page.locator(".xp-heat tbody tr").count() == 1
        assert page.locator(".xp-joint").count() == 1
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        assert wrong == []


def test_a_tree_whose_heights_turn_back_is_cut_without_a_line(opened, made, tmp_path):
    run = made("plain")
    s = run.segments
    scores = run.scales.scores.to_numpy()
    tree = linkage(scores, "centroid")
    assert (np.diff(tree[:, 2]) < 0).any()
    turned = replace(
        s, tree=tree, labels=_as_labels(cut_panel(replace(s, tree=tree, k=99), range(4, 5))[:, 0])
    )
    # Most of its cuts part one person from all others, which only a page for the house shows.
    run = in_house(_cut_as(run, turned))
    page, wrong = opened("", path=_page(run, tmp_path))
    for k in (2, 5, 10):
        go(page, k)
        assert page.locator(".xp-tree .xp-disc").count() == k
    assert wrong == []


def _as_labels(labels):
    return pd.Series(labels, name="segment")


def _page(run, folder):
    path = folder / "report.html"
    write_html(run, path)
    return path


def _with_outliers():
    """Return a run with two segments of three people each, far from everybody."""
    run = make_run(400, k=4)
    s = run.segments
    scores = run.scales.scores.to_numpy().copy()
    scores[:3] += 40
    scores[3:6] -= 40
    tree = linkage(scores, "ward")
    free = replace(s, tree=tree, k=99)
    return _cut_as(
        run, replace(s, tree=tree, labels=_as_labels(cut_panel(free, range(4, 5))[:, 0]))
    )


def _cut_as(run, segments):
    """Return a run with segments' cuts, each cut's figures those of some made segment."""
    segments = replace(segments, points=segments.points.assign(segment=segments.labels))
    cuts = cut_table(segments)
    panel = cut_panel(segments, range(2, int(cuts["k"].max()) + 1))
    n = [int((panel[:, k - 2] == s).sum()) for k, s in zip(cuts["k"], cuts["segment"], strict=True)]
    cuts = cuts.assign(
        name=[f"Name {k}.{s}" for k, s in zip(cuts["k"], cuts["segment"], strict=True)],
        n=n, weighted=n, share=np.array(n) / len(panel), headline="High something",
    )  # fmt: skip
    some = run.profiles.by_k[run.profiles.by_k["k"] == 4]
    by_k = pd.concat(
        [some[some["segment"] == 1 + s % 4].assign(k=k, segment=s)
         for k, s in zip(cuts["k"], cuts["segment"], strict=True)],
        ignore_index=True,
    )  # fmt: skip
    return replace(run, segments=segments, profiles=replace(run.profiles, cuts=cuts, by_k=by_k))
