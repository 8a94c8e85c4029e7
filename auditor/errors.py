"""Every error that a user can meet.

AuditorError                 a sentence for the user, and a hint
├── TargetError              this model cannot be read; the audit of the others goes on
│   ├── NotFound             no such folder, file, repo or revision
│   ├── AccessDenied         private, gated, or no token
│   ├── Unreachable          no network, a dead or slow server
│   └── Malformed            a file that is there and cannot be what it says
├── CatalogError             a rule or catalogue file, at file:line:column; stops the run
├── WorkloadError            a workload or option that makes no sense
├── ConfigError              a configuration file that makes no sense, or an exception that has expired
└── ReportError              the report cannot be written
"""


class AuditorError(Exception):
    """One sentence that names what is wrong and, in ``hint``, what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the one line that a user sees."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class TargetError(AuditorError):
    """A model that cannot be read."""


class NotFound(TargetError):
    """No such folder, file, repository or revision."""


class AccessDenied(TargetError):
    """The model exists and may not be read with the credentials at hand."""


class Unreachable(TargetError):
    """The place where the model lies does not answer; ``wait`` is the seconds for which it asks to be left alone."""

    def __init__(self, message: str, hint: str = "", *, wait: float = 0.0) -> None:
        super().__init__(message, hint)
        self.wait = wait


class Malformed(TargetError):
    """A file that is there and cannot be what it claims to be; ``path`` and ``line`` where the fault is at one of its lines."""

    def __init__(self, message: str, hint: str = "", *, path: str = "", line: int = 0) -> None:
        super().__init__(message, hint)
        self.path = path
        self.line = line


class CatalogError(AuditorError):
    """A rule or catalogue file that does not load. The run stops: checking less than promised is worse than stopping."""


class WorkloadError(AuditorError):
    """A workload or an option that makes no sense."""


class ConfigError(AuditorError):
    """A configuration that makes no sense, or one whose exceptions have expired."""


class ReportError(AuditorError):
    """The report cannot be written."""
