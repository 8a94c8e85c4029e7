"""Rules: evaluated against facts, combined into a verdict, tested beside where they stand."""

from auditor.rules.evaluate import Evaluation, evaluate
from auditor.rules.model import Finding, Undecided
from auditor.rules.verdict import Verdict, combine

__all__ = ["Evaluation", "Finding", "Undecided", "Verdict", "combine", "evaluate"]
