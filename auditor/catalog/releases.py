"""A stack as one of its earlier releases: how it divided memory then."""

from dataclasses import replace

from auditor.catalog.model import Stack
from auditor.errors import WorkloadError


def at_release(stack: Stack, release: str) -> Stack:
    """Return ``stack`` with the division of memory of ``release`` (``0.11``, ``0.10.1``); its support lists stay those of today.

    Raises WorkloadError for a text that is no version, and for a stack whose file keeps no history.
    """
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - only for who asks for a release

    try:
        asked = Version(release)
    except InvalidVersion:
        raise WorkloadError(f"'{release}' is no release of {stack.name}", "write its number, such as 0.11.2") from None
    if stack.memory is None or not stack.releases:
        raise WorkloadError(
            f"no earlier releases of {stack.name} are known", f"leave @{release} out: the figures are those of {stack.version}"
        )
    older = [one for one in stack.releases if asked < Version(one.before)]
    values = {name: value for one in older for name, value in one.memory.items()}
    figures = {name: figure for one in older for name, figure in one.figures.items()}
    return replace(stack, memory=replace(stack.memory, **values), figures={**stack.figures, **figures}, release=release)
