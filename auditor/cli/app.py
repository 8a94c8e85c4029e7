"""The command line with every command whole, for tests and for the pages that are made from it."""

from auditor.cli.registry import build

app = build()
