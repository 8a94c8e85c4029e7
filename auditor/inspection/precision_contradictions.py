"""Statements of a model's files that disagree: config against tensors, index against headers, a matrix stored twice."""

from collections.abc import Mapping
from typing import NamedTuple

from auditor.inspection.anatomy import Anatomy
from auditor.inspection.parameters_from_tensors import Tally
from auditor.inspection.parameters_roles import Role
from auditor.inspection.precision import read_quantization
from auditor.snapshot import Snapshot
from auditor.units import canonical_dtype

_PLAIN = frozenset({"bfloat16", "float16", "float32", "float64"})


class Contradiction(NamedTuple):
    """One disagreement."""

    about: str
    """The fact that the two statements disagree on."""
    sentence: str


def contradictions(snapshot: Snapshot, anatomy: Anatomy | None, tallies: Mapping[str, Tally], method: str) -> list[Contradiction]:
    """Return every disagreement of a model's files; none where there is nothing to compare."""
    found: list[Contradiction] = []
    for component, tally in tallies.items():
        where = f"{component}: " if component else ""
        found += [Contradiction(about, where + line) for about, line in _of_component(snapshot, component, tally)]
    main = tallies.get("")
    if main is not None:
        found += _dtype(snapshot, main, method)
        found += _quantization(main, method, stated=read_quantization(snapshot) is not None)
        found += _tied(main)
        found += _layers(anatomy, main)
    return found


def _of_component(snapshot: Snapshot, component: str, tally: Tally) -> list[Contradiction]:
    found: list[Contradiction] = []
    weights = next(group for group in snapshot.weights if group.component == component)
    stored = tally.nbytes()
    # Some indices leave the total out and write zero.
    if weights.index_total and weights.index_total != stored:
        difference = stored - weights.index_total
        line = (
            f"the index states {weights.index_total} bytes and the headers add up to {stored} ({difference:+d}){_reason(tally, difference)}"
        )
        found.append(Contradiction("weights.bytes", line))
    sizes = [file.size for file in weights.files]
    if weights.format == "safetensors" and None not in sizes:
        # A header takes some 100 bytes per tensor; what is beyond a generous allowance holds something that no header names.
        beyond = sum(size or 0 for size in sizes) - stored
        if beyond < 0 or beyond > 1000 * tally.tensors + (len(sizes) << 20):
            found.append(Contradiction("weights.files", f"the files hold {beyond:+d} bytes beyond their tensors"))
    if tally.repeated:
        line = f"{len(tally.repeated)} tensors stand in more than one file, the first being {tally.repeated[0]}"
        found.append(Contradiction("weights.files", line))
    return found


def _reason(tally: Tally, difference: int) -> str:
    """Name a difference that equals a part of the model."""
    parts = {"the tied head": sum(group.nbytes for group in tally.tied_copies), "the MTP layers": tally.nbytes(Role.MTP)}
    for name, nbytes in parts.items():
        if nbytes and abs(difference) == nbytes:
            return f": {name}"
    return ""


def _dtype(snapshot: Snapshot, tally: Tally, method: str) -> list[Contradiction]:
    config = snapshot.documents.get("config.json")
    if not isinstance(config, Mapping) or method != "none":
        return []
    stated = config.get("torch_dtype") or config.get("dtype")
    stated = canonical_dtype(stated) if isinstance(stated, str) else None
    main = max(tally.bytes_by_dtype, key=tally.bytes_by_dtype.__getitem__, default=None)
    if stated in _PLAIN and main in _PLAIN and stated != main:
        return [Contradiction("arch.dtype", f"the config states {stated} and most tensors are {main}")]
    return []


#: What tensors of a method are called, by the end of the name; a method without such names is not checked.
_MARKS = {
    "gptq": ("qweight",),
    "awq": ("qweight",),
    "fp8": ("weight_scale_inv", "weight_scale", "scale", "scale_inv"),
    "mxfp4": ("_blocks",),
    "nvfp4": ("weight_scale_2", "weight_global_scale", "weight_scale", "_scale"),
    "compressed-tensors": ("weight_packed", "weight_scale"),
    "modelopt-fp8": ("weight_scale",),
    "mlx": ("scales",),
}


def _quantization(tally: Tally, method: str, *, stated: bool) -> list[Contradiction]:
    leaves = {group.pattern.rpartition(".")[2] for group in tally.groups}
    marks = _MARKS.get(method) if stated else None
    if marks is not None and not any(leaf.endswith(marks) for leaf in leaves):
        return [Contradiction("quant.method", f"the config says {method} and no tensor is named like it ({', '.join(marks)})")]
    if method == "none" and "qweight" in leaves:
        return [Contradiction("quant.method", "the tensors are packed integers and no config says how they are quantized")]
    return []


def _tied(tally: Tally) -> list[Contradiction]:
    nbytes = sum(group.nbytes for group in tally.tied_copies)
    line = f"input embedding and output head are tied and stored twice ({nbytes} bytes)"
    return [Contradiction("arch.tied_embeddings", line)] if nbytes else []


def _layers(anatomy: Anatomy | None, tally: Tally) -> list[Contradiction]:
    """Say when the config announces MTP layers that the files leave out, or the files hold some that it does not announce."""
    if anatomy is None or not anatomy.layers:
        return []
    stored = tally.nbytes(Role.MTP)
    if anatomy.mtp_layers and not stored:
        return [Contradiction("params.mtp", f"the config announces {anatomy.mtp_layers} MTP layers and none is stored")]
    return []
