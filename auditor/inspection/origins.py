"""Where each fact stands in the model's files: the document, and the key whose line a reader should look at.

A fact that a key states stands at that key. One that follows from others stands where the first of these does that stands
anywhere. What the class fills in stands at the key that names the class, and what headers or sizes say at the file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.facts import Basis, Known, Unknown
from auditor.inspection.anatomy import Anatomy
from auditor.inspection.architectures import family_of
from auditor.inspection.config import ModelConfig
from auditor.inspection.experts import COUNT, PER_TOKEN, SHARED, WIDTH
from auditor.inspection.laws import WINDOW
from auditor.inspection.layers import DECODER_LAYERS, ENCODER_LAYERS
from auditor.inspection.model import Origin
from auditor.inspection.precision import read_quantization
from auditor.inspection.read import DTYPE, MTP, TIED
from auditor.inspection.shape import CONTEXT, HEAD_DIM, HEADS, HIDDEN, INTERMEDIATE, KV_HEADS, LAYERS, VOCABULARY
from auditor.snapshot import Snapshot, WeightSet
from auditor.weights.names import index_name

Fact = Known | Unknown

#: Keys that say which layers are of which kind, by list, by interval or by exception.
_KINDS = (
    "layer_types",
    "layers_block_type",
    "layer_type_list",
    "block_types",
    "_block_types",
    "block_types_list",
    "attn_type_list",
    "attention_types",
    "attention_layers",
    "hybrid_override_pattern",
    "hybrid_layer_pattern",
    "hybrid_layer_ids",
    "full_attention_interval",
    "linear_attn_config",
    "layer_group_size",
    "attn_layer_period",
    "full_attn_idxs",
    "attn_layer_indices",
    "attn_layer_idx",
    "attn",
    "sliding_window_pattern",
    "_sliding_window_pattern",
    "global_attn_every_n_layers",
    "no_rope_layers",
    "no_rope_layer_interval",
    "max_window_layers",
    "compress_ratios",
)
#: Fact -> the keys that may state it, in the order in which they are read. A dot leads into a nested object.
STATED: Mapping[str, Sequence[str]] = {
    "arch.architectures": ("architectures", "_class_name"),
    "arch.model_type": ("model_type", "_class_name"),
    "arch.layers": (*DECODER_LAYERS, *LAYERS, "num_single_layers", *_KINDS),
    "arch.encoder_layers": ENCODER_LAYERS,
    "arch.hidden_size": HIDDEN,
    "arch.intermediate_size": INTERMEDIATE,
    "arch.vocab_size": VOCABULARY,
    "arch.max_context": CONTEXT,
    "arch.tied_embeddings": TIED,
    "arch.dtype": DTYPE,
    "arch.position": ("alibi", "attn_config.alibi", "position_embedding_type", "rope_theta", "rope_parameters", "rope_scaling"),
    "attention.heads": ("decoder_attention_heads", *HEADS),
    "attention.kv_heads": (*KV_HEADS, "attn_config.kv_n_heads", "multi_query", "multi_query_attention"),
    "attention.head_dim": HEAD_DIM,
    "attention.value_head_dim": ("v_head_dim",),
    "attention.latent_rank": ("kv_lora_rank",),
    "attention.rope_head_dim": ("qk_rope_head_dim",),
    "attention.query_rank": ("q_lora_rank",),
    "attention.qkv_bias": ("attention_bias", "qkv_bias", "use_qkv_bias", "add_qkv_bias"),
    "attention.sinks": ("add_swa_attention_sink_bias", "add_full_attention_sink_bias", "use_sinks"),
    "attention.sliding_window": (*WINDOW, "attention_chunk_size"),
    "attention.full_layers": _KINDS,
    "attention.indexer_layers": ("index_topk", "index_n_heads", "index_head_dim", "sparse_attention_config", *_KINDS),
    "moe.experts": (*COUNT, *(f"ffn_config.{key}" for key in COUNT)),
    "moe.experts_per_token": (*PER_TOKEN, *(f"ffn_config.{key}" for key in PER_TOKEN)),
    "moe.shared_experts": SHARED,
    "moe.intermediate_size": (*WIDTH, *INTERMEDIATE, "ffn_config.ffn_hidden_size"),
    "params.mtp": MTP,
    "state.dtype": ("mamba_ssm_cache_dtype", "mamba_ssm_dtype", "ssm_cache_dtype"),
}
#: Facts of a config that are stated of the whole rather than of the language model in it.
_OF_WHOLE = ("arch.architectures", "arch.model_type", "arch.tied_embeddings", "arch.dtype")
#: Members of a quantization config, however deep in it, that state a fact; the block itself where none does.
_IN_BLOCK: Mapping[str, Sequence[str]] = {
    "quant.method": ("quant_method", "quant_algo", "moe_quant_algo"),
    "quant.bits": ("bits", "w_bit", "num_bits", "nbits", "load_in_4bit", "_load_in_4bit", "load_in_8bit", "_load_in_8bit"),
    "quant.activation_bits": ("input_activations", "input_tensors"),
    "quant.activation_scheme": ("activation_scheme", "input_activations", "input_tensors"),
    "quant.group_size": ("group_size", "q_group_size", "weight_block_size"),
    "quant.kv_scheme": ("kv_cache_scheme", "kv_cache_quant_algo"),
    "quant.excluded_modules": ("modules_to_not_convert", "ignored_layers", "ignore", "exclude_modules", "exclude"),
}
#: Members of a quantization config that are about something else than weights: not to be searched for them.
_NOT_WEIGHTS = ("input_activations", "output_activations", "input_tensors", "output_tensors", "kv_cache_scheme")
#: Fact -> facts that it follows from, the most telling first.
_FOLLOWS: Mapping[str, Sequence[str]] = {
    "arch.class": ("arch.architectures", "arch.model_type"),
    "arch.task": ("arch.architectures", "arch.model_type"),
    "arch.known": ("arch.model_type",),
    "arch.architectures": ("arch.model_type",),
    "arch.hidden_size": ("attention.heads",),
    "attention.kind": ("attention.latent_rank", "attention.kv_heads", "attention.heads"),
    "attention.kv_heads": ("attention.heads",),
    "attention.head_dim": ("arch.hidden_size",),
    "attention.sliding_layers": ("attention.full_layers", "attention.sliding_window"),
    "attention.linear_layers": ("attention.full_layers",),
    "attention.ssm_layers": ("attention.full_layers",),
    "attention.recurrent_kinds": ("attention.full_layers",),
    "attention.sparse": ("attention.indexer_layers",),
    "attention.cross_layers": ("arch.architectures",),
    "moe.layers": ("moe.experts",),
    "moe.dense_layers": ("moe.experts",),
    "kv_cache.dtype": ("quant.kv_scheme", "arch.dtype"),
    "kv_cache.bytes_per_token": ("attention.latent_rank", "attention.kv_heads", "arch.layers"),
    "kv_cache.bytes_per_token_windowed": ("attention.sliding_window",),
    "state.bytes_per_sequence": ("attention.full_layers", "arch.layers"),
    "weights.dtype": ("arch.dtype",),
    "weights.bytes": ("arch.hidden_size",),
    "weights.loaded_bytes": ("arch.hidden_size",),
    "params.total": ("arch.hidden_size",),
    "params.active": ("moe.experts_per_token", "arch.hidden_size"),
    "params.routed_experts": ("moe.experts",),
}
_OF_FILES = (Basis.HEADER, Basis.FILE_SIZE, Basis.INDEX)


def origins(snapshot: Snapshot, anatomy: Anatomy | None, facts: Mapping[str, Fact], disputed: Iterable[str] = ()) -> dict[str, Origin]:
    """Return where each fact stands; facts that no place in the files decides are left out.

    ``disputed`` names the facts that the files contradict each other in.
    """
    config = _Config(snapshot, anatomy) if anatomy is not None else None
    found = _of_repository(snapshot)
    quantization = read_quantization(snapshot)
    if quantization is not None:
        block = quantization[2]
        found |= {name: _inside(snapshot, block, _IN_BLOCK.get(name, ())) for name in facts if name.startswith("quant.")}
    for name, fact in facts.items():
        if name in found:
            continue
        basis = fact.basis if isinstance(fact, Known) else None
        if basis in _OF_FILES:
            place = _of_weights(snapshot, basis)
        elif config is None:
            place = None
        else:
            place = config.of_class if basis is Basis.CLASS_DEFAULT else config.stated(name)
        if place is not None:
            found[name] = place
    for name in facts:  # in a second round, for what a fact follows from may come after it
        if name not in found and config is not None and not name.startswith(("repo.", "model.", "quant.")):
            behind = next((found[other] for other in _FOLLOWS.get(name, ()) if other in found), config.of_class)
            if behind is not None:
                found[name] = replace(behind, stated=False)
    about = next((found[name] for name in disputed if name in found), None)
    return {**found, "repo.contradictions": about} if about is not None else found


class _Config:
    """The documents behind an anatomy, asked for keys as they are written there."""

    def __init__(self, snapshot: Snapshot, anatomy: Anatomy) -> None:
        self._text = _Part(snapshot, anatomy.text)
        self._whole = _Part(snapshot, anatomy.config) if anatomy.config is not anatomy.text else self._text
        named = self.stated("arch.model_type") or self.stated("arch.architectures")
        #: The key that names the class, whose defaults stand behind what the file leaves out.
        self.of_class = replace(named, stated=False) if named is not None else None

    def stated(self, fact: str) -> Origin | None:
        """Return the key that states a fact; None where no key does."""
        keys = STATED.get(fact, ())
        parts = (self._whole, self._text) if fact in _OF_WHOLE else (self._text, self._whole)
        return next((found for part in parts if (found := part.stated(keys)) is not None), None)


class _Part:
    """One object of a document: a config, or one that is nested in it."""

    def __init__(self, snapshot: Snapshot, config: ModelConfig) -> None:
        self._path = config.path
        self._prefix = tuple(config.prefix.split(".")[:-1])
        self._inside = _at(snapshot.documents.get(config.path), self._prefix) or {}
        self._own = family_of(config.model_type).keys
        self._alias_of = config.alias_of

    def stated(self, keys: Iterable[str]) -> Origin | None:
        """Return the first of ``keys`` that has a value, under whatever name the family or the class has for it."""
        for key in keys:
            if "." in key:
                if _at(self._inside, key.split(".")) is not None:
                    return Origin(self._path, (*self._prefix, *key.split(".")), stated=True)
                continue
            for name in (self._own.get(key), key, self._alias_of.get(key)):
                if name is not None and self._inside.get(name) is not None:
                    # A GGUF file has keys as well, and no lines.
                    lined = not self._path.endswith(".gguf")
                    return Origin(self._path, (*self._prefix, name) if lined else (), stated=lined)
        return None


def _at(document: Any, keys: Iterable[str]) -> Any:
    """Return what stands under ``keys``; None where nothing does."""
    for key in keys:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document


def _inside(snapshot: Snapshot, block: Origin, names: Sequence[str]) -> Origin:
    """Return the first of ``names`` that stands in a block, its own members before those of nested objects."""
    level = [(block.keys, _at(snapshot.documents.get(block.path), block.keys))]
    while level:
        for name in names:
            for keys, value in level:
                if isinstance(value, Mapping) and value.get(name) is not None:
                    return Origin(block.path, (*keys, name), stated=True)
        level = [
            ((*keys, key), inner)
            for keys, value in level
            if isinstance(value, Mapping)
            for key, inner in value.items()
            if isinstance(inner, Mapping) and key not in _NOT_WEIGHTS
        ]
    return block


def _of_weights(snapshot: Snapshot, basis: Basis | None) -> Origin | None:
    """Return the file that headers, an index or sizes are read from: of several, the first."""
    if basis is Basis.INDEX:
        index = next((path for path in snapshot.documents if index_name(path)), None)
        if index is not None:
            return Origin(index, ("metadata", "total_size"))
    return _first_file(snapshot.weights)


def _first_file(groups: Iterable[WeightSet]) -> Origin | None:
    # Where the file is a git-LFS pointer, its size has a line.
    return next((Origin(file.path, ("size",)) for group in groups for file in group.files), None)


def _of_repository(snapshot: Snapshot) -> dict[str, Origin]:
    """Return where the facts of files, code and card stand."""
    found: dict[str, Origin | None] = {
        "repo.custom_code": next(
            (Origin(path, ("auto_map",)) for path, document in snapshot.documents.items() if _at(document, ("auto_map",))),
            next((Origin(file.path) for file in snapshot.code), None),
        ),
        "repo.imports": next((Origin(file.path) for file in snapshot.code if file.imports), None),
        "repo.custom_kernels": next((Origin(file.path) for file in snapshot.code if file.kernels), None),
        "repo.suspicious_globals": next((Origin(file.path) for group in snapshot.weights for file in group.files if file.imports), None),
        "repo.duplicate_bytes": _first_file(snapshot.not_loaded),
        "repo.license": Origin("README.md", ("license",)) if "license" in snapshot.card else None,
    }
    if "adapter_config.json" in snapshot.documents:
        found["model.adapter_base"] = Origin("adapter_config.json", ("base_model_name_or_path",))
    return {name: origin for name, origin in found.items() if origin is not None}
