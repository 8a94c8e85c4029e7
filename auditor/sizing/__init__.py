"""Sizing: on how many devices a model runs with its workload, and how fast it would be there."""

from auditor.sizing.cache import logical_bytes
from auditor.sizing.model import Constraints, NoPlacement, Placement, Range, Throughput
from auditor.sizing.place import place
from auditor.sizing.throughput import estimate

__all__ = ["Constraints", "NoPlacement", "Placement", "Range", "Throughput", "estimate", "logical_bytes", "place"]
