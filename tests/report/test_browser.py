"""The report in a real browser: quiet, alone, and readable on a page, a telephone and paper."""

import pytest

from tests.report.conftest import KINDS

OPEN_ALL = "() => document.querySelectorAll('details').forEach(d => { d.open = true; })"


@pytest.fixture(params=KINDS, ids=lambda k: k.replace(" ", "-"))
def path(written, request):
    return written(request.param)


@pytest.fixture
def opened(browser, path):
    """Return a function that opens the report at a width: the page, what it said and asked for."""
    pages = []

    def opens(width: int):
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))

        def watch(route):
            if route.request.url == path.as_uri() or route.request.url.startswith("data:"):
                route.continue_()
            else:
                asked.append(route.request.url)
                route.abort()

        page.route("**/*", watch)
        page.goto(path.as_uri())
        return page, said, asked

    yield opens
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_said_asked_for_or_executed(opened, width):
    page, said, asked = opened(width)
    assert (said, asked) == ([], [])
    assert page.evaluate("typeof window.hacked") == "undefined"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(opened, width):
    page, _, _ = opened(width)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [1280, 390])
def test_no_element_but_a_scrolling_table_sticks_out_of_the_page(opened, width):
    page, _, _ = opened(width)
    out = page.evaluate(
        """width => [...document.querySelectorAll('main *, header *')]
             .filter(e => !e.closest('.scroller, svg, nav') && e.offsetParent)
             .filter(e => e.getBoundingClientRect().right > width + 1)
             .map(e => e.tagName + '.' + e.className)""",
        width,
    )
    assert out == []


@pytest.mark.parametrize(("width", "shown"), [(1280, "wide"), (390, "narrow")])
def test_each_figure_is_shown_once_in_the_layout_for_the_width(opened, width, shown):
    page, _, _ = opened(width)
    page.evaluate(OPEN_ALL)
    drawn, visible = page.evaluate(
        """() => {
             const all = [...document.querySelectorAll('.chart svg')];
             const seen = all.filter(s => s.getBoundingClientRect().width > 0);
             return [all.length, seen.map(s => s.className.baseVal)];
         }"""
    )
    # The tree that stands still is there for paper and for browsers that run no script.
    assert len(visible) >= 10
    assert visible == [shown] * (drawn // 2 - page.locator(".static .chart").count())


@pytest.mark.parametrize("width", [1280, 390])
def test_letters_in_figures_are_large_enough_and_inside_the_figure(opened, width):
    page, _, _ = opened(width)
    page.evaluate(OPEN_ALL)
    found = page.evaluate(
        """() => [...document.querySelectorAll('.chart svg')]
             .filter(s => s.getBoundingClientRect().width > 0)
             .flatMap(s => {
                 const box = s.getBoundingClientRect(), scale = box.width / s.viewBox.baseVal.width;
                 return [...s.querySelectorAll('text')].map(t => {
                     const b = t.getBoundingClientRect();
                     return {text: t.textContent,
                             size: parseFloat(getComputedStyle(t).fontSize) * scale,
                             out: Math.max(box.left - b.left, b.right - box.right,
                                           box.top - b.top, b.bottom - box.bottom)};
                 });
             })"""
    )
    assert len(found) > 100
    # The cells of a heat map of eight segments are the smallest: 6.5 pt, drawn larger on a screen.
    assert min(t["size"] for t in found) >= 7.5
    assert [t["text"] for t in found if t["out"] > 2] == []


def test_words_on_a_telephone_are_not_smaller_than_eleven_pixels(opened):
    page, _, _ = opened(390)
    smallest = page.evaluate(
        """() => Math.min(...[...document.querySelectorAll('main p, main td, main th, main li, dd')]
             .filter(e => e.offsetParent).map(e => parseFloat(getComputedStyle(e).fontSize)))"""
    )
    assert smallest >= 11


def test_wide_tables_scroll_in_their_own_box(opened):
    page, _, _ = opened(390)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('.scroller')]
             .map(s => [s.scrollWidth > s.clientWidth, getComputedStyle(s).overflowX])"""
    )
    assert any(wider for wider, _ in boxes)
    assert all(overflow == "auto" for _, overflow in boxes)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "hostile"])
def test_no_ordinary_word_of_a_table_is_cut_in_two(browser, written, kind, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(written(kind).as_uri())
    seen, cut = page.evaluate(
        """() => {
             document.querySelectorAll('details').forEach(d => { d.open = true; });
             document.getElementById('more-profiles').click();
             const cut = [];
             let seen = 0;
             for (const cell of document.querySelectorAll('main td, main th')) {
                 const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
                 while (texts.nextNode()) {
                     const node = texts.currentNode;
                     // Not after a soft hyphen: a word may be parted there.
                     const found = node.textContent.matchAll(/(?<![a-z\\u00ad])[a-z]{3,20}/gi);
                     for (const word of found) {
                         const range = document.createRange();
                         range.setStart(node, word.index);
                         range.setEnd(node, word.index + word[0].length);
                         seen += 1;
                         const tops = [...range.getClientRects()].filter(b => b.width > 0)
                             .map(b => Math.round(b.top));
                         if (new Set(tops).size > 1) cut.push(word[0]);
                     }
                 }
             }
             return [seen, cut];
         }"""
    )
    page.close()
    assert seen > 500
    assert cut == []


def test_it_prints_to_a4_without_cutting_off_a_table(opened):
    page, _, _ = opened(1280)
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") >= 8
    page.emulate_media(media="print")
    # The width of A4 between the margins: 210 mm - 2 x 13 mm = 695 CSS pixels.
    page.set_viewport_size({"width": 695, "height": 1000})
    state = page.evaluate(
        """() => ({
            out: [...document.querySelectorAll('table')]
                .filter(t => t.getBoundingClientRect().right > 697)
                .map(t => t.caption.textContent),
            nav: getComputedStyle(document.querySelector('nav')).display,
        })"""
    )
    assert state["out"] == []
    assert state["nav"] == "none"


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "hostile"])
def test_a_card_fits_on_a_printed_page_and_is_not_broken(browser, written, kind):
    page = browser.new_page(viewport={"width": 695, "height": 1000})
    page.emulate_media(media="print")
    page.goto(written(kind).as_uri())
    cards = page.evaluate(
        """() => [...document.querySelectorAll('.card')]
             .map(c => [getComputedStyle(c).breakInside, c.getBoundingClientRect().height])"""
    )
    page.close()
    # 297 mm - 29 mm of margins are 1013 CSS pixels.
    assert cards
    assert all(rule == "avoid" and height < 1013 for rule, height in cards)


def test_the_skip_link_is_the_first_stop_of_the_keyboard(opened):
    page, _, _ = opened(1280)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
