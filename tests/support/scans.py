"""Scans one after the other, each in a process that is ready to be killed at any moment.

Run as ``python -m tests.support.scans FLEET_FILE``: for each store named on a line of its input it forks a process that scans into
it, and writes the process's id on one line, and how it ended on the next. Everything is imported before: a kill hits the scan.
"""

import os
import sys
from pathlib import Path

from auditor.fleet import scan as scanning
from auditor.fleet import writer
from auditor.fleet.file import read_fleet
from auditor.fleet.one import ScanRules
from auditor.fleet.store import Store

RULES = ScanRules(targets=("h100-sxm/vllm-cuda", "trainium2/neuron-vllm"), today="2026-11-22", version="test")


def main() -> None:
    # Small batches and many transactions: as many moments to be killed in as a disk that must sync each of them allows.
    scanning.BATCH = 8
    writer._EVERY = 0.1
    models = read_fleet(Path(sys.argv[1])).models
    context = RULES.load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            with Store(Path(line.strip())) as store:
                scanning.scan(models, store, context)
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
