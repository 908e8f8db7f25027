"""What a reader does with the report in a real browser: sorts, filters, follows links."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.report.conftest import KINDS

#: Rows of a table's groups as shown: the heading and one column.
ROWS = """([table, column]) => [...table.tBodies[0].rows].filter(r => !r.hidden)
    .map(r => [r.className, r.cells[0].innerText.trim(),
               r.cells[column] ? r.cells[column].innerText.trim().split(/\\s/)[0] : ''])"""


@pytest.fixture
def page(browser, written):
    """Return a plain report, with what the page said and the rules that it broke."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.goto(written("plain").as_uri())
    yield page
    page.close()


def shares(page):
    return page.locator("#profiles table", has=page.locator("caption", has_text="Shares")).first


def rows(page, table, column):
    return page.evaluate(ROWS, [table.element_handle(), column])


def test_a_column_is_sorted_by_its_numbers_inside_each_group_and_back(page):
    table = shares(page)
    before = rows(page, table, 2)
    head = table.locator("thead th").nth(1)  # the first head is empty
    button = head.get_by_role("button")
    for direction, turn in (("descending", -1), ("ascending", 1)):
        button.focus()
        page.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == direction
        now = rows(page, table, 2)
        assert [r for r in now if r[0] == "group"] == [r for r in before if r[0] == "group"]
        assert sorted(now) == sorted(before)
        groups = " ".join(r[0] or r[2] for r in now).split("group")[1:]
        for group in groups:
            numbers = [turn * int(n) for n in re.findall(r"(\d+)%", group)]
            assert numbers == sorted(numbers)
            assert len(numbers) >= 2
    button.click()
    assert head.get_attribute("aria-sort") == "none"
    assert rows(page, table, 2) == before
    assert page.said == []


def test_hidden_figures_come_last_whichever_way_a_column_is_sorted(page):
    table = shares(page)
    button = table.locator("thead th").last.get_by_role("button")
    for _ in range(2):
        button.click()
        groups = page.evaluate(
            """table => {
                 const groups = [];
                 for (const row of table.tBodies[0].rows) {
                     if (row.className === 'group') groups.push([]);
                     else groups.at(-1).push(row.cells[row.cells.length - 1].textContent.trim());
                 }
                 return groups;
             }""",
            table.element_handle(),
        )
        assert [[t == "n < 10" for t in g] for g in groups] == [
            [False, False], [False, True, True], [False, False, True],
        ]  # fmt: skip


def test_only_one_column_says_that_it_is_sorted(page):
    heads = shares(page).locator("thead th")
    heads.nth(1).get_by_role("button").click()
    heads.nth(2).get_by_role("button").click()
    said = [heads.nth(i).get_attribute("aria-sort") for i in range(heads.count())]
    assert said == ["none", "none", "descending", "none", "none"]
    assert shares(page).locator("xpath=..").locator(".sorted").inner_text().startswith("Sorted by")


def test_the_filter_leaves_matching_rows_with_their_group_and_counts_them(page):
    box = page.get_by_label("Show only rows with")
    box.fill("coach")
    assert page.locator(".filter output").inner_text() == "2 of 29 rows"
    assert [r[1] for r in rows(page, shares(page), 0)] == [
        "Which parts of the app do you use?\nseveral answers possible", "Coach",
    ]  # fmt: skip
    box.fill("CITY SIZE")
    assert [r[1] for r in rows(page, shares(page), 0)] == ["City size", "Village", "Town", "City"]
    box.fill("")
    assert page.locator(".filter output").inner_text() == ""
    assert len(rows(page, shares(page), 0)) == 11


def test_each_sentence_of_a_portrait_leads_to_its_cell_even_where_the_filter_hides_it(page):
    page.get_by_label("Show only rows with").fill("no such row")
    links = page.locator(".said")
    assert links.count() == 24
    for i in range(links.count()):
        anchor = links.nth(i).get_attribute("href")
        links.nth(i).click()
        target = page.locator(anchor)
        page.wait_for_function(
            """id => { const b = document.querySelector(id).getBoundingClientRect();
                       return b.height > 0 && b.top >= 0 && b.bottom <= innerHeight; }""",
            arg=anchor,
        )
        assert target.evaluate("e => e.matches(':target') && e.tagName") == "TD"


def test_details_of_a_cell_open_on_demand(page):
    detail = page.locator("#profiles small.more").first
    assert not detail.is_visible()
    page.get_by_label("Show the rest, difference, index and v-test too").check()
    assert detail.is_visible()
    assert "v-test" in detail.inner_text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_cell_holds_no_number_but_the_least_base(browser, written, kind):
    page = browser.new_page()
    page.goto(written(kind).as_uri())
    cells = page.evaluate(
        """() => [...document.querySelectorAll('td.hidden')]
             .map(c => [c.textContent.trim(), c.dataset.s])"""
    )
    page.close()
    assert len(cells) >= 8
    assert {tuple(c) for c in cells} == {("n < 10", None)}


@pytest.mark.parametrize("kind", ["plain", "hostile", "fifteen segments", "one component"])
def test_axe_finds_nothing_serious_on_the_whole_page(browser, written, kind):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(written(kind).as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    found = Axe().run(page).response["violations"]
    page.close()
    bad = {v["id"]: [n["html"][:160] for n in v["nodes"][:3]]
           for v in found if v["impact"] in ("serious", "critical")}  # fmt: skip
    assert bad == {}


def test_the_policy_stops_a_script_that_got_into_the_page_and_every_request(page):
    page.evaluate(
        """() => {
             window.broken = [];
             document.addEventListener('securitypolicyviolation',
                 e => window.broken.push(e.effectiveDirective));
             const script = document.createElement('script');
             script.textContent = 'window.hacked = 1';
             document.body.append(script);
             document.body.insertAdjacentHTML('beforeend',
                 '<img src="file:///x.png" onerror="window.hacked = 2">');
             document.body.insertAdjacentHTML('beforeend', '<link rel=stylesheet href="file:///x.css">');
             return fetch('file:///etc/hostname').catch(() => 0);
         }"""
    )
    page.wait_for_function("window.broken.length >= 4")
    broken = set(page.evaluate("window.broken"))
    assert {"script-src-elem", "img-src", "connect-src"} <= broken
    assert page.evaluate("typeof window.hacked") == "undefined"


def test_without_scripts_every_row_and_the_tree_are_there_and_no_dead_control(browser, written):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written("plain").as_uri())
    assert page.locator(".static .chart svg.wide").is_visible()
    assert not page.locator(".filter").is_visible()
    assert page.locator("#profiles .sort").count() == 0
    assert page.locator("#profiles table").first.locator("tbody tr").count() == 10
    context.close()


def test_a_segment_has_one_colour_in_every_part_of_the_report(page):
    found = page.evaluate(
        """() => [...document.querySelectorAll('.badge:not(.xp .badge), .strip span')]
             .filter(b => /^\\d+$/.test(b.textContent.trim()))
             .map(b => [b.textContent.trim(), getComputedStyle(b).backgroundColor])"""
    )
    assert len(found) > 30
    assert len({tuple(f) for f in found}) == 4
