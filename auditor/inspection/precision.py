"""How the weights are stored: ``quant.*`` facts from the quantization config, and from the tensors where there is none."""

from collections.abc import Mapping
from dataclasses import replace

from auditor.facts import Basis, Known, Unknown
from auditor.inspection.model import Origin
from auditor.inspection.parameters_from_tensors import Group, Tally
from auditor.inspection.precision_methods import Quantization, read_block, read_mlx, read_modelopt
from auditor.snapshot import Snapshot

Fact = Known | Unknown
_UNQUANTIZED = Quantization("none")
#: File names that hold a quantization config beside ``config.json``, by tool.
_BESIDE = {"hf_quant_config.json": read_modelopt}
_OLD = {"quantize_config.json": "gptq", "quant_config.json": "awq", "quant_log.json": ""}


def read_quantization(snapshot: Snapshot) -> tuple[Quantization, Basis, Origin] | None:
    """Return what the documents say of quantization, and where; None when they say nothing.

    Order: ``quantization_config`` (also of a nested text config), ``compression_config``, MLX's ``quantization``, then the files
    that tools write beside the config. A GGUF file says it by its format.
    """
    packed = next((group for group in snapshot.weights if group.format == "gguf"), None)
    if packed is not None:
        return Quantization("gguf"), Basis.HEADER, Origin(packed.files[0].path)
    config = snapshot.documents.get("config.json")
    if isinstance(config, Mapping):
        for part in ("", "text_config", "llm_config", "language_config"):
            holder = config.get(part) if part else config
            if not isinstance(holder, Mapping):
                continue
            for key in ("quantization_config", "compression_config"):
                block = holder.get(key)
                if isinstance(block, Mapping) and block:
                    origin = Origin("config.json", (part, key) if part else (key,))
                    return _of_experts(_completed(read_block(block), snapshot), config), Basis.CONFIG, origin
        block = config.get("quantization")
        if isinstance(block, Mapping) and "bits" in block:
            return read_mlx(block), Basis.CONFIG, Origin("config.json", ("quantization",))
    for name, reader in _BESIDE.items():
        document = snapshot.documents.get(name)
        if isinstance(document, Mapping):
            return reader(document), Basis.CONFIG, Origin(name)
    for name, method in _OLD.items():
        document = snapshot.documents.get(name)
        if isinstance(document, Mapping) and method:
            return read_block({**document, "quant_method": method}), Basis.CONFIG, Origin(name)
    for path, document in snapshot.documents.items():
        block = document.get("quantization_config") if path.endswith("/config.json") and isinstance(document, Mapping) else None
        if isinstance(block, Mapping) and block:
            return read_block(block), Basis.CONFIG, Origin(path, ("quantization_config",))
    return None


def _of_experts(stated: Quantization, config: Mapping[str, object]) -> Quantization:
    """Return ``stated`` with the type of the experts, most of the weights, where the config gives them another than its FP8 block."""
    if stated.method == "fp8" and config.get("expert_dtype") == "fp4":
        return replace(stated, bits=4, weight_format="float4_e2m1", group_size=32)
    return stated


def _completed(stated: Quantization, snapshot: Snapshot) -> Quantization:
    """Return ``stated`` with what only ``hf_quant_config.json`` says: some exporters leave the cache scheme out of the config."""
    document = snapshot.documents.get("hf_quant_config.json")
    if not isinstance(document, Mapping):
        return stated
    beside = read_modelopt(document)
    return replace(
        stated,
        method=beside.method if stated.method == "other" else stated.method,
        bits=stated.bits if stated.bits is not None else beside.bits,
        weight_format=stated.weight_format or beside.weight_format,
        group_size=stated.group_size if stated.group_size is not None else beside.group_size,
        excluded=stated.excluded or beside.excluded,
        kv_scheme=stated.kv_scheme or beside.kv_scheme,
    )


def precision_facts(snapshot: Snapshot, tallies: Mapping[str, Tally]) -> dict[str, Fact]:
    """Return the ``quant.*`` facts. ``tallies`` are the tensor tables by component; empty where no header was read."""
    groups = [group for tally in tallies.values() for group in tally.groups]
    found = read_quantization(snapshot)
    if found is not None:
        stated, basis, _ = found
    elif groups:
        stated, basis = _from_tensors(groups)
    elif any(isinstance(document, Mapping) for document in snapshot.documents.values()):
        stated, basis = _UNQUANTIZED, Basis.CONFIG
    else:
        return {"quant.method": Unknown("neither a config nor a tensor table says how weights are stored", ("config.json",))}
    stated = _narrowed(stated, groups)
    facts: dict[str, Fact] = {"quant.method": Known(stated.method, basis)}
    if stated.method == "none":
        return facts
    values = {
        "quant.bits": stated.bits,
        "quant.activation_bits": stated.activation_bits,
        "quant.activation_scheme": stated.activation_scheme,
        "quant.group_size": stated.group_size,
        "quant.weight_format": stated.weight_format,
        "quant.kv_scheme": stated.kv_scheme,
    }
    facts |= {name: Known(value, basis) for name, value in values.items() if value is not None}
    if stated.excluded:
        facts["quant.excluded_modules"] = Known(stated.excluded, basis)
    if "quant.bits" not in facts:
        facts["quant.bits"] = Unknown("the quantization config does not state the width and no tensor table shows it", ("headers",))
    if "quant.kv_scheme" not in facts and any(group.pattern.rpartition(".")[2] in {"k_scale", "kv_scale"} for group in groups):
        facts["quant.kv_scheme"] = Known("float8_e4m3fn", Basis.HEADER)
    return facts


def _narrowed(stated: Quantization, groups: list[Group]) -> Quantization:
    """Return ``stated`` corrected by the tensors: GGUF types, and experts stored narrower than the config's overall width."""
    if not groups:
        return stated
    packed = [group for group in groups if group.parameters and len(group.shape) > 1]
    total = sum(group.parameters for group in packed)
    if stated.method == "gguf" and total:
        by_type: dict[str, int] = {}
        for group in packed:
            by_type[group.dtype] = by_type.get(group.dtype, 0) + group.parameters
        main = max(by_type, key=by_type.__getitem__)
        held = [group for group in packed if group.dtype == main]
        bits = sum(group.nbytes for group in held) * 8 / by_type[main]
        return replace(stated, bits=round(bits, 4), weight_format=main)
    if stated.method == "fp8" and total:
        pairs = sum(group.parameters for group in packed if group.dtype in {"int8", "uint8"} and group.nbytes * 8 == group.parameters * 4)
        if pairs * 2 > total:
            return replace(stated, bits=4, weight_format="float4_e2m1", group_size=32)
    return stated


def _from_tensors(groups: list[Group]) -> tuple[Quantization, Basis]:
    """Return what the tensor names and types give away where no config says it."""
    leaves = {group.pattern.rpartition(".")[2] for group in groups}
    dtypes = {group.dtype for group in groups if group.parameters}
    if "qweight" in leaves and "g_idx" in leaves:
        result = Quantization("gptq")
    elif "qweight" in leaves:
        result = Quantization("other")
    elif {"absmax", "SCB"} & leaves:
        bits = 4 if "absmax" in leaves else 8
        result = Quantization("bitsandbytes", bits, weight_format="nf4" if bits == 4 else "int8")
    elif any(leaf.endswith("_blocks") for leaf in leaves) and any(leaf.endswith("_scales") for leaf in leaves):
        result = Quantization("mxfp4", 4, group_size=32, weight_format="float4_e2m1")
    elif "weight_packed" in leaves:
        result = Quantization("compressed-tensors")
    elif "weight_scale_2" in leaves:
        result = Quantization("nvfp4", 4, group_size=16, weight_format="float4_e2m1")
    elif "trellis" in leaves:
        result = Quantization("exl3")
    elif "q_weight" in leaves:
        result = Quantization("exl2")
    elif any(dtype.startswith("float8_e") for dtype in dtypes):
        stored = "float8_e5m2" if "float8_e5m2" in dtypes else "float8_e4m3fn"
        result = Quantization("fp8", 8, weight_format=stored)
    else:
        result = _UNQUANTIZED
    return result, Basis.HEADER
