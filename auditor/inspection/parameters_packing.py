"""How many logical parameters a stored tensor holds: packed weights unpacked, quantization metadata none.

A packing is recognised by the tensor's own name and type and by what is stored beside it (its *siblings*), so that a table
of headers is enough; the quantization config only helps where two packings look alike.

Formats: GPTQ and AWQ ``qweight`` (int32, 32/bits per element), compressed-tensors ``weight_packed``, NVFP4 and MXFP4 ``weight``
(uint8, two per byte) with a ``weight_scale``, gpt-oss ``*_blocks``, DeepSeek-V4 int8 pairs with a ``scale`` per 32, bitsandbytes
uint8 pairs with ``absmax``, MLX uint32 with ``scales`` and ``biases``, HQQ ``W_q``, AQLM ``codes``, EXL2 ``q_weight``, EXL3 ``trellis``,
torchao ``_weight_qdata``, quanto ``_data``.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """One kind of tensor."""

    dtype: str
    shape: Shape

    @property
    def width(self) -> int:
        """Last extent; 0 for a scalar."""
        return self.shape[-1] if self.shape else 0


class Siblings:
    """What is stored under which name, by name pattern; failing that by the name without numbers.

    Matrices that differ in a number only (``w1``, ``w3``) may stand for each other: they have the same shape.
    """

    def __init__(self) -> None:
        self._by_pattern: dict[str, Stored] = {}
        self._by_words: dict[str, Stored] = {}

    def add(self, pattern: str, stored: Stored) -> None:
        """Add one kind of tensor; the first under a pattern stays."""
        self._by_pattern.setdefault(pattern, stored)
        self._by_words.setdefault(_words(pattern), stored)

    def get(self, pattern: str) -> Stored | None:
        """Return what is stored under ``pattern``."""
        return self._by_pattern.get(pattern) or self._by_words.get(_words(pattern))

    def __contains__(self, pattern: str) -> bool:
        return pattern in self._by_pattern or _words(pattern) in self._by_words


_NUMBERS = {ord(digit): None for digit in "0123456789#"}


def _words(pattern: str) -> str:
    return pattern.translate(_NUMBERS)


#: Names that only ever describe other tensors.
_METADATA = re.compile(
    r"qzeros|g_idx|weight_scale|weight_scale_inv|weight_scale_2|weight_global_scale|input_scale|input_scale_inv"
    r"|input_global_scale|weight_zero_point|input_zero_point|weight_g_idx|weight_shape|activation_scale|act_scale|k_scale"
    r"|v_scale|q_scale|kv_scale|prob_scale|output_scale|weight_offset|input_offset|deq_scale|quant_bias|SCB|weight_format"
    r"|absmax|quant_map|nested_absmax|nested_quant_map|codebooks|q_scale_max|q_groups|q_group_map|q_invperm|q_perm|suh|svh"
    r"|mcg|mul1|weight_scales|_weight_scale|_weight_zero_point|_scale|_zeropoint|zero_point|scale_inv|act_scales"
    r"|weight_scale_second|quant_meta|bitsandbytes__nf4|bitsandbytes__fp4|workspace|perm|gate_up_proj_scale"
    r"|gate_up_proj_scale_inv|down_proj_scale|down_proj_scale_inv|clip_ratio|left_trans|right_trans|forward_hadamard_matrix"
    r"|backward_hadamard_matrix|dqweight|channel_scale|group_size|bits|nbits"
)
#: Names that describe other tensors when what they describe stands beside them: name -> endings of the sibling.
_METADATA_BESIDE = {
    "scale": ("weight", "W_q"),
    "scales": ("qweight", "weight", "codes", "trellis"),
    "biases": ("scales",),
    "zero": ("W_q",),
    "zeros": ("qweight", "weight", "W_q"),
    "shape": ("W_q",),
    "meta": ("W_q",),
    "su": ("trellis",),
    "sv": ("trellis",),
    "bias_correction": ("W_q",),
}
_METADATA_SUFFIX = re.compile(r"(.+?)_(?:weight_|input_|)?(?:scale|scales|scale_inv|scale_2|zero_point|global_scale|absmax|quant_map)$")


def is_metadata(pattern: str, siblings: Siblings) -> bool:
    """Return whether a tensor only describes another: scales, zero points, permutations, code books."""
    stem, _, leaf = pattern.rpartition(".")
    if _METADATA.fullmatch(leaf):
        return True
    if ".quant_state." in pattern or leaf.startswith("bitsandbytes__"):
        return True
    if leaf in _METADATA_BESIDE:
        return any(f"{stem}.{other}" in siblings for other in _METADATA_BESIDE[leaf])
    match = _METADATA_SUFFIX.fullmatch(leaf)
    if match is None:
        return False
    return any(f"{stem}.{match[1]}{ending}".lstrip(".") in siblings for ending in ("", "_blocks", "_packed", ".weight"))


def unpacked(pattern: str, stored: Stored, siblings: Siblings, bits: float | None, group_size: int | None) -> int:
    """Return the logical parameters in one tensor; ``bits`` and ``group_size`` as the quantization config states them.

    Metadata counts nothing, and so does a plain integer tensor that is no packing that we know: tables and indices are no parameters.
    """
    if is_metadata(pattern, siblings):
        return 0
    elements = math.prod(stored.shape)
    ratio = _ratio(pattern, stored, siblings, bits, group_size)
    if ratio is not None:
        return int(elements * ratio)
    stem, _, leaf = pattern.rpartition(".")
    if leaf == "q_weight":
        return _exl2(stem, siblings)
    if leaf == "trellis" and len(stored.shape) == 3:
        return stored.shape[0] * stored.shape[1] * 256  # tiles of 16 by 16
    if stored.dtype in _INTEGERS:
        quantized = stored.dtype == "int8" and leaf in {"weight", "gate_up_proj", "down_proj"}
        return elements if quantized else 0
    return elements


_INTEGERS = frozenset({"bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"})


def _ratio(pattern: str, stored: Stored, siblings: Siblings, bits: float | None, group_size: int | None) -> Fraction | None:
    """Return logical parameters per stored element; None where the tensor is not packed in such a way."""
    stem, _, leaf = pattern.rpartition(".")
    beside = f"{stem}." if stem else ""
    by_bits = Fraction(32) / Fraction(bits).limit_denominator(64) if bits else Fraction(8)
    scale = siblings.get(f"{beside}weight_scale")
    match leaf:
        case "qweight":
            zeros, scales = siblings.get(f"{beside}qzeros"), siblings.get(f"{beside}scales")
            if zeros is not None and scales is not None and zeros.width and zeros.dtype == "int32":
                return Fraction(scales.width, zeros.width)
            return by_bits if stored.dtype in {"int32", "uint32"} else Fraction(2) if stored.dtype == "uint8" else Fraction(1)
        case "weight_packed":
            return by_bits if stored.dtype == "int32" else Fraction(2)
        case "W_q":
            word = Fraction(8) if stored.dtype == "uint8" else Fraction(32)
            return word / Fraction(bits or 4)
        case "codes":
            # additive quantization: the last axis holds one code per code book, each for a group of eight weights
            return Fraction(group_size if group_size and group_size > 0 else 8, stored.width or 1)
        case "_weight_qdata" | "_data":
            return Fraction(8) / Fraction(bits) if bits and stored.dtype == "uint8" else Fraction(1)
    if leaf.endswith("_blocks") and stored.dtype == "uint8":
        return Fraction(2)
    scales = siblings.get(f"{beside}scales")
    if stored.dtype == "uint32" and scales is not None and stored.width:
        return Fraction(scales.width * (group_size if group_size and group_size > 0 else 64), stored.width)
    if stored.dtype in {"uint8", "int8"}:
        plain = siblings.get(f"{beside}scale")
        if plain is not None and plain.dtype == "float8_e8m0fnu" and stored.width:
            return Fraction(plain.width * 32, stored.width)
    if stored.dtype == "uint8":
        pairs = (f"{pattern}.absmax", f"{pattern}.quant_map", f"{pattern}_scale", f"{pattern}_weight_scale")
        if scale is not None or any(name in siblings for name in pairs):
            return Fraction(2)
    return None


def _exl2(stem: str, siblings: Siblings) -> int:
    """EXL2 mixes widths in one matrix; its permutation has one entry per row and its 4-bit scales one per column."""
    rows = siblings.get(f"{stem}.q_invperm") or siblings.get(f"{stem}.q_perm")
    columns = siblings.get(f"{stem}.q_scale")
    if rows is None or columns is None:
        return 0
    return math.prod(rows.shape) * columns.width * 8
