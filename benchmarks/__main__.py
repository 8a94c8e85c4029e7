"""Run every benchmark, or those named, and print one table."""

import importlib
import sys

from tabulate import tabulate

BENCHMARKS = ("startup", "catalogue", "hub", "fleet", "fleet_hub")


def main() -> int:
    """Print the table; exit 1 when a goal is missed."""
    rows = [row for name in sys.argv[1:] or BENCHMARKS for row in importlib.import_module(f"benchmarks.{name}").rows()]
    print(
        tabulate([(row.name, row.figure, row.goal, "yes" if row.met else "NO") for row in rows], headers=("what", "figure", "goal", "met"))
    )
    return 0 if all(row.met for row in rows) else 1


sys.exit(main())
