"""The catalogue: accelerators, stacks, prices and rules, read from rules/ and checked on load."""

from auditor.catalog.catalog import Catalog
from auditor.catalog.load import load_catalog
from auditor.catalog.model import Accelerator, Figure, Price, Rule, Source, Stack, Target

__all__ = ["Accelerator", "Catalog", "Figure", "Price", "Rule", "Source", "Stack", "Target", "load_catalog"]
