"""The deck: native numbers equal the profiles', nothing overflows, a template is taken."""

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE
from pptx.util import Emu, Pt

from psychoseg.errors import StudyError
from psychoseg.report import build_context
from psychoseg.report.deck import write_deck
from psychoseg.report.slide_base import EMU, Box
from psychoseg.report.slide_tables import Entry, Grid, split_grid
from psychoseg.report.slide_text import Line, clean, cut_text, fit_lines, ltr, tall_of
from tests.conftest import skip_or_fail
from tests.made_run import make_run

GERMAN = (
    "Gesundheitsbewusstseinsorientierung im Alltagsleben",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "Zahlungsbereitschaft für Zusatzleistungen und Erweiterungen aller Art",
    "الوعي الصحي والتواصل الاجتماعي",
)


def long_run():
    """Twelve segments with names of 60 letters, 40 scales with German and Arabic labels."""
    import pandas as pd

    run = make_run(900, k=12)
    profiles = run.profiles
    scales = profiles.means[profiles.means["kind"] == "scale"]
    many = [
        scales[scales["variable"] == f"scale_{i % 6 + 1}"].assign(
            variable=f"scale_{i + 1}", label=f"{GERMAN[i % 4]} {i + 1}"
        )
        for i in range(40)
    ]
    others = profiles.means[profiles.means["kind"] != "scale"]
    names = [f"{GERMAN[i % 4]} und noch viel mehr als das allein hier"[:60] for i in range(12)]
    return replace(
        run,
        profiles=replace(
            profiles,
            means=pd.concat([*many, others], ignore_index=True),
            personas=profiles.personas.assign(name=names),
        ),
    )


@pytest.fixture(scope="module")
def runs(made):
    found = {}

    def get(kind):
        if kind not in found:
            found[kind] = long_run() if kind == "long" else made(kind)
        return found[kind]

    return get


@pytest.fixture(scope="module")
def path_of(runs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("decks")

    def write(kind):
        path = folder / f"{kind.replace(' ', '-')}.pptx"
        if not path.exists():
            write_deck(runs(kind), path)
        return path

    return write


@pytest.fixture(scope="module")
def deck_of(path_of):
    return lambda kind: Presentation(str(path_of(kind)))


KINDS = ("plain", "hostile", "one component", "unassigned", "no stable segments", "long")


def slide_named(deck, word):
    return [s for s in deck.slides if word in s.shapes.title.text_frame.text]


def charts(slide):
    return [s.chart for s in slide.shapes if s.has_chart]


def chart_named(deck, name):
    return [
        (slide, shape.chart)
        for slide in deck.slides
        for shape in slide.shapes
        if shape.has_chart and shape.name == name
    ]


def tables_named(deck, name):
    return [
        shape.table
        for slide in deck.slides
        for shape in slide.shapes
        if shape.has_table and shape.name == name
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_slide_has_a_title_and_notes_and_is_within_16_by_9(deck_of, kind):
    deck = deck_of(kind)
    assert deck.slide_width * 9 == deck.slide_height * 16
    for slide in deck.slides:
        assert slide.shapes.title.text_frame.text.strip()
        assert slide.notes_slide.notes_text_frame.text.strip()
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_shapes_overlap(deck_of, kind):
    for number, slide in enumerate(deck_of(kind).slides, start=1):
        boxes = [(s.name, s.left, s.top, s.left + s.width, s.top + s.height) for s in slide.shapes]
        for a, b in combinations(boxes, 2):
            # An EMU or two come from rounding.
            across = min(a[3], b[3]) - max(a[1], b[1]) > 5
            along = min(a[4], b[4]) - max(a[2], b[2]) > 5
            assert not (across and along), (number, a[0], b[0])


@pytest.mark.parametrize("kind", KINDS)
def test_text_as_measured_stays_inside_its_box(deck_of, kind):
    for slide in deck_of(kind).slides:
        for shape in slide.shapes:
            if not shape.has_text_frame or shape.is_placeholder or not shape.text_frame.text:
                continue
            frame = shape.text_frame
            room = (shape.width - frame.margin_left - frame.margin_right) / EMU
            used = 0.0
            for paragraph in frame.paragraphs:
                for run in paragraph.runs:
                    line = Line(run.text, bold=bool(run.font.bold))
                    used += tall_of([line], room, run.font.size.pt)
                used += paragraph.space_before.pt if paragraph.space_before else 0.0
            inside = (shape.height - frame.margin_top - frame.margin_bottom) / EMU
            assert used <= inside + 1.5, (shape.name, frame.text)


@pytest.mark.parametrize("kind", KINDS)
def test_charts_tables_and_pictures_say_what_they_show(deck_of, kind):
    for slide in deck_of(kind).slides:
        for shape in slide.shapes:
            if shape.has_chart or shape.has_table or shape.shape_type == MSO_SHAPE_TYPE.PICTURE:
                about = shape._element.xpath(".//p:cNvPr")[0]
                assert len(about.get("descr", "")) > 10, shape.name


@pytest.mark.parametrize("kind", KINDS)
def test_each_segment_has_one_persona_slide_in_its_colour(runs, deck_of, kind):
    context = build_context(runs(kind))
    found = chart_named(deck_of(kind), "Drivers")
    assert len(found) == len(context.personas)
    for (slide, chart), card in zip(found, context.personas, strict=True):
        colours = {
            str(chart.plots[0].series[0].points[i].format.fill.fore_color.rgb)
            for i, v in enumerate(chart.plots[0].series[0].values)
            if v > 0
        }
        assert colours <= {card.colour[1:]}
        size = next(s for s in slide.shapes if s.name == "Size")
        assert card.share in size.text_frame.text
        assert card.base.split(",")[0] in size.text_frame.text
        start = slide.shapes.title.text_frame.text.rstrip("…")[:25].strip()
        assert clean(card.name).startswith(start.split(":")[0].strip("\u200e ")[:20])


@pytest.mark.parametrize("kind", ["plain", "long", "unassigned"])
def test_the_charts_of_drivers_hold_the_numbers_of_the_profiles(runs, deck_of, kind):
    drivers = runs(kind).profiles.drivers
    for segment, (_, chart) in enumerate(chart_named(deck_of(kind), "Drivers"), start=1):
        own = drivers[drivers["segment"] == segment].sort_values("rank")["effect"].to_numpy()[:7]
        np.testing.assert_allclose(chart.plots[0].series[0].values, own, rtol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "long", "unassigned"])
def test_the_chart_of_sizes_holds_the_shares_with_their_intervals(runs, deck_of, kind):
    table = runs(kind).segments.table.sort_values("segment")
    ((_, chart),) = chart_named(deck_of(kind), "Sizes of the segments")
    series = chart.plots[0].series[0]
    np.testing.assert_allclose(series.values, table["share"], rtol=1e-12)
    for i, row in enumerate(table.to_dict("records")):
        label = series.points[i].data_label.text_frame.text
        low, high = (f"{100 * row[c]:.0f}" for c in ("share_low", "share_high"))
        assert f"({low}–{high}%)" in label


def test_the_snake_plot_holds_z_of_every_segment_and_scale(runs, deck_of):
    means = runs("plain").profiles.means
    ((_, chart),) = chart_named(deck_of("plain"), "Snake plot")
    for segment, series in enumerate(chart.plots[0].series, start=1):
        own = means[(means["segment"] == segment) & (means["kind"] == "scale")]
        np.testing.assert_allclose(series.values, own["z"], rtol=1e-12)


def test_a_missing_number_is_a_gap_in_a_chart(tmp_path):
    run = make_run()
    means = run.profiles.means.copy()
    means.loc[0, ["mean", "low", "high", "z", "base"]] = np.nan
    means.loc[0, "hidden"] = True
    write_deck(replace(run, profiles=replace(run.profiles, means=means)), tmp_path / "d.pptx")
    deck = Presentation(str(tmp_path / "d.pptx"))
    ((_, chart),) = chart_named(deck, "Snake plot")
    assert chart.plots[0].series[0].values[0] is None
    with zipfile.ZipFile(tmp_path / "d.pptx") as file:
        assert not [n for n in file.namelist() if n.endswith(".xml") and b">nan<" in file.read(n)]
    cells = [c.text_frame.text for c in tables_named(deck, "Means of the scales by segment")[0]
             .rows[2].cells]  # fmt: skip
    assert cells[2] == "<10"


def test_the_heat_map_prints_the_means_and_their_bases(runs, deck_of):
    means = runs("plain").profiles.means
    (table,) = tables_named(deck_of("plain"), "Means of the scales by segment")
    rows = [[c.text_frame.text for c in row.cells] for row in table.rows]
    assert rows[1][1:] == [
        "600", *(str(n) for n in runs("plain").profiles.personas["n"])
    ]  # fmt: skip
    scales = means[means["kind"] == "scale"]
    for row, (_, part) in zip(rows[2:], scales.groupby("variable", sort=False), strict=True):
        assert row[2:] == [f"{m:.2f}" for m in part["mean"]]


def test_every_scale_of_forty_is_on_a_slide(deck_of):
    shown = [
        row.cells[0].text_frame.text
        for table in tables_named(deck_of("long"), "Means of the scales by segment")
        for row in table.rows
    ]
    assert {re.search(r"\d+$", t)[0] for t in shown if re.search(r" \d+$", t)} == {
        str(i) for i in range(1, 41)
    }


def test_hidden_shares_print_as_too_few_people(runs, deck_of):
    assert runs("plain").profiles.shares["hidden"].any()
    (table,) = tables_named(deck_of("plain"), "Who the segments are")
    assert any("<10" in c.text_frame.text for row in table.rows for c in row.cells)


def test_demographics_carry_letters_and_index(runs, deck_of):
    shares = runs("plain").profiles.shares
    row = shares[(shares["letters"] != "") & ~shares["hidden"]].to_dict("records")[0]
    (table,) = tables_named(deck_of("plain"), "Who the segments are")
    line = next(r for r in table.rows if r.cells[0].text_frame.text == row["category"])
    text = line.cells[1 + row["segment"]].text_frame.text
    assert text == f"{100 * row['share']:.0f}% {row['letters']}\n{row['index']:.0f}"


def test_internal_warnings_are_on_no_slide_and_in_no_note(runs, deck_of):
    messages = [str(m) for m in runs("plain").warnings["message"]]
    assert messages
    texts = [
        frame.text
        for slide in deck_of("plain").slides
        for frame in (
            slide.notes_slide.notes_text_frame,
            *(shape.text_frame for shape in slide.shapes if shape.has_text_frame),
        )
    ]
    assert not any(m.rstrip(".") in text for m in messages for text in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_neither_ids_nor_controls_are_in_the_file(path_of, kind):
    with zipfile.ZipFile(path_of(kind)) as file:
        for name in file.namelist():
            data = file.read(name)
            if name.endswith(".xlsx"):
                with zipfile.ZipFile(io.BytesIO(data)) as inner:
                    data = b"".join(inner.read(n) for n in inner.namelist())
            assert b"secret-" not in data, name
            if name.endswith(".xml"):
                assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]", data), name
                assert not re.search("[\u202a-\u202e\u2066-\u2069]", data.decode()), name


def test_a_label_that_starts_like_a_formula_is_text_in_the_workbook_behind_a_chart(tmp_path):
    run = make_run()
    drivers = run.profiles.drivers.assign(label="=HYPERLINK(1)", kind="scale")
    write_deck(replace(run, profiles=replace(run.profiles, drivers=drivers)), tmp_path / "d.pptx")
    with zipfile.ZipFile(tmp_path / "d.pptx") as file:
        books = [n for n in file.namelist() if n.endswith(".xlsx")]
        assert books
        for name in books:
            with zipfile.ZipFile(io.BytesIO(file.read(name))) as inner:
                assert b"<f>" not in inner.read("xl/worksheets/sheet1.xml")


def test_one_run_gives_one_sequence_of_bytes(runs, path_of, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 4e9)
    write_deck(runs("plain"), tmp_path / "again.pptx")
    assert (tmp_path / "again.pptx").read_bytes() == path_of("plain").read_bytes()


def test_what_is_cut_stands_whole_in_the_notes(runs, deck_of):
    slide, _ = chart_named(deck_of("long"), "Drivers")[1]
    name = runs("long").profiles.personas["name"].iloc[1]
    notes = "".join(s.notes_slide.notes_text_frame.text for s in deck_of("long").slides)
    assert clean(name) in notes
    assert slide.notes_slide.notes_text_frame.text


@pytest.fixture
def template(tmp_path):
    """Return the path of a client's deck: 4:3, own font, two slides, sections."""
    deck = Presentation()
    title = deck.slide_layouts[5].placeholders[0]
    title.left, title.top, title.width, title.height = (Emu(v * EMU) for v in (50, 30, 600, 70))
    for _ in range(2):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text_frame.text = "Old words of the client"
    deck.slide_master.placeholders[0].text_frame.paragraphs[0].runs[0].font.size = Pt(30)
    path = tmp_path / "client.pptx"
    deck.save(str(path))
    return path


def test_a_template_gives_its_size_master_and_layouts_and_loses_its_slides(
    runs, template, tmp_path
):
    write_deck(runs("plain"), tmp_path / "d.pptx", template=template)
    deck = Presentation(str(tmp_path / "d.pptx"))
    assert (deck.slide_width, deck.slide_height) == (720 * EMU, 540 * EMU)
    assert [m.name for m in deck.slide_master.slide_layouts][5] == "Title Only"
    assert {s.slide_layout.name for s in deck.slides} == {"Title Slide", "Title Only"}
    assert not slide_named(deck, "Old words")
    with zipfile.ZipFile(tmp_path / "d.pptx") as file:
        assert len([n for n in file.namelist() if re.fullmatch(r"ppt/slides/slide\d+\.xml", n)]) \
            == len(deck.slides)  # fmt: skip
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height


def test_a_potx_serves_as_well(runs, template, tmp_path):
    potx = tmp_path / "client.potx"
    with zipfile.ZipFile(template) as old, zipfile.ZipFile(potx, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "[Content_Types].xml":
                part = part.replace(b"presentation.main+xml", b"template.main+xml")
            new.writestr(name, part)
    write_deck(runs("plain"), tmp_path / "d.pptx", template=potx)
    assert len(Presentation(str(tmp_path / "d.pptx")).slides) > 10


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "there is no file"), (b"no zip", "cannot be read"), (b"PK\x03\x04", "cannot be read")],
)
def test_a_template_that_cannot_be_used_is_one_clear_error(runs, tmp_path, content, said):
    path = tmp_path / "client.pptx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StudyError, match=said) as error:
        write_deck(runs("plain"), tmp_path / "d.pptx", template=path)
    assert "client.pptx" in str(error.value)
    assert not (tmp_path / "d.pptx").exists()


def test_a_template_without_a_title_on_top_is_refused(runs, tmp_path):
    deck = Presentation()
    for layout in list(deck.slide_layouts):
        if layout.name != "Blank":
            deck.slide_layouts.remove(layout)
    deck.save(str(tmp_path / "client.pptx"))
    with pytest.raises(StudyError, match="Title Only"):
        write_deck(runs("plain"), tmp_path / "d.pptx", template=tmp_path / "client.pptx")


def test_cut_text_keeps_whole_words_and_fits():
    text = "These are quite a few words that do not fit into the box at all"
    shown = cut_text(text, 120, 10, 2)
    assert shown.endswith("…")
    assert text.startswith(shown[:-1])
    assert text[len(shown) - 1] == " "
    assert tall_of([Line(shown)], 120, 10) <= 2 * 10 * 1.22 + 1e-9
    assert cut_text("short", 120, 10, 2) == "short"


def test_half_of_an_endless_word_says_more_than_the_word_before_it():
    assert len(cut_text("12 " + "Unbroken" * 30, 120, 10, 1)) > 10


def test_text_is_set_smaller_before_it_is_cut():
    line = Line("word " * 30)
    size, shown, lost = fit_lines([line], 150, 110, (14, 12, 10, 8))
    assert size == 10
    assert shown[0].text == clean(line.text)
    assert lost == []
    size, shown, lost = fit_lines([line], 150, 30, (14, 12, 10, 8))
    assert size == 8
    assert shown[0].text.endswith("…")
    assert lost == [clean(line.text)]


def test_a_mark_keeps_what_follows_arabic_from_left_to_right():
    assert ltr("الوعي") == "الوعي\u200e"
    assert ltr("plain") == "plain"


def test_a_divided_table_keeps_every_row_and_no_group_head_alone():
    rows = tuple((Entry((Line(f"row {i}"),)),) for i in range(60))
    groups = frozenset(range(0, 60, 5))
    parts = split_grid(Grid((Entry((Line("head"),)),), rows, (1.0,), groups), Box(0, 0, 400, 300))
    assert [r for p in parts for r in p.rows] == list(rows)
    assert len(parts) > 2
    assert all(len(p.rows) - 1 not in p.groups for p in parts)


@pytest.mark.parametrize("kind", ["hostile", "long"])
def test_libreoffice_shows_as_many_pages_as_slides_and_every_title(
    path_of, deck_of, tmp_path, kind
):
    soffice = shutil.which("soffice")
    if soffice is None:
        skip_or_fail("LibreOffice (soffice) is not installed")
    from pypdf import PdfReader

    subprocess.run(
        [soffice, "--headless", f"-env:UserInstallation={(tmp_path / 'lo').as_uri()}",
         "--convert-to", "pdf", "--outdir", str(tmp_path), str(path_of(kind))],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    pages = PdfReader(tmp_path / path_of(kind).with_suffix(".pdf").name).pages
    assert len(pages) == len(deck_of(kind).slides)
    page = next(p for p in pages if "How this was done" in p.extract_text())
    assert "Limits" in page.extract_text()
