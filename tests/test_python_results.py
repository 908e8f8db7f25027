"""What a researcher sees of the package: results that show themselves, reports, reference, help."""

import doctest
import importlib
import inspect
import json
import re
import warnings
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from pydantic import ValidationError
from threadpoolctl import threadpool_info

import psychoseg
from psychoseg.errors import DataError, StudyError
from psychoseg.estimators import likert_scales
from psychoseg.plots.canvas import SCREEN_DPI
from psychoseg.study import Study
from psychoseg.study_table import Table
from tests.brief_segments import cheap, cut_short

ITEMS = [f"q{j}" for j in range(1, 9)]


@pytest.fixture(scope="module")
def found():
    """Return a survey of the example, its scales, segments and profiles."""
    answers = psychoseg.example_answers()
    survey = psychoseg.Survey.from_frame(
        answers, items=ITEMS, columns=["region"], active=["age"], labels={"q1": "<b>Bold</b>"}
    )
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", psychoseg.PsychosegWarning)
        cut_short(patch)
        scales = psychoseg.fit_scales(survey, n_factors=2)
        segments = psychoseg.fit_segments(survey, scales, cheap(), k=3)
        profiles = psychoseg.profile_segments(survey, scales, segments)
    return survey, scales, segments, profiles


def test_results_are_short_at_a_prompt_and_hold_no_markup_of_a_label(found):
    for result in found:
        name = type(result).__name__
        assert repr(result).startswith(f"{name}(")
        assert len(repr(result)) < 200
        assert "\n" not in repr(result)
        page = result._repr_html_()
        assert page.count("<table") == page.count("</table>") == 1
        assert "<b>Bold" not in page
        assert "&lt;b&gt;Bold" in result.summary()._repr_html_() or name in ("Segments", "Profiles")
        text = str(result.summary())
        assert len(text.splitlines()) > 5
        assert repr(result)[len(name) + 1 : -1] in text
    assert repr(found[1]).startswith("Scales(2 scales of 8 items, 300 respondents, alpha .")
    assert repr(found[2]).startswith("Segments(3 segments of 300 respondents")


def test_a_report_is_made_of_objects_without_a_study_file(found, tmp_path):
    survey, scales, segments, profiles = found
    made = psychoseg.report(
        survey, tmp_path / "new" / "folder", scales=scales, segments=segments, profiles=profiles,
        formats=["html", "csv", "xlsx"], title="People & motives",
    )  # fmt: skip
    assert [p.name for p in made] == ["report.html", "respondents.csv", "tables.xlsx"]
    page = made[0].read_text(encoding="utf-8")
    assert "People &amp; motives" in page
    assert "3 segments, set in the study" in page
    table = pd.read_csv(made[1], index_col="id")
    np.testing.assert_array_equal(table["segment"], segments.labels.loc[table.index])
    assert sorted(p.name for p in made[0].parent.iterdir()) == [p.name for p in made]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, to: psychoseg.report(f[0], to), "takes segments=... and profiles=..."),
        (lambda f, to: psychoseg.report(psychoseg.example_answers(), to), "Survey.from_frame"),
        (lambda f, to: psychoseg.report(f[0], to, segments=f[2], profiles=f[3],
                                        formats=["sav"]), "respondents.sav is for a run"),
        (lambda f, to: psychoseg.report(f[0], to, segments=f[2], profiles=f[3],
                                        formats=["docx"]), "no report format 'docx'"),
    ],
)  # fmt: skip
def test_a_report_that_cannot_be_made_writes_nothing(found, tmp_path, call, message):
    with pytest.raises((DataError, StudyError), match=re.escape(message)):
        call(found, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_figure_shows_itself_once_and_twice_as_fine_as_the_screen(found):
    figure = psychoseg.plots.plot_scree(found[1])
    picture, size = figure._repr_png_()
    assert isinstance(figure, Figure)
    assert picture.startswith(b"\x89PNG")
    width, height = (int.from_bytes(picture[at : at + 4], "big") for at in (16, 20))
    assert abs(width - 2 * size["width"]) <= 1
    assert abs(height - 2 * size["height"]) <= 1
    assert size["width"] == round(psychoseg.plots.WIDE * SCREEN_DPI)
    # What pyplot does not know it neither keeps open nor shows again at the end of a cell.
    import matplotlib.pyplot as plt

    assert plt.get_fignums() == []


def public_objects():
    for name in psychoseg.__all__:
        thing = getattr(psychoseg, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            yield name, thing


def test_every_name_is_there_and_listed():
    assert {"plots", "report", "__version__", "read_run", "ScalesSettings"} <= set(dir(psychoseg))
    assert re.match(r"\d+\.\d+", psychoseg.__version__)
    assert files("psychoseg").joinpath("py.typed").is_file()
    assert all(thing.__doc__ for _, thing in public_objects())


@pytest.mark.parametrize("name", [n for n, _ in public_objects()])
def test_examples_of_the_public_names_run(name, found):
    # ``found`` first, so that what numba compiles once is compiled before anything is counted.
    thing = getattr(psychoseg, name)
    module = importlib.import_module(thing.__module__)
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", psychoseg.PsychosegWarning)
        cut_short(patch)
        for test in finder.find(thing, name, module=module, globs={}):
            if test.examples:
                assert runner.run(test).failed == 0


@pytest.mark.parametrize(
    "name", ["Survey", "fit_scales", "fit_segments", "profile_segments", "LikertScales", "report",
             "LikertFactorAnalysis", "settings_reference", "r_scripts", "example_answers"],
)  # fmt: skip
def test_the_names_people_start_with_have_an_example(name):
    thing = getattr(psychoseg, name)
    text = psychoseg.report.write_report.__doc__ if name == "report" else thing.__doc__
    if name == "Survey":
        text = psychoseg.Survey.from_frame.__doc__
    assert ">>> " in text


def tables_in(model, path=""):
    """Return each table of the study file and its fields, found without the reference."""
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = [k for k in kinds if inspect.isclass(k) and issubclass(k, Table)]
        where = f"{path}.{name}".lstrip(".")
        if inner:
            yield where, inner[0]
            yield from tables_in(inner[0], where)


def test_the_reference_has_every_setting_with_its_default():
    text = psychoseg.settings_reference()
    for path, model in tables_in(Study):
        part = psychoseg.settings_reference(path)
        assert part.splitlines()[0].strip("[]") == path
        assert part.strip() in text
        for name, field in model.model_fields.items():
            if f"\n[{path}.{name}]" in text or f"\n[[{path}.{name}]]" in text:
                continue
            (line,) = re.findall(
                rf"^{name} = .*$|^{name}  \(must.*$", part.split("\n\n[")[0], flags=re.M
            )
            if field.is_required():
                assert line == f"{name}  (must be given)"
            else:
                default = field.get_default(call_default_factory=True)
                assert line == f"{name} = " + (
                    "(not set)" if default is None else json.dumps(default, ensure_ascii=False)
                )
    assert "Single clouds that the people are held against" in text
    with pytest.raises(StudyError, match=r"there is no table \[segmnts\]"):
        psychoseg.settings_reference("segmnts")


def test_settings_are_made_and_checked_in_python():
    assert psychoseg.SegmentsSettings(k=4).k == 4
    with pytest.raises(ValidationError, match="kk"):
        psychoseg.SegmentsSettings(kk=4)


def test_likert_scales_are_fitted_on_one_thread(monkeypatch):
    seen = []

    def spy(*args, **options):
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return real(*args, **options)

    real = likert_scales.find_factors
    monkeypatch.setattr(likert_scales, "find_factors", spy)
    psychoseg.LikertScales(n_factors=2).fit(psychoseg.example_answers()[ITEMS])
    assert seen
    assert set(seen) == {1}
