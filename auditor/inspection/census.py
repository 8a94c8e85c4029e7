"""The layer census, and the cache and attention facts that follow from it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.facts import Basis, Known, Unknown, Value
from auditor.inspection.anatomy import Anatomy, Layer, Mixer
from auditor.inspection.model import LayerGroup, LayerKind
from auditor.inspection.recurrences import COMPUTE, recurrence_named
from auditor.inspection.shape import HEADS, latent_rank
from auditor.inspection.tasks import ENCODER_TASKS
from auditor.units import DTYPE_BITS, canonical_dtype

Fact = Known | Unknown

#: Cache types of llama.cpp: bits per element with the scale of each block of 32 counted in.
_BLOCK_TYPES = {"q8_0": 8.5, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0, "q4_0": 4.5, "iq4_nl": 4.5}

Counted = list[tuple[Layer, int]]

_UNBOUNDED = (LayerKind.FULL, LayerKind.LATENT, LayerKind.INDEXER)
_BOUNDED = (LayerKind.WINDOW, LayerKind.CHUNK)
_ATTENDS = (LayerKind.FULL, LayerKind.LATENT)


@dataclass(frozen=True, slots=True)
class CacheType:
    """Type of the cache, and of states that follow the compute type."""

    dtype: str
    basis: Basis
    compute: str
    """16-bit type in which states without a type of their own are kept."""

    @property
    def bytes(self) -> float:
        """Bytes per cached element."""
        return cache_bits(self.dtype) / 8


def cache_bits(dtype: str) -> float:
    """Return bits per element of a cache type. Raises KeyError for one nobody taught us."""
    return _BLOCK_TYPES[dtype] if dtype in _BLOCK_TYPES else DTYPE_BITS[dtype]


def known_cache_dtype(name: str) -> str | None:
    """Return the spelling of a cache type that a user may ask for, or None when it is not one."""
    plain = name.lower()
    return plain if plain in _BLOCK_TYPES else canonical_dtype(name)


def cache_type(anatomy: Anatomy, asked: str | None, scheme: str | None, stored: str | None) -> CacheType:
    """Return the cache's type: what the user asks for, the checkpoint's scheme, or the model's compute type.

    A float32 model is served in 16 bits, so its cache is; a config that states no type takes the type of the stored weights.
    """
    stated = canonical_dtype(anatomy.dtype) if anatomy.dtype else None
    if stated in ("float16", "bfloat16"):
        compute, basis = stated, Basis.CONFIG
    elif stated is None and stored in ("float16", "bfloat16"):
        compute, basis = stored, Basis.HEADER
    else:
        compute, basis = ("float16" if stated == "float32" else "bfloat16"), Basis.ASSUMED
    if asked is not None:
        return CacheType(asked, Basis.USER, compute)
    if scheme is not None and scheme in DTYPE_BITS:
        return CacheType(scheme, Basis.CONFIG, compute)
    return CacheType(compute, basis, compute)


def take_census(anatomy: Anatomy, cache: CacheType) -> tuple[LayerGroup, ...]:
    """Return the layers grouped by what they keep, in the order in which they first appear."""
    counts: dict[Mixer, int] = {}
    for layer, count in distinct(anatomy.layers):
        for mixer in layer.mixers:
            counts[mixer] = counts.get(mixer, 0) + count
    return tuple(_group(mixer, count, cache) for mixer, count in counts.items())


def distinct(layers: tuple[Layer, ...]) -> list[tuple[Layer, int]]:
    """Return each distinct layer with its number, in order. Equal layers are one object, so none of them is hashed."""
    identities = list(map(id, layers))
    counts = Counter(identities)
    found = dict(zip(identities, layers, strict=True))
    return [(found[key], count) for key, count in counts.items()]


def _group(mixer: Mixer, count: int, cache: CacheType) -> LayerGroup:
    state = sum(state.elements * DTYPE_BITS[_state_dtype(state.dtype, cache)] // 8 for state in mixer.states)
    return LayerGroup(
        kind=mixer.kind,
        count=count,
        bytes_per_token=_plain(count * mixer.elements_per_token * cache.bytes),
        bytes_per_sequence=count * state,
        window=mixer.window,
        kv_heads=mixer.kv_heads,
        key_dim=mixer.key_dim,
        value_dim=mixer.value_dim,
        detail=mixer.recurrence or mixer.detail,
    )


def _state_dtype(dtype: str, cache: CacheType) -> str:
    return cache.compute if dtype == COMPUTE else canonical_dtype(dtype) or "float32"


def _plain(value: float) -> float:
    """Return a whole number as an int, so that reports show no decimals."""
    return int(value) if value == int(value) else value


def cache_facts(anatomy: Anatomy, census: tuple[LayerGroup, ...], cache: CacheType) -> dict[str, Fact]:
    """Return ``kv_cache.*`` and ``state.*``. Models that keep no cache have none of them."""
    if not keeps_cache(anatomy):
        return {}
    facts: dict[str, Fact] = {"kv_cache.dtype": Known(cache.dtype, cache.basis)}
    if not anatomy.layers:
        return facts | dict(anatomy.unknown)

    def per_token(kinds: Iterable[LayerKind]) -> float:
        return _plain(sum(group.bytes_per_token for group in census if group.kind in kinds))

    facts["kv_cache.bytes_per_token"] = Known(per_token(_UNBOUNDED), Basis.DERIVED)
    if any(group.kind in _BOUNDED for group in census):
        facts["kv_cache.bytes_per_token_windowed"] = Known(per_token(_BOUNDED), Basis.DERIVED)
    states = sum(group.bytes_per_sequence for group in census)
    if states:
        facts["state.bytes_per_sequence"] = Known(int(states), Basis.DERIVED)
        dtype, basis = _recurrent_dtype(anatomy, cache)
        facts["state.dtype"] = Known(dtype, basis)
    return facts


def keeps_cache(anatomy: Anatomy) -> bool:
    """Return whether the model generates, and so remembers: encoders and pipelines do not."""
    if anatomy.components or anatomy.arch_class in ("diffusion", "other"):
        return False
    if anatomy.layers:
        return any(mixer.kind is not LayerKind.NONE for layer, _ in distinct(anatomy.layers) for mixer in layer.mixers)
    return anatomy.task not in ENCODER_TASKS and anatomy.task not in ("unknown", "other")


def _recurrent_dtype(anatomy: Anatomy, cache: CacheType) -> tuple[str, Basis]:
    largest = max(
        (state for layer, _ in distinct(anatomy.layers) for mixer in layer.mixers for state in mixer.states),
        key=lambda state: state.elements,
    )
    stated = anatomy.text.states("mamba_ssm_cache_dtype", "mamba_ssm_dtype", "ssm_cache_dtype")
    return _state_dtype(largest.dtype, cache), Basis.CONFIG if stated else Basis.ASSUMED


def attention_facts(anatomy: Anatomy, census: tuple[LayerGroup, ...]) -> dict[str, Fact]:
    """Return the ``attention.*`` facts that the census gives: kind of attention, layers by kind, window."""
    layers = distinct(anatomy.layers)
    if not layers:
        return {name: fact for name, fact in anatomy.unknown if name.startswith("attention.")}
    values: dict[str, Value] = {"attention.kind": _kind(anatomy)}
    if any(group.kind is not LayerKind.NONE for group in census):
        values["attention.full_layers"] = _having(layers, _ATTENDS)
        values["attention.sliding_layers"] = sum(count for layer, count in layers if _bounded(layer))
        values["attention.linear_layers"] = _recurring(layers, linear=True)
        values["attention.ssm_layers"] = _recurring(layers, linear=False)
    for name, kind in (("shared", LayerKind.SHARED), ("cross", LayerKind.CROSS), ("indexer", LayerKind.INDEXER)):
        if found := _having(layers, (kind,)):
            values[f"attention.{name}_layers"] = found
    windows = [group.window for group in census if group.window is not None and group.kind in _BOUNDED]
    if windows:
        values["attention.sliding_window"] = max(windows)
    kinds = sorted({mixer.recurrence for layer, _ in layers for mixer in layer.mixers if mixer.recurrence})
    if kinds:
        values["attention.recurrent_kinds"] = tuple(kinds)
    return {name: Known(value, Basis.DERIVED) for name, value in values.items()}


def _having(layers: Counted, kinds: tuple[LayerKind, ...]) -> int:
    return sum(count for layer, count in layers if any(mixer.kind in kinds for mixer in layer.mixers))


def _bounded(layer: Layer) -> bool:
    kinds = {mixer.kind for mixer in layer.mixers}
    return bool(kinds & set(_BOUNDED)) and not kinds & set(_ATTENDS)


def _recurring(layers: Counted, *, linear: bool) -> int:
    return sum(
        count
        for layer, count in layers
        if any(mixer.kind is LayerKind.RECURRENT and recurrence_named(mixer.recurrence).linear is linear for mixer in layer.mixers)
    )


def _kind(anatomy: Anatomy) -> str:
    """Return how queries share keys; ``mixed`` where layers differ in that."""
    if anatomy.heads is None:
        # Networks in stages list their heads per stage; none of them shares keys.
        return "mha" if isinstance(anatomy.text.get(*HEADS), list) else "none"
    latent = latent_rank(anatomy.text) is not None
    pairs = {(mixer.heads, mixer.kv_heads) for layer, _ in distinct(anatomy.layers) for mixer in layer.mixers if mixer.heads is not None}
    # An encoder's layers keep nothing, so its heads stand in the anatomy alone.
    pairs = pairs or {(anatomy.heads, anatomy.kv_heads)}
    kinds = {_sharing(heads, kv_heads or anatomy.kv_heads, latent=latent) for heads, kv_heads in pairs}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _sharing(heads: int, kv_heads: int | None, *, latent: bool) -> str:
    if latent:
        return "mla"
    if kv_heads in (None, heads):
        return "mha"
    return "mqa" if kv_heads == 1 else "gqa"
