"""What a run claims in words, read from its files, and what people answered.

Nothing of the product takes part in the reading: texts are those of the files, figures are weighted
sums of raw answers, and which way a scale runs follows from the study file and from the words that
it is called by.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: Words of a sentence or name, and which way they say that a segment differs: first found counts.
_WORDS = (
    (r"\babout average (on|in)\b|^average\b|: average$", 0),
    (r"\bnot high\b|\bnor are they high\b", -1),
    (r"\b(none|only)\b|\bfewer\b", -1),
    (r"\b(above|more|older|mostly|high|higher)\b", 1),
    (r"\b(below|less|younger|low|lower)\b", -1),
)
_MARK = "(reversed) "


@dataclass(frozen=True, slots=True)
class Claim:
    """A text, the segment it is about, of what, and which way: 1 more, -1 less, 0 the same."""

    segment: int
    text: str
    what: str
    category: str
    way: int


class Answers:
    """Raw answers of the people of a run, and how far segments differ in them."""

    def __init__(self, folder: Path, keys: dict[str, int]) -> None:
        answers = pd.read_csv(folder / "survey" / "answers.csv", dtype={"id": str})
        people = pd.read_csv(folder / "respondents.csv", dtype={"id": str})
        members = answers.merge(people[["id", "segment"]], on="id", validate="one_to_one")
        self.members = members[members["segment"].notna() & (members["segment"] > 0)]
        book = pd.read_csv(folder / "survey" / "codebook.csv", keep_default_na=False)
        self.label = dict(zip(book["name"], book["label"], strict=True))
        self.sets: dict[tuple[str, str], str] = {
            (r.question or r.block, r.label): r.name
            for r in book.itertuples()
            if r.kind == "choice"
        }
        scales = pd.read_csv(folder / "scales" / "table.csv")
        items = pd.read_csv(folder / "scales" / "items.csv")
        self.items = {str(s): list(items.loc[items["scale"] == s, "item"]) for s in scales["scale"]}
        self.scale = dict(zip(scales["label"], scales["scale"], strict=True))
        self.keys = keys
        self.columns = {
            r.label: r.name for r in book.itertuples() if r.role in ("active", "profile")
        }

    def direction(self, what: str, category: str, segment: int) -> float:
        """Return how much more of it a segment has than the rest, in standard deviations."""
        x = self.values(what, category)
        w = self.members["weight"].to_numpy(dtype=float)
        inside = (self.members["segment"] == segment).to_numpy()
        known = ~np.isnan(x)

        def mean(of: np.ndarray) -> float:
            use = known & of
            return float(np.average(x[use], weights=w[use])) if use.any() else float("nan")

        everyone = np.ones(len(x), dtype=bool)
        sd = np.sqrt(np.average((x[known] - mean(everyone)) ** 2, weights=w[known]))
        return (mean(inside) - mean(~inside)) / sd

    def values(self, what: str, category: str = "") -> np.ndarray:
        """Return what everybody answered, high for those of whom the words are true."""
        if category:
            if (what, category) in self.sets:
                return self.members[self.sets[what, category]].to_numpy(dtype=float)
            column = self.members[self.columns[what]]
            return np.where(column.isna(), np.nan, column.astype(str) == category)
        if what not in self.scale:
            return self.members[self.columns[what]].to_numpy(dtype=float)
        items = self.items[self.scale[what]]
        said = self.statement(what)
        if said:
            own = self.members[said].to_numpy(dtype=float)
            return -own if what.startswith(_MARK) else own
        # A name that the study gives: its items, keyed as the study says. A scale that turns
        # items by itself is held against those that it does not turn.
        turned = {i: self.keys.get(i, 1) for i in items}
        x = self.members[items].to_numpy(dtype=float) * np.array([turned[i] for i in items])
        return np.nanmean(x - np.nanmean(x, axis=0), axis=1)

    def statement(self, what: str) -> str:
        """Return the item whose words a scale is called by; nothing where its name is given."""
        words = re.sub(r" \(\d+\)$", "", what.removeprefix(_MARK))
        for item in self.items[self.scale[what]]:
            label = " ".join(self.label[item].split())
            if label.rstrip(".") == words:
                return item
            if words.endswith(" …") and label.startswith(words.removesuffix(" …")):
                return item
        return ""


def claims_of(folder: Path, answers: Answers) -> Iterator[Claim]:
    """Yield every claim of names, sentences, drivers and reasons; none may go unread."""
    for row in _rows(folder, "personas"):
        for name in {row["name"], row["suggested"]}:
            yield from _named(int(row["segment"]), name, answers)
    for row in _rows(folder, "facts"):
        if row["table"] != "personas":
            yield _read(int(row["segment"]), row["text"], answers)
    for row in _rows(folder, "drivers"):
        yield _read(int(row["segment"]), row["text"], answers)
    for row in _rows(folder, "actions"):
        for part in row["reason"].removeprefix("In part: ").split("; "):
            if "few answers" not in part:
                # What is wanted comes after the last comma.
                yield _read(int(row["segment"]), part.rsplit(", ", 1)[0], answers)


def _rows(folder: Path, table: str) -> list[dict[str, str]]:
    file = folder / "profiles" / f"{table}.csv"
    if not file.is_file():
        return []
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def _read(segment: int, text: str, answers: Answers) -> Claim:
    what, category = _subject(text, answers)
    # The words of a label say nothing of the direction.
    bare = text
    for words in sorted({what, _lowered(what), category}, key=len, reverse=True):
        bare = re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", "…", bare) if words else bare
    return Claim(segment, text, what, category, _way(bare, text))


def _named(segment: int, name: str, answers: Answers) -> Iterator[Claim]:
    """Yield the parts of a suggested name: each begins with a word of direction."""
    if re.fullmatch(r"(Middle of the road|Everyone|Unassigned)( \d+)?", name):
        return
    start = r"(?:slightly )?(?:high|low|mostly|more|no|fewer|older|younger)\b"
    parts = re.split(rf", (?={start})", name[0].lower() + name[1:])
    for part in parts:
        word = re.match(rf"({start}) ?", part)
        assert word, f"a name that cannot be read: {name}"
        rest = part[word.end() :]
        own = word[1].removeprefix("slightly ")
        way = 1 if own in ("high", "mostly", "more", "older") else -1
        if own in ("older", "younger"):
            age = next(c for c in answers.columns if c.casefold() == "age")
            yield Claim(segment, name, age, "", way)
            continue
        grouped = re.fullmatch(r"(.+) \((.+)\)", rest)
        if grouped and own in ("mostly", "more", "no", "fewer"):
            question = _label_like(grouped[2], {*answers.columns, *(q for q, _ in answers.sets)})
            yield Claim(segment, name, question, grouped[1], way)
        else:
            yield Claim(
                segment, name, _label_like(rest, {*answers.scale, *answers.columns}), "", way
            )


def _label_like(words: str, labels: set[str]) -> str:
    """Return the label that a name has, in its case or cut short."""
    words = re.sub(r"( \d+)$", "", words) if words not in labels else words
    stem = words.rstrip("…").casefold()
    found = [x for x in labels if x.casefold() == stem] or [
        x for x in labels if x.casefold().startswith(stem)
    ]
    assert found, f"what a name is about cannot be found: {words}"
    return found[0]


def _subject(text: str, answers: Answers) -> tuple[str, str]:
    """Return the label that a sentence is about, and the category in quotes."""
    for question, option in answers.sets:
        if f"'{option}' ({question})" in text or f"'{option}' ('{question}')" in text:
            return question, option
    for label in answers.columns:
        found = re.search(rf"'(.+?)' \('?{re.escape(label)}'?\)", text) or re.search(
            rf"\b{re.escape(label)}'? is '(.+?)',", text
        )
        if found:
            return label, found[1]
    labels = [x for x in {*answers.scale, *answers.columns} if x in text or _lowered(x) in text]
    if labels:
        return max(labels, key=len), ""
    if re.search(r"\b(older|younger)\b", text):
        return next(c for c in answers.columns if c.casefold() == "age"), ""
    raise AssertionError(f"what a sentence is about cannot be found: {text}")


def _lowered(label: str) -> str:
    mark = _MARK if label.startswith(_MARK) else ""
    bare = label.removeprefix(mark)
    return mark + bare[:1].lower() + bare[1:]


def _way(bare: str, text: str) -> int:
    for words, way in _WORDS:
        if re.search(words, bare, re.IGNORECASE):
            return way
    value = re.search(r"For (\S+)% of them.*against (\S+)%|(\S+)% of them chose.*against (\S+)%|"
                      r"applies to (\S+)% of them, against (\S+)%", text)  # fmt: skip
    assert value, f"a claim that cannot be read: {text}"
    one, other = (float(x) for x in value.groups() if x is not None)
    return 1 if one > other else -1
