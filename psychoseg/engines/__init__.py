"""The engines: the same few raw computations in Python and in R, behind one small protocol.

Each engine is imported when it is asked for, so that ``doctor`` runs where half of it is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psychoseg.errors import EngineError

if TYPE_CHECKING:
    from psychoseg.engines.base import Engine

__all__ = ["get_engine", "trees_of"]


def get_engine(
    name: str, *, tree: str = "auto", rotator: str = "psychoseg", time_limit: float = 600.0
) -> Engine:
    """Return an engine by name.

    Parameters
    ----------
    name : {"python", "r"}
    tree : str
        Who builds the tree: "psychoseg", "scikit-learn" or "scipy" in Python; "hclust",
        "fastcluster", "agnes" or "hcut" in R; "auto" leaves it to the engine.
    rotator : {"psychoseg", "factor-analyzer"}
        Who rotates in Python; R rotates by GPArotation.
    time_limit : float
        Seconds that one call into R may take.

    Returns
    -------
    Engine
        The R engine starts R at its first computation.

    Raises
    ------
    EngineError
        Where there is no such engine, or the engine has no such tree builder.
    """
    if name == "python":
        from psychoseg.engines.python import PythonEngine

        return PythonEngine(tree=tree, rotator=rotator)
    if name == "r":
        from psychoseg.engines.r import REngine

        return REngine(tree=tree, time_limit=time_limit)
    raise EngineError(f'there is no engine {name!r}. Use "python" or "r".')


def trees_of(name: str) -> tuple[str, ...]:
    """Return the tree builders that an engine, "python" or "r", knows by name."""
    if name == "python":
        from psychoseg.engines.python import PYTHON_TREES

        return PYTHON_TREES
    from psychoseg.engines.r import R_TREES

    return R_TREES
