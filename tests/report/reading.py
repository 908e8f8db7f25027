"""How the tests read a report: the text of a context, a column of a table, the tags of a page."""

import dataclasses
import html.parser

from psychoseg.report.facts import Table


def strings(value: object) -> list[str]:
    """Return all text in a context."""
    if isinstance(value, str):
        return [value]
    if dataclasses.is_dataclass(value):
        return [s for f in dataclasses.fields(value) for s in strings(getattr(value, f.name))]
    if isinstance(value, dict):
        return [s for v in value.values() for s in strings(v)]
    if isinstance(value, tuple):
        return [s for v in value for s in strings(v)]
    return []


def column(table: Table, number: int) -> list[str]:
    return [row.cells[number].text for row in table.rows if row.kind != "group"]


class Outline(html.parser.HTMLParser):
    """Collects the elements and ids of a page, and the text that a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.code = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.code = tag in ("script", "style")

    def handle_endtag(self, tag):
        self.code = False

    def handle_data(self, data):
        if not self.code:
            self.text += data

    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}
