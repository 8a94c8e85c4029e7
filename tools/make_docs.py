"""Write every page that is generated, or with --check say which are out of date: ``python -m tools.make_docs``."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run every maker of a page with the same arguments; exit 1 where one fails."""
    makers = sorted(path.stem for path in HERE.glob("make_docs_*.py"))
    failed = [name for name in makers if subprocess.run([sys.executable, "-m", f"tools.{name}", *sys.argv[1:]], check=False).returncode]
    print(f"{len(makers) - len(failed)} of {len(makers)} pages {'are current' if '--check' in sys.argv else 'written'}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
