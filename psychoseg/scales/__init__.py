"""The measurement stage: items become psychographic scales with scores and reliability."""

from psychoseg.scales.fit import Scales, fit_scales
from psychoseg.scales.reliability import ALL_ITEMS, COEFFICIENTS

__all__ = ["ALL_ITEMS", "COEFFICIENTS", "Scales", "fit_scales"]
