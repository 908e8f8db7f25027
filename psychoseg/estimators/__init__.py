"""scikit-learn estimators: Likert items to factor scores, and to unit-weighted scales.

What is learned from some people and applied to others, in a Pipeline, without a study file.
"""

from psychoseg.estimators.factor_analysis import LikertFactorAnalysis
from psychoseg.estimators.likert_scales import LikertScales

__all__ = ["LikertFactorAnalysis", "LikertScales"]
