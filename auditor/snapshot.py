"""A model's files at one revision: names, sizes, and the bytes that were needed (JSON documents and weight headers).

A snapshot is what every source gives and all that inspection ever sees. It holds no weights and no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any  # a parsed JSON document: the model's own, so its shape is not ours to promise


@dataclass(frozen=True, slots=True)
class Tensor:
    """One row of a weight file's tensor table."""

    name: str
    dtype: str
    """As PyTorch spells it, or as ggml does for block types; ``unknown:X`` for a type nobody taught us."""
    shape: tuple[int, ...]
    nbytes: int
    """Bytes of the stored tensor, from the header."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the repository."""

    path: str
    """Relative to the model's root, with forward slashes."""
    size: int | None
    """Bytes of the real file (of the object a git-LFS pointer points to), or None where the source cannot tell."""
    pointer: bool = False
    """True for a git-LFS pointer whose content is not here."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One weight file that would be loaded."""

    path: str
    size: int | None
    tensors: tuple[Tensor, ...] | None
    """The tensor table, or None when the header could not be had; ``why`` then says why."""
    why: str = ""
    imports: tuple[str, ...] = ()
    """What unpickling the file would import beyond the needs of a state dict; always empty for formats that are not pickles."""


@dataclass(frozen=True, slots=True)
class WeightSet:
    """The files of one component, in one format and one variant: what a stack would load together."""

    component: str
    """Empty for a plain model; ``unet``, ``text_encoder``, … for a pipeline."""
    format: str
    """``safetensors``, ``gguf``, ``pytorch``, ``tensorflow``, ``flax``, ``onnx``, ``mlx``, ``consolidated``."""
    variant: str
    """Empty for the default; ``fp16``, ``original``, ``Q4_K_M``, …"""
    files: tuple[WeightFile, ...]
    index_total: int | None = None
    """``metadata.total_size`` of the index, when there is one."""


@dataclass(frozen=True, slots=True)
class CodeFile:
    """What a Python or CUDA file of the repository contains, read from its syntax tree and never run."""

    path: str
    imports: tuple[str, ...]
    classes: tuple[str, ...]
    kernels: tuple[str, ...]
    """Names of Triton functions and CUDA kernels defined in the file."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the files that does not stop the inspection: a missing shard, a total that disagrees."""

    path: str
    message: str
    fatal: bool = False
    """True when facts are missing because of it: the model counts as incompletely inspected (exit code 1)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A model at one revision. ``documents`` maps a path to its parsed JSON (or a GGUF file's metadata)."""

    id: str
    revision: str | None
    source: str
    """Kind of source: ``folder config safetensors gguf snapshot hub cache lfs object-store``."""
    files: tuple[FileEntry, ...]
    documents: Mapping[str, Json]
    weights: tuple[WeightSet, ...] = ()
    not_loaded: tuple[WeightSet, ...] = ()
    """Other formats and variants in the same repository: named and sized, their headers not read."""
    code: tuple[CodeFile, ...] = ()
    problems: tuple[Problem, ...] = ()
    card: Mapping[str, Json] = field(default_factory=dict)
    """What the model card's front matter or the Hub says: ``license``, ``gated``, ``pipeline_tag``, ``base_model``."""
    origin: str = ""
    """How a stored tensor table was made (``read from headers`` when empty)."""
    headers_read: bool = True
    """False when headers were left unread on request (``--fast``)."""
