"""Inspection: a snapshot in, facts and the layer census out. Reads documents and headers; runs nothing, downloads nothing."""

from auditor.inspection.inspect import inspect_snapshot
from auditor.inspection.model import Inspection, LayerGroup, LayerKind

__all__ = ["Inspection", "LayerGroup", "LayerKind", "inspect_snapshot"]
