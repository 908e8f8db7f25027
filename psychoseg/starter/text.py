"""What was found -> the text of ``study.toml``, for a reader who has never seen TOML.

Decides nothing: every setting written here was decided before.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import tomli_w

from psychoseg.starter.batteries import Battery
from psychoseg.starter.choices import Choices
from psychoseg.starter.columns import Looked, words_of
from psychoseg.starter.scale import Scale
from psychoseg.study import DataFile
from psychoseg.survey.raw import number_text, parse_number
from psychoseg.survey.select import match_columns
from psychoseg.survey.sensitive import sensitive_topic

__all__ = ["Beside", "Found", "LeftOut", "asked_in", "study_text"]

_WIDTH = 96
#: Columns from which on a range is easier to read than names.
_RANGE = 3
_LABEL = 120
#: Missing texts up to which each is counted by itself.
_COUNTED = 6
#: Columns that a note names, and letters of each.
_NAMED, _SHORT = 6, 40
_ASK = "# ??"
#: What a sentence ends with; or the table of labels to be filled in.
_ENDS = (".", "?", "!", "}")


@dataclass(frozen=True, slots=True)
class Beside:
    """A column that describes people, and how."""

    column: Looked
    type: Literal["numeric", "ordinal", "categorical"]
    order: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ask: str = ""
    topic: str = ""
    active: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column the study does not use, why, and whether somebody should look at it."""

    name: str
    why: str
    ask: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the study file says."""

    title: str
    data: DataFile
    platform: str
    respondents: int
    names: tuple[str, ...]
    batteries: tuple[Battery, ...]
    sets: tuple[Choices, ...]
    active: frozenset[str]
    lost: str
    weight: Looked | None
    other_weights: tuple[str, ...]
    durations: tuple[str, ...]
    columns: tuple[Beside, ...]
    texts: tuple[Looked, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    taken: str = ""


def study_text(found: Found) -> str:
    """Return the study file."""
    parts = [
        _head(found),
        _study(found),
        _rule("what to read"),
        _data(found),
        *(_items(b, found.names) for b in found.batteries if not b.why_not),
        *(_commented(_items(b, found.names), b.why_not) for b in found.batteries if b.why_not),
        _no_items(found),
        _rule("who is left out first"),
        _quality(found),
        *_weights(found),
        *_scales(found),
        *_columns(found),
        *_sets(found),
        *_texts(found),
        _rule("from scales to segments"),
        _SEGMENTS,
        _rule("the report"),
        _report(found),
        *_left_out(found),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def asked_in(text: str) -> tuple[str, ...]:
    """Return what a study file asks its reader: each ``# ??``, to the end of its sentence."""
    lines = text.splitlines()
    asked = []
    for i, line in enumerate(lines):
        before, mark, sentence = line.partition(_ASK)
        if not mark:
            continue
        more = f"{before}# "
        for follower in lines[i + 1 :]:
            if sentence.endswith(_ENDS) or not follower.startswith(more) or _ASK in follower:
                break
            sentence += f" {follower.removeprefix(more)}"
        asked.append(sentence.strip())
    return tuple(asked)


def _head(found: Found) -> str:
    lost = "\n".join(_ask(found.lost)) + "\n#\n" if found.lost else ""
    return f"""\
{lost}# This study file was drafted from {_inline(found.data.file)}.
# It tells psychoseg what to read and what to do with it. It runs as it is:
#
#     psychoseg run study.toml
#
# How to read it: a line that starts with # is a comment. [name] opens a group of settings,
# [[name]] opens one of several groups of the same kind. Text stands in "quotes", a list in
# [brackets], numbers stand bare. To use a line that starts with #, take the # away. A setting you
# leave out keeps its default; a word psychoseg does not know is refused with a hint, so that a slip
# of the pen is never passed over.
#
# Everything here is a guess. A line with ?? is one that needs your eye: look for ?? and do what it
# says, or leave it if the guess is right."""


def _study(found: Found) -> str:
    return f"""\
[study]
title = {_value(found.title)}    # stands on the report
# ?? Say who was asked, for the report: population = "Customers of ..., 2026"
population = ""
# Everything random starts from this number: the same seed gives the same report.
seed = 1"""


def _data(found: Found) -> str:
    data = found.data
    from_what = f" It looks like an export of {found.platform}." if found.platform else ""
    lines = [
        *_comment(
            f"The answers: {found.respondents:,} rows, {len(found.names)} columns.{from_what} "
            f"Files "
            "are looked for beside this one."
        ),
        "[data]",
        f"file = {_value(data.file)}",
    ]
    if data.id is not None:
        lines.append(f"id = {_value(data.id)}")
    else:
        lines += _comment(
            '?? No column with an id was found. Where there is one, write id = "its name"; without '
            "it respondents are counted from 1."
        )
    if data.sheet is not None:
        lines.append(f"sheet = {_value(data.sheet)}")
    if data.encoding != "auto":
        lines.append(f"encoding = {_value(data.encoding)}")
    if data.skip_rows:
        lines.append(f"skip_rows = {data.skip_rows}    # rows above the header")
    if data.repeated_names != "error":
        lines.append('repeated_names = "number"    # the second x is called x_2')
    if data.header_rows != 1:
        lines.append(
            f"header_rows = {data.header_rows}    # names, and the wording of the questions below"
        )
    if data.decimal != ".":
        lines.append(f"decimal = {_value(data.decimal)}    # 3,5 is three and a half")
    if data.leave_out_rows:
        lines.append(_list("leave_out_rows", list(data.leave_out_rows)))
    if data.duplicates != "error":
        lines.append(f"duplicates = {_value(data.duplicates)}")
    for note in found.notes:
        lines += _ask(note)
    if found.taken:
        lines += _comment(f"Taken for no answer, as missing says: {found.taken}.")
    if data.not_missing:
        lines += ["[data.not_missing]    # answers of these columns, though missing lists them"]
        lines += [_list(_key(name), list(texts)) for name, texts in data.not_missing.items()]
    if data.numbers:
        lines += ["[data.numbers]    # how the numbers of these columns are written"]
        lines += [_pair(name, form) for name, form in data.numbers.items()]
    return "\n".join(lines)


def _items(battery: Battery, names: Sequence[str]) -> str:
    lines = [*_comment(f"Items: {len(battery.columns)} questions that share one answer scale.")]
    for note in battery.notes:
        lines += _ask(f"Check: {note}.")
    topics = {c.name: t for c in battery.columns if (t := sensitive_topic(c.name, c.label))}
    if topics:
        shown = ", ".join(_inline(name) for name in topics)
        about = ", ".join(dict.fromkeys(topics.values()))
        lines += _comment(
            f"?? {shown}: may be sensitive ({about}), and items form segments. Write sensitive = "
            "false below if they are not; else sensitive = true and lawful_basis = "
            '"explicit consent" (or the reason you have), or take them out.'
        )
    lines += ["[[items]]", _list("columns", _columns_of(battery.names, names))]
    lines.append(f"question = {_value(battery.question)}")
    if not battery.question:
        lines[-1] += "    # the question as it was asked, for the report"
    scale = battery.scale
    if scale.unordered:
        lines += _to_be_ordered(scale)
    elif scale.codes and any(len(level) > 1 for level in scale.codes):
        table = {t: float(i) for i, level in enumerate(scale.codes, start=1) for t in level}
        lines += [
            "# Answers from low to high; wordings with one number count as the same.",
            _table("codes", table),
        ]
    elif scale.codes:
        lines += [
            "# Answers from low to high.",
            _list("codes", [level[0] for level in scale.codes]),
        ]
    else:
        ends = f"{number_text(scale.low)}, {number_text(scale.high)}"
        lines.append(f"range = [{ends}]    # the lowest and the highest answer")
    if scale.missing:
        said = _not_answers(_counts(scale), explained=bool(scale.meanings))
        lines.append(f"{_list('missing', _codes(scale.missing))}    # {said}")
    if scale.strays:
        shown = ", ".join(scale.strays[:5])
        lines += [
            *_comment(f"?? Some answers are outside the scale ({shown}); they are taken for none."),
            'out_of_range = "missing"',
        ]
    if battery.reverse:
        lines += _comment(
            "?? A guess from the answers: these go against the others of their kind, so they may "
            "be "
            "worded the other way round (it may also be the others that are). Take out what is "
            "wrong; "
            "scales that are found turn their items by themselves, so nothing breaks."
        )
        lines.append(_list("reverse", list(battery.reverse)))
    if battery.labels:
        lines += ["[items.labels]", *(_pair(k, v[:_LABEL]) for k, v in battery.labels.items())]
    return "\n".join(lines)


def _to_be_ordered(scale: Scale) -> list[str]:
    """Return no codes, which stop a run until somebody gives them, and the answers as a comment."""
    if any(len(level) > 1 for level in scale.codes):
        codes = _table("codes", scale.code_of)
    else:
        codes = _list("codes", [level[0] for level in scale.codes])
    return ["codes = []", *(f"# {line}" for line in codes.splitlines())]


def _counts(scale: Scale) -> dict[str, int]:
    """Return how many cells hold each text that is no answer, codes with what they mean."""
    return {
        f"{m} = {scale.meanings[m]}" if m in scale.meanings else m: scale.counts[m]
        for m in scale.missing
        if m in scale.counts
    }


def _not_answers(held: Mapping[str, int], *, explained: bool = False) -> str:
    """Say how many answers each text that is no answer takes away."""
    counts = list(held.items())
    if not counts:
        return "not an answer"
    total = sum(count for _, count in counts)
    said = f"no answer: {total:,} cell{'s' if total != 1 else ''}"
    if (len(counts) == 1 and not explained) or len(counts) > _COUNTED:
        return said
    return f"{said} ({', '.join(f'{_inline(m)}: {count:,}' for m, count in counts)})"


def _commented(text: str, why: str) -> str:
    head = _comment(
        f"?? Found but not used: {why}. Take the # away from the lines below to use it."
    )
    return "\n".join([*head, *(f"# {line}" if line else "#" for line in text.splitlines())])


def _quality(found: Found) -> str:
    lines = [
        "[clean]",
        "min_answered = 0.5            # of the items; whoever answered fewer is left out",
        'straight_liners = "keep"      # "exclude": who gave the same answer to every item',
        "",
        "# Signs of careless answers are counted and reported; nobody is left out for them unless",
        '# action = "exclude".',
        "[quality]",
        'action = "report"',
    ]
    if found.durations:
        lines += _comment("?? Read as seconds. One column for the whole survey, or one a page.")
        lines.append(_list("duration", list(found.durations)))
    return "\n".join(lines)


def _weights(found: Found) -> list[str]:
    if found.weight is None:
        return []
    lines = [
        *_comment("?? Found by its name: is this the survey weight? Take this group out if not."),
        "[weights]",
        f"column = {_value(found.weight.name)}",
        'kind = "sampling"    # "frequency" if it says how many people a row stands for',
    ]
    if found.other_weights:
        lines += _comment(f"?? Other weights in the file: {', '.join(found.other_weights)}.")
    return ["\n".join(lines)]


def _no_items(found: Found) -> str:
    if not found.active:
        return ""
    names = [_inline(name) for name in sorted(found.active)]
    shown = ", ".join(textwrap.shorten(name, _SHORT, placeholder="...") for name in names[:_NAMED])
    if len(names) > _NAMED:
        shown += f" and {len(names) - _NAMED} more"
    return "\n".join(
        _comment(
            f"?? No item battery was found, so people are divided by {shown} (use = "
            '"active" below). Take "active" away from what should only describe the segments.'
        )
    )


def _scales(found: Found) -> list[str]:
    items = [c for b in found.batteries if not b.why_not for c in b.columns]
    if not items:
        return []
    first = items[0].name
    many = any(len(b.scale.code_of) > 20 for b in found.batteries if not b.why_not)
    lines = [
        "# No scale is named here, so they are found: factor analysis, as many factors as the "
        "rules",
        "# recommend, and each item goes to the factor it belongs to.",
        "[scales]",
        "correlation = "
        + (
            '"mixed"        # items with many different answers count as amounts'
            if many
            else '"polychoric"   # for answers in steps; or "pearson"'
        ),
        'n_factors = "auto"',
        "# ?? Once the report shows the scales, name them: the scale that holds the item on the "
        "left is",
        "# called what stands on the right. Take the # away from both lines.",
        "# [scales.names]",
        f'# {_key(first)} = "..."',
    ]
    return [_rule("from items to scales"), "\n".join(lines)]


def _report(found: Found) -> str:
    used = [b for b in found.batteries if not b.why_not]
    wanted = '"name of a scale" = "high"'
    if found.columns:
        wanted += f', {_key(found.columns[0].column.name)} = "high"'
    scales = (
        "# Scales and columns go by their name: high, low, or a category."
        if used
        else ("# Columns go by their name: high, low, or a category.")
    )
    if not used:
        wanted = wanted.removeprefix('"name of a scale" = "high", ')
    return f"""\
[report]
formats = ["html", "pptx", "xlsx", "csv"]    # also "pdf" and "sav" (SPSS)
# template = "client.pptx"                   # the deck in a client's design

# Once the report shows the segments, name them; the names stay with the same people when the
# study is run again. The numbers are those of the latest run.
# [segments.names]
# 1 = "..."
# 2 = "..."

# Offers, and whom they suit: each persona ranks them and says why.
{scales}
# [[actions]]
# name = "An offer"
# wants = {{ {wanted} }}"""


def _columns(found: Found) -> list[str]:
    if not found.columns:
        return []
    out = [
        _rule("the columns beside the items"),
        "\n".join(
            [
                '# They describe the segments. use = "active" lets a column help to form them, '
                "beside the",
                '# scales; "profile", the default, does not.',
            ]
        ),
    ]
    return [*out, *(_column(beside) for beside in found.columns)]


def _column(beside: Beside) -> str:
    column = beside.column
    lines = _ask(f"{column.name}: {beside.ask}") if beside.ask else []
    shown = f"    # {_inline(column.label)[:_LABEL]}" if column.label else ""
    lines += ["[[columns]]", f"name = {_value(column.name)}{shown}"]
    readable = _readable(column.name)
    if not column.label and readable != column.name:
        lines.append(f"label = {_value(readable)}")
    lines.append(f"type = {_value(beside.type)}")
    if beside.order:
        lines.append(_list("order", list(beside.order)))
    if beside.active:
        lines.append('use = "active"')
    if beside.missing:
        held = column.count_of()
        counts = {text: held.get(text, 0) for text in beside.missing}
        lines.append(f"{_list('missing', _codes(beside.missing))}    # {_not_answers(counts)}")
    if beside.topic:
        lines += _comment(
            f"?? This may be sensitive ({beside.topic}). It describes the segments; to form them "
            f"with "
            'it, the law wants a reason: lawful_basis = "explicit consent". Write sensitive = '
            "false "
            "if it is not."
        )
        lines.append("sensitive = true")
    return "\n".join(lines)


def _sets(found: Found) -> list[str]:
    if not found.sets:
        return []
    return [
        _rule("questions with several answers"),
        *(_set(choices, found.names, choices.name in found.active) for choices in found.sets),
    ]


def _set(choices: Choices, names: Sequence[str], active: bool) -> str:
    lines = [line for note in choices.notes for line in _ask(f"Check: {note}")]
    lines += [
        "[[sets]]",
        f"name = {_value(choices.name)}",
        f"label = {_value(choices.label[:_LABEL])}",
        _list("columns", _columns_of([c.name for c in choices.columns], names)),
        f"coding = {_value(choices.coding)}",
    ]
    if choices.selected:
        lines.append(
            f"{_list('selected', _codes(choices.selected))}    # the answer that is a tick"
        )
    if choices.missing:
        gone = _list("missing", _codes(list(choices.missing)))
        lines.append(f"{gone}    # {_not_answers(choices.missing)}")
    if active:
        lines += ['use = "active"', 'none = "answer"    # whoever ticked nothing counts as well']
    if choices.labels:
        lines += ["[sets.labels]", *(_pair(k, v[:_LABEL]) for k, v in choices.labels.items())]
    return "\n".join(lines)


def _texts(found: Found) -> list[str]:
    if not found.texts:
        return []
    out = [_rule("open questions")]
    for column in found.texts:
        label = column.label or _readable(column.name)
        lines = [
            "[[texts]]",
            f"column = {_value(column.name)}",
            f"label = {_value(label[:_LABEL])}",
            "quotes = 0    # so many answers a segment are printed; look for names in them first",
        ]
        out.append("\n".join(lines))
    return out


def _left_out(found: Found) -> list[str]:
    if not found.left_out:
        return []
    lines = [_rule("what is left out"), ""]
    lines += _comment("These columns are not used. What is not named anywhere is left out.")
    plain: dict[str, list[str]] = {}
    asked: dict[str, list[str]] = {}
    for one in found.left_out:
        (asked if one.ask else plain).setdefault(one.why, []).append(_inline(one.name))
    for why, names in asked.items():
        lines += _ask(f"{', '.join(names)}: {why}")
    for why, names in plain.items():
        lines += _comment(f"{why}: {', '.join(names)}")
    return ["\n".join(lines)]


_SEGMENTS = """\
[segments]
method = "ward"          # a tree of people; or "kmeans", "gmm", "lca" and others
k = "auto"               # how many segments; a number overrules what the data say
bootstrap = 100          # resamples that say how sure the segments are
null_replicates = 99     # single clouds of people that these are held against
audits = true            # how much row order, ties and other methods would change"""


def _columns_of(wanted: Sequence[str], names: Sequence[str]) -> list[str]:
    """Name columns by ranges where they stand side by side."""
    place = {name: i for i, name in enumerate(names)}
    out: list[str] = []
    run: list[str] = []
    for name in [*sorted(wanted, key=lambda w: place[w]), None]:
        if name is not None and run and place[name] == place[run[-1]] + 1:
            run.append(name)
            continue
        short = f"{run[0]}:{run[-1]}" if run else ""
        # A colon or a star inside a name can make a range mean something else.
        if len(run) >= _RANGE and match_columns(short, names) == run:
            out.append(short)
        else:
            out += run
        run = [name] if name is not None else []
    return out


def _ask(text: str) -> list[str]:
    """Return a comment for somebody's eye; it ends as a sentence, so that its end can be told."""
    text = _inline(text)
    return _comment(f"?? {text}" if text.endswith(_ENDS) else f"?? {text}.")


def _comment(text: str) -> list[str]:
    lines = textwrap.wrap(_inline(text), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


def _inline(text: str) -> str:
    """Return a text that stays on its line: TOML ends a comment at a line break."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _rule(title: str) -> str:
    return f"# {'-' * max(4, _WIDTH - len(title) - 1)} {title}"


def _readable(name: str) -> str:
    text = " ".join(name.replace("_", " ").split())
    if name.islower() or "_" in name:
        text = words_of(name) or text
    return text[:1].upper() + text[1:]


def _codes(texts: Sequence[str]) -> list[str | int | float]:
    out: list[str | int | float] = []
    for text in texts:
        number = parse_number(text)
        if number is None or number_text(number) != text:
            out.append(text)
        else:
            out.append(int(number) if number.is_integer() else number)
    return out


def _value(value: str | int | float) -> str:
    return tomli_w.dumps({"k": value}).removeprefix("k = ").rstrip("\n")


def _key(name: str) -> str:
    return tomli_w.dumps({name: 1}).rsplit(" = ", 1)[0]


def _pair(name: str, value: str) -> str:
    return f"{_key(name)} = {_value(value)}"


def _list(key: str, values: Sequence[str | int | float]) -> str:
    parts = [_value(v) for v in values]
    line = f"{key} = [{', '.join(parts)}]"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{key} = [", *(f"  {part}," for part in parts), "]"])


def _table(key: str, table: Mapping[str, float]) -> str:
    # An inline table stands on one line in TOML.
    parts = ", ".join(f"{_key(k)} = {number_text(v)}" for k, v in table.items())
    return f"{key} = {{ {parts} }}"
