"""Where the shipped rules and schemas lie: inside the wheel, or beside the package in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _root() -> Path:
    # Look for a file that only we have: a bare ``rules`` folder in site-packages could be anyone's.
    for folder in (_PACKAGE / "_data", _PACKAGE.parent):
        if (folder / "schemas" / "rules.schema.json").is_file():
            return folder
    message = "auditor's rules/ and schemas/ are missing; is the installation whole?"
    raise FileNotFoundError(message)


ROOT = _root()
RULES = ROOT / "rules"
SCHEMAS = ROOT / "schemas"
