"""A survey file without a study file -> a commented ``study.toml`` that runs."""

from psychoseg.starter.draft import Draft, draft_study, write_draft, write_study

__all__ = ["Draft", "draft_study", "write_draft", "write_study"]
