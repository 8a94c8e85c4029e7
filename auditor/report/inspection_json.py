"""Inspections as JSON: schema ``auditor/inspection/1``."""

from collections.abc import Sequence

import auditor
from auditor.inspection.model import Inspection
from auditor.report import View, plain


def render(inspections: Sequence[Inspection], view: View) -> str:  # noqa: ARG001  # every format has one signature
    """Return the document."""
    return plain.dumps(
        {
            "schema": "auditor/inspection/1",
            "auditor": auditor.__version__,
            "models": [plain.model(inspection) for inspection in inspections],
        }
    )
