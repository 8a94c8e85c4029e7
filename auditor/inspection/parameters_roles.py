"""What a tensor is for, read from its name: token embedding, output head, routed expert, MTP layer, tower, buffer.

Names differ between families and publishers far less than architectures do; the lists below are all there is to teach.
Layer and expert numbers stand as ``#`` in the patterns that are matched here.
"""

import re
from enum import StrEnum
from functools import lru_cache


class Role(StrEnum):
    """The part of the model that a tensor belongs to."""

    EMBEDDING = "embedding"
    HEAD = "head"
    EXPERT = "expert"
    MTP = "mtp"
    TOWER = "tower"
    BODY = "body"
    BUFFER = "buffer"
    """Stored beside the parameters: rotary tables, masks, running statistics, routing corrections."""


_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")
_NO_DIGITS = {ord(digit): None for digit in "0123456789"}

#: What a matrix is called, plain or packed.
_MATRIX = r"(?:weight|qweight|weight_packed|W_q|q_weight|trellis|codes)"
#: Token embeddings, by the end of the name.
_EMBEDDING = re.compile(
    r"(?:^|\.)(?:embed_tokens|wte|word_embeddings?|tok_embeddings|token_embd|token_embedding|embed_in|shared"
    r"|(?:backbone|model|rwkv)\.embeddings?)\." + _MATRIX + r"(?:\..*)?$"
    r"|^(?:embeddings|(?:model\.)?embed)\.weight$|(?:^|\.)wte\.embedding$"
)
#: Output heads.
_HEAD = re.compile(
    r"(?:^|\.)(?:lm_head(?:\.linear)?|embed_out|output_layer|lm_head\.decoder)\." + _MATRIX + r"$"
    r"|^(?:model\.|language_model\.)?(?:head|output|proj_out)\.weight$"
    r"|^(?:language_model\.)?cls\.predictions\.decoder\.weight$|^model\.transformer\.ff_out\.weight$"
)
#: Routed experts. The router (``gate``) does not match.
_EXPERT = re.compile(
    r"\.experts\.|_exps(?:\.|$)|\.experts$|\.moe\.(?:gate|up|down)_proj\.weight$"
    r"|block_sparse_moe\.(?:input|output)_linear\.weight$|(?:^|\.)experts\."
)
#: What looks like a routed expert by its name and is none.
_NO_EXPERT = re.compile(r"shared_expert|shared_mlp|_shexp|e_score_correction_bias$")
#: Multi-token-prediction parts that carry a name of their own.
_MTP = re.compile(r"(?:^|\.)(?:mtp|mtp_\w+|nextn\w*|mtp_layers|mtp_block|draft_model)(?:\.|$)")
#: Parts that surround a language model.
_TOWER = re.compile(
    r"(?:^|\.)(?:vision_tower|vision_model|visual|vision|vit|vision_encoder|vision_embed_tokens|vision_backbone|img_processor"
    r"|image_encoder|image_newline|view_seperator|view_separator|audio_tower|audio_encoder|audio_model|speech_encoder|speech_model"
    r"|conformer|multi_modal_projector|multimodal_projector|mm_projector|vision_projection|audio_projection|vision_adapter"
    r"|embed_vision|embed_audio|aligner|gen_vision_model|gen_aligner|gen_head|gen_embed|talker|code2wav|token2wav|projector"
    r"|patch_merger|pre_mm_projector_norm|resampler|connector|sam_model|qwen2_model|image_vit|image_projector|tower"
    r"|vision_projector|modality_projection|img_projection|mm_input_projection_weight)(?:\.|$)|^(?:mlp1|v|mm)\."
)
_BUFFER = re.compile(
    r"(?:^|\.)(?:inv_freq|original_inv_freq|position_ids|token_type_ids|masked_bias|cos_cached|sin_cached|rope_freqs(?:\.weight)?"
    r"|freqs_cis|freqs|running_mean|running_var|num_batches_tracked|relative_position_index|relative_coords_table|causal_mask"
    r"|attention_mask|final_logits_bias|e_score_correction_bias|layer_scalar|slope_rate|std_bias|std_scale|tid2eid|embed_scale"
    r"|pos_embed\.pos_embed"
    r"|input_min|input_max|output_min|output_max|exp_probs_b(?:\.bias)?|rope_factors_(?:long|short)(?:\.weight)?|rel_pos_index)$"
)
#: Model types whose routing correction is a parameter of the class and not a buffer (transformers 5.23).
_TRAINED_CORRECTION = frozenset({"ernie4_5_moe", "ernie4_5_vl_moe", "laguna"})
#: The routing correction of models that store it as the bias of a gate without one.
_GATE_BIAS = re.compile(r"(?:^|\.)ffn\.gate\.bias$")


def pattern_of(name: str) -> str:
    """Return ``name`` with every number between dots as ``#``: all layers and experts of a kind share one pattern."""
    return _NUMBER.sub("#", name)


def keys_of(names: list[str]) -> list[str]:
    """Return each name without digits: what differs by layer, expert or matrix number only has one key.

    One pass over all names together takes a tenth of the time of one for each.
    """
    keys = "\n".join(names).translate(_NO_DIGITS).split("\n")
    return keys if len(keys) == len(names) else [name.translate(_NO_DIGITS) for name in names]


@lru_cache(maxsize=65536)
def role_of(pattern: str, model_type: str, *, multimodal: bool) -> Role:
    """Return the role of a tensor from its pattern. MTP layers that are numbered like others are the caller's to tell apart."""
    if _BUFFER.search(pattern) and not (pattern.endswith("e_score_correction_bias") and model_type in _TRAINED_CORRECTION):
        return Role.BUFFER
    if _GATE_BIAS.search(pattern) and model_type.startswith("deepseek"):
        return Role.BUFFER
    if _MTP.search(pattern):
        return Role.MTP
    if multimodal and _TOWER.search(pattern):
        return Role.TOWER
    if _EXPERT.search(pattern) and not _NO_EXPERT.search(pattern):
        return Role.EXPERT
    if _HEAD.search(pattern):
        return Role.HEAD
    if _EMBEDDING.search(pattern):
        return Role.EMBEDDING
    return Role.BODY


#: What stands before the layer number in the language models of published checkpoints.
_STEMS = (
    "model.layers.",
    "layers.",
    "model.language_model.layers.",
    "language_model.model.layers.",
    "language_model.layers.",
    "model.model.layers.",
    "transformer.layers.",
    "backbone.layers.",
    "transformer.h.",
    "blk.",
)


def mtp_prefixes(layers: int, mtp_layers: int) -> tuple[str, ...]:
    """Return the name prefixes of MTP layers that are numbered on after the ``layers`` of the model."""
    return tuple(f"{stem}{layers + index}." for stem in _STEMS for index in range(mtp_layers))


def marked_mtp_prefixes(names: list[str]) -> tuple[str, ...]:
    """Return the prefixes of numbered layers that have a tensor which only an MTP layer has, whatever the config says."""
    found = set()
    text = "\n".join(names)
    for mark in (".eh_proj.", ".enorm.", ".nextn."):
        if mark not in text:
            continue
        for name in names:
            position = name.find(mark)
            if position > 0 and name[:position].rpartition(".")[2].isdigit():
                found.add(name[: position + 1])
    return tuple(sorted(found))
