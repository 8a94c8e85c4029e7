"""What a tensor table alone says of an architecture: widths of the embedding, numbers of layers and experts. No config, no guess."""

import re
from collections.abc import Iterable

from auditor.facts import Basis, Known
from auditor.snapshot import Snapshot, Tensor

_EMBEDDING = re.compile(r"(^|\.)(embed_tokens|wte|word_embeddings|tok_embeddings|embed_in|embeddings)\.weight$|^token_embd\.weight$")
_LAYER = re.compile(r"(?:^|\.)(?:layers|layer|h|blocks|block|blk)\.(\d+)\.")
_EXPERT = re.compile(r"\.experts\.(\d+)\.")


def header_facts(snapshot: Snapshot) -> dict[str, Known]:
    """Return the ``arch.*`` and ``moe.*`` facts of a snapshot without a config; none, where no tensor table was read.

    Layers are counted only where they are numbered from 0 without a gap, in one stack.
    """
    tensors = [tensor for group in snapshot.weights for file in group.files for tensor in file.tensors or ()]
    facts: dict[str, Known] = {}
    for tensor in tensors:
        if _EMBEDDING.search(tensor.name) and len(tensor.shape) == 2:
            facts["arch.vocab_size"] = Known(tensor.shape[0], Basis.HEADER)
            facts["arch.hidden_size"] = Known(tensor.shape[1], Basis.HEADER)
            break
    stacks = {tensor.name[: match.start(1)] for tensor in tensors if (match := _LAYER.search(tensor.name))}
    layers = _numbered(tensors, _LAYER)
    if layers is not None and len(stacks) == 1:
        facts["arch.layers"] = Known(layers, Basis.HEADER)
    experts = _numbered(tensors, _EXPERT)
    if experts is not None:
        facts["moe.experts"] = Known(experts, Basis.HEADER)
    return facts


def _numbered(tensors: Iterable[Tensor], pattern: re.Pattern[str]) -> int | None:
    numbers = {int(match[1]) for tensor in tensors if (match := pattern.search(tensor.name))}
    return len(numbers) if numbers and max(numbers) == len(numbers) - 1 else None
