"""Write the schemas that are generated from the fact catalogue and the dataclasses: ``python -m tools.make_schemas``."""

import json
from pathlib import Path

from auditor.gate.schema import GENERATED as GATE
from auditor.report.schema import GENERATED as WRITTEN
from auditor.rules.schema import GENERATED as READ

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

if __name__ == "__main__":
    for name, build in {**READ, **GATE, **WRITTEN}.items():
        (SCHEMAS / f"{name}.schema.json").write_text(json.dumps(build(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
