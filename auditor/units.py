"""Bytes, data types and their sizes: one spelling of each.

Data types are spelled as PyTorch spells them (``bfloat16``, ``float8_e4m3fn``); GGUF block types as ggml does (``Q4_K``).
"""

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
GB = 10**9

#: Bits per element of every plain (unblocked) type.
DTYPE_BITS: dict[str, int] = {
    "bool": 8,
    "uint8": 8,
    "int8": 8,
    "uint16": 16,
    "int16": 16,
    "uint32": 32,
    "int32": 32,
    "uint64": 64,
    "int64": 64,
    "float16": 16,
    "bfloat16": 16,
    "float32": 32,
    "float64": 64,
    "complex64": 64,
    "float8_e4m3fn": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "float6_e2m3": 6,
    "float6_e3m2": 6,
    "float4_e2m1": 4,
    "int4": 4,
    "uint4": 4,
}

#: What people write for a type, and how it is spelled here.
_ALIASES: dict[str, str] = {
    "bf16": "bfloat16",
    "fp16": "float16",
    "f16": "float16",
    "half": "float16",
    "fp32": "float32",
    "f32": "float32",
    "float": "float32",
    "double": "float64",
    "fp8": "float8_e4m3fn",
    "fp8_e4m3": "float8_e4m3fn",
    "float8_e4m3": "float8_e4m3fn",
    "fp8_e5m2": "float8_e5m2",
    "fp4": "float4_e2m1",
}


def canonical_dtype(name: str) -> str | None:
    """Return the one spelling of a data type, or None when the name is not a type we know."""
    plain = name.removeprefix("torch.").lower()
    plain = _ALIASES.get(plain, plain)
    return plain if plain in DTYPE_BITS else None


def dtype_bytes(name: str) -> float:
    """Return bytes per element of a canonical type (0.5 for four bits). Raises KeyError for an unknown type."""
    return DTYPE_BITS[name] / 8


def human_bytes(count: float) -> str:
    """Return ``count`` bytes in the binary unit a reader would choose: ``14.96 GiB``."""
    for unit, size in (("TiB", 1 << 40), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if abs(count) >= size:
            value = count / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}" if value < 10 else f"{value:.1f} {unit}"
    return f"{count:.0f} B"


def human_count(count: float) -> str:
    """Return a parameter count the way people say it: ``8.03 B``, ``671 B``, ``1.04 T``."""
    for unit, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if abs(count) >= size:
            value = count / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}" if value >= 10 else f"{value:.2f} {unit}"
    return f"{count:.0f}"
