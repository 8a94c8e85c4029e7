"""Families of architectures: declarative records, looked up by model type."""

from auditor.inspection.architectures.families import FAMILIES
from auditor.inspection.architectures.model import Family

__all__ = ["FAMILIES", "Family", "family_of"]

_NONE = Family(types=())


def _index() -> dict[str, Family]:
    found: dict[str, Family] = {}
    for family in FAMILIES:
        for model_type in family.types:
            if model_type in found:
                message = f"{model_type} stands in two family records"
                raise ValueError(message)
            found[model_type] = family
    return found


_BY_TYPE = _index()


def family_of(model_type: str) -> Family:
    """Return the record of a model type; an empty one where nothing needs saying."""
    return _BY_TYPE.get(model_type, _NONE)


def taught(model_type: str) -> bool:
    """Return whether a record names the model type."""
    return model_type in _BY_TYPE
