"""A small survey in every format that is read, for mutations."""

import io
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat

#: Made by LibreOffice 7.4 from the same survey: nothing that is installed here writes the format.
XLS = Path(__file__).parent / "small.xls"
STUDY = """\
[study]
title = "Small"

[data]
file = "small.csv"
id = "id"

[[items]]
columns = ["q1:q6"]
range = [1, 5]
labels = { q1 = "I like it" }

[weights]
column = "w"

[[columns]]
name = "age"

[[columns]]
name = "sex"
order = ["f", "m"]

[scales]
n_factors = 2

[segments]
k = 2
bootstrap = 10
"""


def frame() -> pd.DataFrame:
    """Return 40 people, six items of two scales, an age, a sex, a weight and a remark."""
    rng = np.random.default_rng(5)
    factor = np.repeat(rng.standard_normal((40, 2)), 3, axis=1)
    items = np.clip(np.round(factor + 0.7 * rng.standard_normal((40, 6)) + 3), 1, 5)
    out = pd.DataFrame(items.astype(int), columns=[f"q{i}" for i in range(1, 7)])
    out.insert(0, "id", [f"R{i:03d}" for i in range(40)])
    out["age"] = rng.integers(18, 80, 40)
    out["sex"] = rng.choice(["f", "m"], 40)
    out["w"] = rng.uniform(0.5, 2, 40).round(3)
    out["remark"] = rng.choice(["none", "more, please", "größer"], 40)
    return out


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Return the survey as the bytes of a file of each ending."""
    table = frame()
    out = {
        "csv": table.to_csv(index=False).encode(),
        "tsv": table.to_csv(index=False, sep="\t").encode(),
        "xls": XLS.read_bytes(),
        "xlsx": _xlsx(table),
        "ods": _ods(table),
        "toml": STUDY.encode(),
    }
    labels = {f"q{i}": {1.0: "not at all", 5.0: "very much"} for i in range(1, 7)}
    for ending in ("sav", "zsav"):
        path = folder / f"seed.{ending}"
        pyreadstat.write_sav(
            table, str(path), variable_value_labels=labels, compress=ending == "zsav"
        )
        out[ending] = path.read_bytes()
    # The format has no letters beyond ASCII.
    plain = table.replace({"remark": {"größer": "more"}})
    pyreadstat.write_por(plain, str(folder / "seed.por"))
    out["por"] = (folder / "seed.por").read_bytes()
    return out


def _xlsx(table: pd.DataFrame) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(list(table))
    for row in table.itertuples(index=False):
        book.active.append([v.item() if hasattr(v, "item") else v for v in row])
    book.create_sheet("notes").append(["made for tests"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _ods(table: pd.DataFrame) -> bytes:
    rows = [list(table), *table.to_numpy().tolist()]
    body = "".join(
        f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows
    )
    spaces = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"'
        for n in ("office", "table", "text")
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="S">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return out.getvalue()


def _ods_cell(value: object) -> str:
    if isinstance(value, str):
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{value}</text:p></table:table-cell>"
        )
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
