"""The command that starts a placement, from the stack's template.

A template is text with ``{placeholders}``. A part in square brackets is left out where every placeholder in it stands
at its default: ``vllm serve {model}[ --tensor-parallel-size {tensor_parallel}][ --enable-expert-parallel{expert_parallel?}]``;
one with a question mark only decides, and prints nothing.
"""

import re
from collections.abc import Mapping

_OPTIONAL = re.compile(r"\[([^\[\]{}]*(?:\{[a-z_]+\??\}[^\[\]{}]*)+)\]")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)(\??)\}")
#: Every placeholder that a template may use.
PLACEHOLDERS = (
    "model",
    "devices",
    "tensor_parallel",
    "pipeline_parallel",
    "expert_parallel",
    "data_parallel",
    "groups",
    "group_ranks",
    "context",
    "total_context",
    "concurrency",
    "memory_fraction",
    "kv_dtype",
    "step_tokens",
    "step_sequences",
    "lora_adapters",
    "lora_rank",
)


def command(template: str, values: Mapping[str, str], defaults: Mapping[str, str]) -> str:
    """Return the command; empty for an empty template.

    ``defaults`` are the values at which an optional part says nothing. Raises KeyError for a placeholder that is not
    in ``PLACEHOLDERS``: a mistake in a stack's file.
    """

    def optional(match: re.Match[str]) -> str:
        names = [name for name, _ in _PLACEHOLDER.findall(match[1])]
        return "" if all(values[name] == defaults.get(name) for name in names) else match[1]

    filled = _OPTIONAL.sub(optional, template)
    return _PLACEHOLDER.sub(lambda match: "" if match[2] else values[match[1]], filled).strip()
