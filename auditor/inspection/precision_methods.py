"""One reader per way of writing a quantization down; each turns the publisher's JSON into a ``Quantization``.

``READERS`` is the place to add one: the name that stands in ``quant_method`` and the function that reads its block.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.units import canonical_dtype

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quantization:
    """How the linear weights are stored. ``None`` where the publisher does not say or it does not apply."""

    method: str
    bits: float | None = None
    activation_bits: int | None = None
    activation_scheme: str | None = None
    group_size: int | None = None
    """Weights that share a scale along the input; -1 for a whole channel."""
    weight_format: str | None = None
    excluded: tuple[str, ...] = ()
    kv_scheme: str | None = None


def read_block(block: Block) -> Quantization:
    """Return what a ``quantization_config`` says, whatever its method."""
    name = block.get("quant_method")
    if not isinstance(name, str):
        name = "modelopt" if "quant_algo" in block else "bitsandbytes" if _bitsandbytes_flags(block) else ""
    return READERS.get(name.lower().replace("_", "-"), _other)(block)


def read_modelopt(document: Block) -> Quantization:
    """Return what a ``hf_quant_config.json`` says."""
    inner = document.get("quantization")
    return _modelopt(inner if isinstance(inner, Mapping) else document)


def read_mlx(block: Block) -> Quantization:
    """Return what an MLX ``quantization`` block says."""
    bits = _number(block.get("bits"))
    mode = block.get("mode")
    stored = "float4_e2m1" if mode in {"mxfp4", "nvfp4"} else _integer_format(bits)
    return Quantization("mlx", bits, group_size=_integer(block.get("group_size")), weight_format=stored)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 64:
        return None
    return value


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and (value > 0 or value == -1) else None


def _strings(*values: Any) -> tuple[str, ...]:
    """Return the first of ``values`` that is a list of module names."""
    for value in values:
        if isinstance(value, list) and value:
            return tuple(item for item in value if isinstance(item, str))
    return ()


def _integer_format(bits: float | None) -> str | None:
    return f"int{int(bits)}" if bits is not None and bits == int(bits) else None


def _int_groups(method: str) -> Callable[[Block], Quantization]:
    """Return a reader for weight-only integer groups: ``bits``, ``group_size``."""

    def read(block: Block) -> Quantization:
        bits = _number(block.get("bits", block.get("w_bit")))
        group = _integer(block.get("group_size", block.get("q_group_size")))
        excluded = _strings(block.get("modules_to_not_convert"), block.get("modules_in_block_to_quantize_not"))
        return Quantization(method, bits, group_size=group, weight_format=_integer_format(bits), excluded=excluded)

    return read


def _bitsandbytes_flags(block: Block) -> bool:
    return bool(block.get("load_in_4bit") or block.get("_load_in_4bit") or block.get("load_in_8bit") or block.get("_load_in_8bit"))


def _bitsandbytes(block: Block) -> Quantization:
    excluded = _strings(block.get("llm_int8_skip_modules"))
    if block.get("load_in_4bit") or block.get("_load_in_4bit"):
        kind = block.get("bnb_4bit_quant_type")
        return Quantization("bitsandbytes", 4, group_size=64, weight_format=kind if isinstance(kind, str) else "fp4", excluded=excluded)
    return Quantization(
        "bitsandbytes", 8, activation_bits=8, activation_scheme="dynamic", group_size=-1, weight_format="int8", excluded=excluded
    )


def _fp8(block: Block) -> Quantization:
    scheme = block.get("activation_scheme")
    sizes = block.get("weight_block_size")
    stored = "float8_e5m2" if block.get("fmt") == "e5m2" else "float8_e4m3fn"
    result = Quantization(
        "fp8",
        8,
        activation_bits=8,
        activation_scheme=scheme if scheme in {"static", "dynamic"} else "dynamic",
        group_size=_integer(sizes[-1]) if isinstance(sizes, list) and sizes else None,
        weight_format=stored,
        excluded=_strings(block.get("modules_to_not_convert"), block.get("ignored_layers"), block.get("ignore")),
        kv_scheme=_kv_scheme(block.get("kv_cache_scheme", block.get("kv_cache_quant_algo"))),
    )
    # Some publishers write an fp8 block around experts in another type; the experts are most of the weights.
    algorithm = block.get("moe_quant_algo")
    if isinstance(algorithm, str):
        experts = _algorithm(algorithm)
        return replace(result, method=experts.method, bits=experts.bits, weight_format=experts.weight_format, group_size=experts.group_size)
    return result


def _fbgemm(block: Block) -> Quantization:
    return replace(_fp8(block), activation_scheme="dynamic", group_size=-1)


def _compressed_tensors(block: Block) -> Quantization:
    groups = [group for group in (block.get("config_groups") or {}).values() if isinstance(group, Mapping)]
    described = [group["weights"] for group in groups if isinstance(group.get("weights"), Mapping)]
    weights: Block = min(described, key=lambda one: _number(one.get("num_bits")) or 64, default={})
    group = next((one for one in groups if one.get("weights") is weights), {})
    bits = _number(weights.get("num_bits"))
    inputs = group.get("input_activations")
    inputs = inputs if isinstance(inputs, Mapping) else None
    strategy = weights.get("strategy")
    blocks = weights.get("block_structure")
    size = _integer(weights.get("group_size"))
    if size is None and isinstance(blocks, list) and blocks:
        size = _integer(blocks[-1])
    if size is None and strategy == "channel":
        size = -1
    return Quantization(
        "compressed-tensors",
        bits,
        activation_bits=_integer(inputs.get("num_bits")) if inputs else None,
        activation_scheme=("dynamic" if inputs.get("dynamic") in {True, "local"} else "static") if inputs else None,
        group_size=size,
        weight_format=_float_format(bits) if weights.get("type") == "float" else _integer_format(bits),
        excluded=_strings(block.get("ignore")),
        kv_scheme=_kv_scheme(block.get("kv_cache_scheme")),
    )


def _float_format(bits: float | None) -> str | None:
    return {4: "float4_e2m1", 6: "float6_e3m2", 8: "float8_e4m3fn"}.get(int(bits)) if bits else None


def _kv_scheme(value: Any) -> str | None:
    """Return the cache type that a scheme names: ``FP8``, ``{num_bits: 8, type: float}``; None for none."""
    if isinstance(value, str):
        name = value.lower()
        return {"fp8": "float8_e4m3fn", "nvfp4": "float4_e2m1", "int8": "int8"}.get(name) or canonical_dtype(name)
    if isinstance(value, Mapping):
        bits = _number(value.get("num_bits"))
        return _float_format(bits) if value.get("type") == "float" else _integer_format(bits)
    return None


#: ModelOpt algorithms: method, bits, activation bits, scheme, group size, stored type.
_ALGORITHMS: dict[str, Quantization] = {
    "FP8": Quantization("modelopt-fp8", 8, 8, "static", None, "float8_e4m3fn"),
    "FP8_PER_CHANNEL_PER_TOKEN": Quantization("modelopt-fp8", 8, 8, "dynamic", -1, "float8_e4m3fn"),
    "FP8_PB_WO": Quantization("modelopt-fp8", 8, None, None, 128, "float8_e4m3fn"),
    "NVFP4": Quantization("nvfp4", 4, 4, "static", 16, "float4_e2m1"),
    "NVFP4_AWQ": Quantization("nvfp4", 4, 4, "static", 16, "float4_e2m1"),
    "W4A16_NVFP4": Quantization("nvfp4", 4, None, None, 16, "float4_e2m1"),
    "W4A8_NVFP4_FP8": Quantization("nvfp4", 4, 8, "static", 16, "float4_e2m1"),
    "MXFP8": Quantization("mxfp8", 8, 8, "dynamic", 32, "float8_e4m3fn"),
    "MXFP4": Quantization("mxfp4", 4, None, None, 32, "float4_e2m1"),
    "W4A8_MXFP4_FP8": Quantization("mxfp4", 4, 8, "static", 32, "float4_e2m1"),
    "INT8_SQ": Quantization("other", 8, 8, "static", -1, "int8"),
    "W8A8_SQ_PER_CHANNEL": Quantization("other", 8, 8, "static", -1, "int8"),
    "W4A16_AWQ": Quantization("awq", 4, None, None, 128, "int4"),
    "W4A8_AWQ": Quantization("awq", 4, 8, "static", 128, "int4"),
    "W8A16": Quantization("other", 8, None, None, -1, "int8"),
}


def _algorithm(name: str) -> Quantization:
    return _ALGORITHMS.get(name.upper(), Quantization("other"))


def _modelopt(block: Block) -> Quantization:
    name = block.get("quant_algo")
    name = name if isinstance(name, str) else ""
    if name.upper() == "MIXED_PRECISION":
        layers = block.get("quantized_layers")
        used = [one.get("quant_algo") for one in layers.values() if isinstance(one, Mapping)] if isinstance(layers, Mapping) else []
        known = [_algorithm(one) for one in used if isinstance(one, str)]
        # The narrowest type is what experts and feed-forward layers, most of the weights, are stored in.
        result = min(known, key=lambda one: one.bits or 64, default=Quantization("other"))
    else:
        result = _algorithm(name)
    group = _integer(block.get("group_size"))
    return replace(
        result,
        group_size=group if group is not None else result.group_size,
        excluded=_strings(block.get("exclude_modules"), block.get("ignore")),
        kv_scheme=_kv_scheme(block.get("kv_cache_quant_algo") or block.get("kv_cache_scheme")),
    )


def _mxfp4(block: Block) -> Quantization:
    excluded = _strings(block.get("modules_to_not_convert"))
    return Quantization("mxfp4", 4, group_size=32, weight_format="float4_e2m1", excluded=excluded)


def _mxfp8(block: Block) -> Quantization:
    return replace(_algorithm("MXFP8"), excluded=_strings(block.get("modules_to_not_convert"), block.get("ignore")))


_QUARK_TYPES = {
    "fp4": ("float4_e2m1", 4),
    "fp6_e2m3": ("float6_e2m3", 6),
    "fp6_e3m2": ("float6_e3m2", 6),
    "fp8_e4m3": ("float8_e4m3fn", 8),
    "fp8_e5m2": ("float8_e5m2", 8),
    "int8": ("int8", 8),
    "uint8": ("uint8", 8),
    "int4": ("int4", 4),
    "uint4": ("uint4", 4),
}


def _quark(block: Block) -> Quantization:
    overall = block.get("global_quant_config")
    overall = overall if isinstance(overall, Mapping) else {}
    weight = overall.get("weight")
    weight = weight[0] if isinstance(weight, list) and weight else weight
    weight = weight if isinstance(weight, Mapping) else {}
    inputs = overall.get("input_tensors")
    inputs = inputs if isinstance(inputs, Mapping) else None
    stored, bits = _QUARK_TYPES.get(str(weight.get("dtype")), (None, None))
    _, activation_bits = _QUARK_TYPES.get(str(inputs.get("dtype")), (None, None)) if inputs else (None, None)
    group = _integer(weight.get("group_size"))
    if group is None and weight.get("qscheme") == "per_channel":
        group = -1
    return Quantization(
        "quark",
        bits,
        activation_bits=activation_bits,
        activation_scheme=("dynamic" if inputs.get("is_dynamic") else "static") if inputs else None,
        group_size=group,
        weight_format=stored,
        excluded=_strings(block.get("exclude")),
        kv_scheme=_quark_cache(block),
    )


def _quark_cache(block: Block) -> str | None:
    """Return the type of the outputs of the key projections, which is how this exporter writes a cache scheme."""
    layers = block.get("layer_quant_config")
    for name, layer in layers.items() if isinstance(layers, Mapping) else ():
        outputs = layer.get("output_tensors") if isinstance(layer, Mapping) else None
        if name.endswith("k_proj") and isinstance(outputs, Mapping):
            return _QUARK_TYPES.get(str(outputs.get("dtype")), (None, None))[0]
    return None


def _torchao(block: Block) -> Quantization:
    kind = block.get("quant_type")
    if isinstance(kind, Mapping):
        default = kind.get("default", kind)
        kind = default.get("_type", "") if isinstance(default, Mapping) else default
    name = str(kind).lower().replace("_", "")
    bits = next((width for word, width in (("int4", 4), ("int8", 8), ("float8", 8), ("fp8", 8), ("uint4", 4)) if word in name), None)
    activated = "dynamicactivation" in name or "dynactivation" in name
    stored = "float8_e4m3fn" if "float8" in name or "fp8" in name else _integer_format(bits)
    excluded = _strings(block.get("modules_to_not_convert"))
    activation = 8 if activated else None
    return Quantization(
        "torchao",
        bits,
        activation_bits=activation,
        activation_scheme="dynamic" if activated else None,
        weight_format=stored,
        excluded=excluded,
    )


def _aqlm(block: Block) -> Quantization:
    books, width = _number(block.get("num_codebooks")), _number(block.get("nbits_per_codebook"))
    group = _integer(block.get("in_group_size"))
    bits = books * width / group if books and width and group else None
    return Quantization("aqlm", bits, group_size=group, excluded=_strings(block.get("linear_weights_not_to_quantize")))


def _hqq(block: Block) -> Quantization:
    inner = block.get("quant_config")
    inner = inner.get("weight_quant_params", inner) if isinstance(inner, Mapping) else block
    bits = _number(inner.get("nbits")) if isinstance(inner, Mapping) else None
    group = _integer(inner.get("group_size")) if isinstance(inner, Mapping) else None
    return Quantization("hqq", bits, group_size=group, weight_format=_integer_format(bits), excluded=_strings(block.get("skip_modules")))


def _eetq(block: Block) -> Quantization:
    return Quantization("eetq", 8, group_size=-1, weight_format="int8", excluded=_strings(block.get("modules_to_not_convert")))


def _autoround(block: Block) -> Quantization:
    result = _int_groups("autoround")(block)
    stored = block.get("data_type")
    return replace(
        result, weight_format="float4_e2m1" if isinstance(stored, str) and "fp" in stored and result.bits == 4 else result.weight_format
    )


def _quanto(block: Block) -> Quantization:
    name = str(block.get("weights", ""))
    bits = {"float8": 8, "int8": 8, "int4": 4, "int2": 2}.get(name)
    return Quantization("other", bits, weight_format="float8_e4m3fn" if name == "float8" else _integer_format(bits))


def _other(block: Block) -> Quantization:
    bits = _number(block.get("bits"))
    return Quantization("other", bits, group_size=_integer(block.get("group_size")), excluded=_strings(block.get("modules_to_not_convert")))


READERS: dict[str, Callable[[Block], Quantization]] = {
    "gptq": _int_groups("gptq"),
    "gptq-marlin": _int_groups("gptq"),
    "awq": _int_groups("awq"),
    "awq-marlin": _int_groups("awq"),
    "bitsandbytes": _bitsandbytes,
    "bitsandbytes-4bit": _bitsandbytes,
    "bitsandbytes-8bit": _bitsandbytes,
    "fp8": _fp8,
    "fbgemm-fp8": _fbgemm,
    "compressed-tensors": _compressed_tensors,
    "modelopt": _modelopt,
    "modelopt-fp4": _modelopt,
    "mxfp4": _mxfp4,
    "mxfp8": _mxfp8,
    "quark": _quark,
    "torchao": _torchao,
    "aqlm": _aqlm,
    "hqq": _hqq,
    "eetq": _eetq,
    "auto-round": _autoround,
    "intel/auto-round": _autoround,
    "exl2": _int_groups("exl2"),
    "exl3": _int_groups("exl3"),
    "quanto": _quanto,
}
