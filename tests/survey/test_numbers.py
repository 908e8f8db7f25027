"""Numbers as a column writes them: groups of three first, decided column by column."""

from __future__ import annotations

import pytest

from psychoseg.survey.numbers import FORMATS, guess_numbers, may_be_groups, parse_written

NBSP, NARROW, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "\N{THIN SPACE}"


def guess(*texts: str, weight: bool = False, beside: str = ""):
    return guess_numbers(dict.fromkeys(texts, 1), weight=weight, beside=beside)


@pytest.mark.parametrize(
    ("texts", "form", "values"),
    [
        (("2.140", "650", "17.500"), "1.234,5", (2140, 650, 17500)),
        (("2,603", "440", "1,007"), "1,234.5", (2603, 440, 1007)),
        (("1.234.567", "5"), "1.234,5", (1234567, 5)),
        (("1,234,567", "5"), "1,234.5", (1234567, 5)),
        (("1.234,5", "3,25"), "1.234,5", (1234.5, 3.25)),
        (("1,234.5", "3.25"), "1,234.5", (1234.5, 3.25)),
        (("1234,5", "1.234,5"), "1.234,5", (1234.5, 1234.5)),
        (("1 234", "500"), "1 234,5", (1234, 500)),
        ((f"1{NBSP}234,5", f"2{NARROW}000", f"3{THIN}000"), "1 234,5", (1234.5, 2000, 3000)),
        (("1 234.5", "12 000"), "1 234.5", (1234.5, 12000)),
        (("1'234", "2'345.50", "800"), "1'234.5", (1234, 2345.5, 800)),
        (("1’234,5", "800"), "1'234,5", (1234.5, 800)),
        (("1,23,456", "12,345", "900"), "1,23,456.7", (123456, 12345, 900)),
        (("1,23,456.5", "12,34,567"), "1,23,456.7", (123456.5, 1234567)),
        (("0,85", "1,2", "1"), "1234,5", (0.85, 1.2, 1)),
        (("0.85", "1.234", "1"), "1234.5", (0.85, 1.234, 1)),
        (("1.200", "1.250", "0.985"), "1234.5", (1.2, 1.25, 0.985)),
        (("1234.567", "2.5"), "1234.5", (1234.567, 2.5)),
        (("1e-5", "0.3"), "1234.5", (1e-5, 0.3)),
        (("-1.234,5", "+3,2"), "1.234,5", (-1234.5, 3.2)),
        (("−3,5", "2,25"), "1234,5", (-3.5, 2.25)),
        (("(1,200)", "300"), "1,234.5", (-1200, 300)),
        (("1.200-", "3.000,5"), "1.234,5", (-1200, 3000.5)),
        (("1,0", "1,3", "1,7", "2,3"), "1234,5", (1, 1.3, 1.7, 2.3)),
        (("1,5", "2,5", "3,5", "4"), "1234,5", (1.5, 2.5, 3.5, 4)),
        (("72,5", "80,1", "65,3", "70"), "1234,5", (72.5, 80.1, 65.3, 70)),
        (("€ 1.200", "€ 900"), "1.234,5", (1200, 900)),
        (("1.200,- €", "850,- €"), "1.234,5", (1200, 850)),
        (("CHF 1’200.–", "CHF 900.–"), "1'234.5", (1200, 900)),
        (("USD 1,200.50", "USD 3"), "1,234.5", (1200.5, 3)),
        (("12 %", "13,5 %"), "1234,5", (12, 13.5)),
        (("12%", "7%"), "1234.5", (12, 7)),
        (("$45k", "$120k"), "1234.5", (45000, 120000)),
        (("1.2 Mio. EUR", "3 Mio. EUR"), "1234.5", (1.2e6, 3e6)),
        (("1.500 kr", "800 kr"), "1.234,5", (1500, 800)),
    ],
)
def test_what_a_column_shows_is_read_without_a_question(texts, form, values):
    found = guess(*texts)
    assert (found.format, found.ask) == (form, "")
    assert tuple(parse_written(text, form) for text in texts) == pytest.approx(values)


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (("1.200", "1.250"), "1.234,5"),
        (("1,200", "1,250"), "1,234.5"),
        (("2,140", "1,310", "12,500"), "1,234.5"),
        (("1.000", "2.000", "3.000", "5.000"), "1234.5"),
        (("1.000", "2", "3", "5"), "1234.5"),
        (("1.000",), "1234.5"),
        (("1,4", "3"), "1234,5"),
    ],
)
def test_what_nothing_decides_is_asked_and_shown(texts, form):
    found = guess(*texts)
    assert found.format == form
    assert " was read as " in found.ask
    assert "it may be" in found.ask


def test_a_lone_short_decimal_among_thousands_is_asked():
    found = guess(*(f"{n}.{m}" for n in range(1, 8) for m in (120, 460, 830)), "2.5")
    assert "may be thousands" in found.ask


def test_a_weight_is_about_one_and_no_thousands():
    found = guess("1.200", "1.250", weight=True)
    assert found.format == "1234.5"
    assert found.ask


@pytest.mark.parametrize(("sign", "form"), [(".", "1234.5"), (",", "1.234,5")])
def test_other_columns_speak_where_a_column_is_undecided(sign, form):
    assert guess("1.231", "1.254", beside=sign).format == form
    assert guess("1.231", "1.254", beside=sign).ask


@pytest.mark.parametrize(
    "texts",
    [
        ("1,4", "3,4", "1,5", "4,5", "2,3", "1", "2", "3"),
        ("1,2,4", "2,3", "1,3,5"),
        ("4,1", "1,4", "2,3", "3,1", "2,4", "1,3", "3,2"),
        ("18-24", "25-34"),
        ("12.03.2026", "01.01.2025"),
        ("2026-03-12", "2026-03-13"),
        ("192.168.100.123", "10.0.0.1"),
        ("Cola, Pepsi", "Sprite"),
        ("5 apples", "3 pears"),
        ("1.0.2", "1.10.3"),
        ("0171 234 567", "0172 234 567"),
        ("10:30", "11:45"),
        ("1,234.5.6", "x"),
    ],
)
def test_what_is_no_number_stays_text(texts):
    assert guess(*texts).format is None
    assert not guess(*texts).ask


@pytest.mark.parametrize(
    "texts", [("1.5", "1,5"), ("0,85", "1.2"), ("1.234", "1,234"), ("1.234.567", "1.5")]
)
def test_two_ways_of_writing_in_one_column_are_not_read(texts):
    found = guess(*texts, weight=True)
    assert found.format is None
    assert "different ways" in found.ask


def test_two_currencies_are_not_added_up():
    found = guess("€5", "$6", "€7")
    assert found.format is None
    assert "units" in found.ask


def test_whole_numbers_need_no_format():
    assert guess("1", "25", "-3", "+4") == guess()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "text", ["", "x", "1.2.3", "inf", "nan", "1_000", "--1", "1,,2", "1" * 400]
)
def test_no_format_reads_what_is_no_number(form, text):
    assert parse_written(text, form) is None


def test_thousands_that_are_read_as_fractions_are_found_only_where_nothing_decides():
    assert may_be_groups(["2.140", "650"]) == ["2.140"]
    assert may_be_groups(["2.140", "0.5"]) == []
    assert may_be_groups(["2,140", "650"], ",") == ["2,140"]
