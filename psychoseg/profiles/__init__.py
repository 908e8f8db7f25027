"""Profiles: who each segment is, what sets it apart, how sure that is, and what to call it."""

from psychoseg.profiles.fit import profile_segments
from psychoseg.profiles.result import Profiles

__all__ = ["Profiles", "profile_segments"]
