"""A study folder in a few lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from psychoseg.study import Study, load_study

MakeStudy = Callable[..., Study]


@pytest.fixture
def make_study(tmp_path: Path) -> MakeStudy:
    """Write files (text or bytes) and a study.toml into a folder and load the study."""

    def make(toml: str, **files: str | bytes) -> Study:
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            data = content if isinstance(content, bytes) else content.encode("utf-8")
            path.write_bytes(data)
        (tmp_path / "study.toml").write_text(toml, encoding="utf-8")
        return load_study(tmp_path)

    return make
