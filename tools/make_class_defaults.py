"""Write auditor/inspection/class_defaults.json: what transformers' config classes fill in when a config leaves a key out.

    python tools/make_class_defaults.py [--check]

Needs transformers (the version is recorded), no PyTorch. With --check nothing is written; the exit code says whether the file is current.
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

from auditor.inspection.config_classes import entries

TARGET = Path(__file__).resolve().parent.parent / "auditor" / "inspection" / "class_defaults.json"


def main() -> int:
    """Generate the table; write or compare it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    arguments = parser.parse_args()
    text = render()
    if arguments.check:
        current = TARGET.read_text(encoding="utf-8") if TARGET.is_file() else ""
        if current != text:
            print(f"{TARGET.name} differs from what transformers {version('transformers')} gives; run this script without --check")
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET}: {len(text)} bytes")
    return 0


def render() -> str:
    """Return the table as JSON, one line per class so that a change reads well in a diff and one class is read alone."""
    lines = ",\n".join(
        f"{json.dumps(name)}:{json.dumps(entry, separators=(',', ':'), sort_keys=True)}" for name, entry in entries().items()
    )
    return f'{{"transformers":"{version("transformers")}","classes":{{\n{lines}\n}}}}\n'


if __name__ == "__main__":
    sys.exit(main())
