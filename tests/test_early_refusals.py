"""What the study and the installation tell to be impossible is refused before data are read."""

import importlib.util
import re

import pytest

import psychoseg
from psychoseg import EngineError, StudyError
from psychoseg.segments import map as map_module
from psychoseg.study import load_study

#: There is no such file, so that whoever reads it says so instead.
STUDY = """
[data]
file = "never_read.csv"
[[items]]
columns = ["q*"]
"""


def written(tmp_path, settings: str):
    (tmp_path / "study.toml").write_text(STUDY + settings, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            '[segments]\nmethod = "gmm"\n[engine]\nname = "both"',
            "the r engine divides by pam, kmeans, not by 'gmm'. Use engine = \"python\".",
        ),
        ('[segments]\nmethod = "diana"', "diana is in R alone"),
        ('[segments]\nmethod = "diana"\n[engine]\nname = "both"', "diana is in R alone"),
        (
            '[weights]\ncolumn = "w"\n[engine]\ntree = "scikit-learn"',
            "scikit-learn builds trees without case weights, and the study has [weights].",
        ),
        (
            '[weights]\ncolumn = "w"\n[segments]\nmethod = "kmeans"\n[engine]\nname = "r"',
            "stats::kmeans takes no case weights, and the study has [weights].",
        ),
        (
            '[segments]\nmethod = "centroid"\n[engine]\nname = "both"\ntree = "agnes"',
            "cluster::agnes builds trees by",
        ),
    ],
)
def test_a_method_that_an_engine_lacks_is_refused_before_data_are_read(tmp_path, settings, message):
    with pytest.raises(EngineError, match=re.escape(message)):
        psychoseg.run(written(tmp_path, settings))
    assert [path.name for path in tmp_path.iterdir()] == ["study.toml"]


def test_umap_that_is_not_installed_is_refused_before_data_are_read(tmp_path, monkeypatch):
    ours = importlib.util.find_spec
    monkeypatch.setattr(
        map_module, "find_spec", lambda name: None if name == "umap" else ours(name)
    )
    with pytest.raises(EngineError, match=r'pip install "psychoseg\[maps\]"'):
        psychoseg.run(written(tmp_path, '[reduce]\nmap = "umap"'))


@pytest.mark.parametrize("method", ["ward", "centroid", "average", "pam"])
def test_what_goes_with_the_engine_gets_to_the_data(tmp_path, method):
    settings = f'[reduce]\nmethod = "gower"\n[segments]\nmethod = "{method}"'
    with pytest.raises(StudyError, match="never_read"):
        psychoseg.run(written(tmp_path, settings))


@pytest.mark.parametrize("method", ["kmeans", "minibatch", "gmm", "lca", "dbscan", "hdbscan"])
def test_methods_of_coordinates_do_not_go_with_gower(tmp_path, method):
    settings = f'[segments]\nmethod = "{method}"\n[reduce]\nmethod = "gower"'
    with pytest.raises(StudyError) as error:
        load_study(written(tmp_path, settings))
    message = str(error.value)
    assert "study.toml has 1 problem:" in message
    assert f'segments: method = "{method}" divides coordinates' in message
    assert '[reduce] method = "gower". Use [segments] method = "pam"' in message


def test_gower_beside_a_method_of_coordinates_is_listed_with_the_other_problems(tmp_path):
    settings = '[reduce]\nmethod = "gower"\n[segments]\nmethod = "gmm"\n[engine]\nname = "s"'
    with pytest.raises(StudyError, match=r"(?s)has 2 problems:.*line \d+, segments: .*engine.name"):
        load_study(written(tmp_path, settings))
