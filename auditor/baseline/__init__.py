"""Measured baselines: result files of benchmark tools, and live servers."""

from auditor.baseline.metrics import sample
from auditor.baseline.model import Baseline
from auditor.baseline.results import read_results
from auditor.baseline.saved import dump, load

__all__ = ["Baseline", "dump", "load", "read_results", "sample"]
