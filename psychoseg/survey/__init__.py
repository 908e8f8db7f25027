"""Files of answers -> :class:`Survey`: answers, codebook, weights and the ledger."""

from psychoseg.survey.load import load_survey
from psychoseg.survey.read import read_table
from psychoseg.survey.table import LEDGER_COLUMNS, Survey, Variable

__all__ = ["LEDGER_COLUMNS", "Survey", "Variable", "load_survey", "read_table"]
