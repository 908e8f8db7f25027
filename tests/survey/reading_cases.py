"""Files written in the ways that people and programs write them, with what they mean."""

from pathlib import Path

#: Title rows, a decimal comma in one column and groups in another, an "NA" that is a region, people
#: who stand twice, a name that stands twice, units and a row of means.
EVERYTHING = """\
Customer survey 2026
Exported on 3 March 2026

id;q1;q2;q3;weight;income;share;region;region
;;;;;EUR;%;;
A1;1;2;3;0,85;€ 2.140;12 %;NA;x
A2;2;3;4;1,15;650;7 %;EMEA;x
A3;3;4;5;1,2;€ 17.500;30 %;APAC;x
A4;4;5;1;0,8;1.250,50 €;9 %;NA;x
A2;2;3;4;1,15;650;7 %;EMEA;x
A5;5;1;2;1;980;11 %;;x
A6;2;2;2;1;-1.000;10 %;LATAM;x
Mean;2,7;2,9;3,0;1,0;3.1;12;;x
"""
EVERYTHING_STUDY = """\
[data]
file = "data.csv"
id = "id"
skip_rows = 3
repeated_names = "number"
leave_out_rows = [5, 13]
duplicates = "first"
decimal = ","
[data.numbers]
income = "1.234,5"
share = "1234.5"
[data.not_missing]
region = ["NA"]
[[items]]
columns = ["q1:q3"]
range = [1, 5]
[[columns]]
name = "income"
type = "numeric"
[[columns]]
name = "share"
type = "numeric"
[[columns]]
name = "region"
[[columns]]
name = "region_2"
[weights]
column = "weight"
"""


def write_everything(folder: Path) -> Path:
    """Write the file and its study into a folder; return the study."""
    (folder / "data.csv").write_text(EVERYTHING, encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(EVERYTHING_STUDY, encoding="utf-8")
    return study
