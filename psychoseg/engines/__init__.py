"""The engines: the same few raw computations in Python and in R, behind one small protocol."""

from __future__ import annotations

from psychoseg.engines.base import Engine, RawFactors
from psychoseg.engines.python import PYTHON_TREES, PythonEngine
from psychoseg.errors import EngineError

__all__ = ["Engine", "PythonEngine", "RawFactors", "get_engine"]


def get_engine(name: str, *, tree: str = "auto", time_limit: float = 600.0) -> Engine:
    """Return an engine by name.

    Parameters
    ----------
    name : {"python", "r"}
    tree : str
        Who builds the tree: "psychoseg", "scikit-learn" or "scipy" in Python; "hclust",
        "fastcluster", "agnes" or "hcut" in R; "auto" leaves it to the engine.
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
        return PythonEngine(tree=tree)
    if name == "r":
        from psychoseg.engines.r import REngine

        return REngine(tree=tree, time_limit=time_limit)
    raise EngineError(f'there is no engine {name!r}. Use "python" or "r".')


def trees_of(name: str) -> tuple[str, ...]:
    """Return the tree builders that an engine knows by name."""
    if name == "python":
        return PYTHON_TREES
    from psychoseg.engines.r import R_TREES

    return R_TREES
