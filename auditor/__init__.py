"""Audits which accelerators a model runs on, on how many devices, how fast, at what price, and what a migration would take."""

__version__: str


def __getattr__(name: str) -> str:
    # Reading the installed version costs 60 ms, more than everything else that `auditor --help` does: only when asked.
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            return version("auditor")
        except PackageNotFoundError:  # a plain checkout on the path, never installed
            return "0+checkout"
    message = f"module 'auditor' has no attribute {name!r}"
    raise AttributeError(message)
