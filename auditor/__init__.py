"""Audits which accelerators a model runs on, on how many devices, how fast, at what price, and what a migration would take."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("auditor")
except PackageNotFoundError:  # a plain checkout on the path, never installed
    __version__ = "0+checkout"
