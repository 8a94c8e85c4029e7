"""Laws of vision and audio towers, and of the projectors that join them to a language model.

``TOWERS`` maps the tower's own model type to its law, ``PROJECTORS`` the whole model's type to its projector; add one here.
"""

from collections.abc import Callable

from auditor.inspection.config import ModelConfig
from auditor.inspection.parameters_keys import Missing, child, linear, need, number, numbers, yes

Tower = Callable[[ModelConfig], int]


def stack(
    layers: int, h: int, width: int, *, bias: bool = True, mlp_bias: bool = True, norm: int = 2, gated: bool = False, key_bias: bool = True
) -> int:
    """Return the parameters of ``layers`` ordinary encoder layers: four square matrices, a feed-forward part, two norms."""
    attention = 3 * linear(h, h, bias=bias) + linear(h, h, bias=bias) - (0 if key_bias or not bias else h)
    forward = linear(h, width, bias=mlp_bias) * (2 if gated else 1) + linear(width, h, bias=mlp_bias)
    return layers * (attention + forward + 2 * norm * h)


def grid(config: ModelConfig) -> int:
    """Return the patches of one image."""
    return (need(config, "image_size") // need(config, "patch_size")) ** 2


def patches(config: ModelConfig, h: int, *, bias: bool) -> int:
    """Return the parameters of the convolution that cuts an image into patches."""
    channels = number(config, "num_channels", "in_channels", "in_chans", default=3)
    frames = number(config, "temporal_patch_size", default=1) or 1
    return linear(channels * frames * need(config, "patch_size", "spatial_patch_size") ** 2, h, bias=bias)


def _plain(config: ModelConfig) -> tuple[int, int, int]:
    return need(config, "hidden_size"), need(config, "intermediate_size"), need(config, "num_hidden_layers")


def clip_vision(config: ModelConfig) -> int:
    """CLIP's vision tower, its projection left out."""
    h, width, layers = _plain(config)
    return h + patches(config, h, bias=False) + (grid(config) + 1) * h + 4 * h + stack(layers, h, width)


def clip_text(config: ModelConfig) -> int:
    """CLIP's text tower without its token embedding and projection."""
    h, width, layers = _plain(config)
    return need(config, "max_position_embeddings") * h + stack(layers, h, width) + 2 * h


def siglip_vision(config: ModelConfig) -> int:
    """SigLIP's vision tower with its pooling head, where it has one."""
    h, width, layers = _plain(config)
    result = patches(config, h, bias=True) + grid(config) * h + stack(layers, h, width) + 2 * h
    if config.get("vision_use_head") is not False:
        result += h + stack(1, h, width) - 2 * h
    return result


def siglip_text(config: ModelConfig) -> int:
    """SigLIP's text tower without its token embedding."""
    h, width, layers = _plain(config)
    projection = number(config, "projection_size") or h
    return need(config, "max_position_embeddings") * h + stack(layers, h, width) + 2 * h + linear(h, projection, bias=True)


def qwen2_vl(config: ModelConfig) -> int:
    """Qwen2-VL: plain blocks and a merger of neighbouring patches."""
    h = need(config, "embed_dim")
    merged = h * need(config, "spatial_merge_size") ** 2
    width = int((config.number("mlp_ratio") or 4) * h)
    blocks = stack(need(config, "depth"), h, width)
    return (
        patches(config, h, bias=False)
        + blocks
        + 2 * h
        + linear(merged, merged, bias=True)
        + linear(merged, need(config, "hidden_size"), bias=True)
    )


def qwen2_5_vl(config: ModelConfig) -> int:
    """Qwen2.5-VL: gated blocks with scale-only norms."""
    h = need(config, "hidden_size")
    merged = h * need(config, "spatial_merge_size") ** 2
    blocks = stack(need(config, "depth"), h, need(config, "intermediate_size"), norm=1, gated=True)
    return (
        patches(config, h, bias=False)
        + blocks
        + h
        + linear(merged, merged, bias=True)
        + linear(merged, need(config, "out_hidden_size"), bias=True)
    )


def exaone4_5_vision(config: ModelConfig) -> int:
    """EXAONE 4.5: Qwen2.5-VL's tower with fewer key/value heads."""
    h, heads = need(config, "hidden_size"), need(config, "num_heads")
    missing = heads - need(config, "num_key_value_heads")
    return qwen2_5_vl(config) - need(config, "depth") * 2 * missing * linear(h, h // heads, bias=True)


def siglip2_vision(config: ModelConfig) -> int:
    """SigLIP 2 for any resolution: as many positions as the config counts patches."""
    h, width, layers = _plain(config)
    result = patches(config, h, bias=True) + need(config, "num_patches") * h + stack(layers, h, width) + 2 * h
    return result if config.get("vision_use_head") is False else result + h + stack(1, h, width) - 2 * h


def qwen3_vl(config: ModelConfig) -> int:
    """Qwen3-VL and later: learned positions, one merger, and one more per deep-stack layer."""
    h = need(config, "hidden_size")
    merged, out = h * need(config, "spatial_merge_size") ** 2, need(config, "out_hidden_size")
    merger = linear(merged, merged, bias=True) + linear(merged, out, bias=True)
    deep = len(numbers(config.get("deepstack_visual_indexes")))
    blocks = stack(need(config, "depth"), h, need(config, "intermediate_size"))
    return (
        patches(config, h, bias=True) + need(config, "num_position_embeddings") * h + blocks + merger + 2 * h + deep * (merger + 2 * merged)
    )


def llama4_vision(config: ModelConfig) -> int:
    """Llama 4: plain blocks and an adapter that shuffles pixels into channels."""
    h, width, layers = _plain(config)
    ratio = config.number("pixel_shuffle_ratio") or 0.5
    result = h + patches(config, h, bias=False) + (grid(config) + 1) * h + 4 * h + stack(layers, h, width)
    inner, out = need(config, "projector_input_dim"), need(config, "projector_output_dim")
    shuffled = int(h / ratio**2)
    if shuffled != width:
        raise Missing("the adapter's input does not follow from the config")
    return result + shuffled * inner + inner * out


def mllama_vision(config: ModelConfig) -> int:
    """Llama 3.2 Vision: local and gated global layers, tile embeddings."""
    h, width = need(config, "hidden_size"), need(config, "intermediate_size")
    layers, wide = need(config, "num_hidden_layers"), need(config, "num_global_layers")
    tiles, ratios = need(config, "max_num_tiles"), number(config, "max_aspect_ratio_id", default=8) + 1
    positions = grid(config) + 1
    result = h + patches(config, h, bias=False) + 4 * h
    result += 1 + positions * h + ratios * tiles * positions * h + 2 * (1 + ratios * tiles * h)
    return result + stack(layers + wide, h, width, bias=False) + 2 * wide


def glm4v_vision(config: ModelConfig) -> int:
    """GLM-4.1V and 4.5V: gated blocks as wide as the output, a strided convolution and a gated merger."""
    h, out, width = need(config, "hidden_size"), need(config, "out_hidden_size"), need(config, "intermediate_size")
    blocks = stack(need(config, "depth"), h, out, bias=yes(config, "attention_bias"), mlp_bias=False, norm=1, gated=True)
    joined = linear(h * need(config, "spatial_merge_size") ** 2, out, bias=True)
    return patches(config, h, bias=True) + grid(config) * h + 2 * h + blocks + joined + out * out + 2 * out + 3 * out * width


def gemma4_vision(config: ModelConfig) -> int:
    """Gemma 4: gated blocks with four norms, a position table per axis."""
    h, width, layers = _plain(config)
    d = number(config, "head_dim") or h // need(config, "num_attention_heads")
    block = 4 * h * h + 2 * d + 3 * h * width + 4 * h
    return 2 * need(config, "position_embedding_size") * h + 3 * need(config, "patch_size") ** 2 * h + layers * block


def minimax_m3_vision(config: ModelConfig) -> int:
    """MiniMax M3: plain blocks with rotary positions."""
    h, width, layers = _plain(config)
    compression = config.get("img_token_compression_config")
    frames = compression.get("temporal_patch_size") if isinstance(compression, dict) else None
    frames = frames if isinstance(frames, int) else number(config, "temporal_patch_size", default=1)
    return 3 * frames * need(config, "patch_size") ** 2 * h + 2 * h + stack(layers, h, width)


def muse_glimmer_vision(config: ModelConfig) -> int:
    """Muse Glimmer: plain blocks over a learned grid of positions."""
    h, width, layers = _plain(config)
    pixels = 3 * need(config, "patch_temporal") * need(config, "patch_size") ** 2
    return pixels * h + need(config, "pos_emb_height") * need(config, "pos_emb_width") * h + 4 * h + stack(layers, h, width)


def vit(config: ModelConfig) -> int:
    """ViT without pooler and classifier."""
    h, width, layers = _plain(config)
    bias = config.get("qkv_bias") is not False
    result = h + (grid(config) + 1) * h + patches(config, h, bias=True) + stack(layers, h, width) + 2 * h
    return result if bias else result - 3 * layers * h


def dinov2(config: ModelConfig) -> int:
    """DINOv2 without classifier: layer scales, gated feed-forward part in the largest size."""
    h, layers = need(config, "hidden_size"), need(config, "num_hidden_layers")
    ratio = config.number("mlp_ratio") or 4
    gated = config.get("use_swiglu_ffn") is True
    width = (int(int(h * ratio) * 2 / 3) + 7) // 8 * 8 if gated else int(h * ratio)
    tokens = h * (1 + number(config, "num_register_tokens") + (config.get("use_mask_token") is not False))
    blocks = stack(layers, h, width, gated=gated) + layers * 2 * h - (0 if config.get("qkv_bias") is not False else 3 * layers * h)
    return tokens + (grid(config) + 1) * h + patches(config, h, bias=True) + blocks + 2 * h


def whisper_encoder(config: ModelConfig) -> int:
    """Whisper's encoder: two convolutions, fixed positions, keys without bias."""
    h = need(config, "d_model")
    result = linear(need(config, "num_mel_bins") * 3, h, bias=True) + linear(h * 3, h, bias=True)
    positions = need(config, "max_source_positions") * h
    return result + positions + stack(need(config, "encoder_layers"), h, need(config, "encoder_ffn_dim"), key_bias=False) + 2 * h


def pixtral_vision(config: ModelConfig) -> int:
    """Pixtral: gated blocks with scale-only norms and no biases."""
    h, width, layers = _plain(config)
    return patches(config, h, bias=False) + h + stack(layers, h, width, bias=False, mlp_bias=False, norm=1, gated=True)


def speech_encoder(config: ModelConfig) -> int:
    """The encoder of Whisper as later models state it: two convolutions, positions, keys without bias."""
    h = need(config, "d_model", "hidden_size")
    width, layers = need(config, "encoder_ffn_dim", "intermediate_size"), need(config, "encoder_layers", "num_hidden_layers")
    front = linear(need(config, "num_mel_bins") * 3, h, bias=True) + linear(h * 3, h, bias=True)
    return front + need(config, "max_source_positions") * h + stack(layers, h, width, key_bias=False) + 2 * h


def idefics3_vision(config: ModelConfig) -> int:
    """SigLIP without its pooling head."""
    h, width, layers = _plain(config)
    return patches(config, h, bias=True) + grid(config) * h + stack(layers, h, width) + 2 * h


def internvl_vision(config: ModelConfig) -> int:
    """InternViT: layer scales, optional norms on queries and keys, a class token."""
    h, width, layers = _plain(config)
    sides, cells = numbers(config.get("image_size")), numbers(config.get("patch_size"))
    if len(sides) != 2 or len(cells) != 2 or config.get("use_mask_token") is True:
        raise Missing("the config does not describe its patches")
    norm = 1 if config.get("norm_type") == "rms_norm" else 2
    count = (sides[0] // cells[0]) * (sides[1] // cells[1])
    result = h + linear(number(config, "num_channels", default=3) * cells[0] * cells[1], h, bias=True)
    result += (count + 1) * h if config.get("use_absolute_position_embeddings") is not False else 0
    result += stack(layers, h, width, norm=norm) + layers * 2 * h
    result -= 0 if yes(config, "attention_bias") else layers * 3 * h
    result += layers * 2 * h if yes(config, "use_qk_norm") else 0
    return result + (0 if config.get("use_mean_pooling") is not False else 2 * h)


def kimi_k25_vision(config: ModelConfig) -> int:
    """MoonViT: plain blocks over a learned grid of positions."""
    h = need(config, "vt_hidden_size", "hidden_size")
    width, layers = need(config, "vt_intermediate_size", "intermediate_size"), need(config, "vt_num_hidden_layers", "num_hidden_layers")
    positions = need(config, "init_pos_emb_height", "pos_emb_height") * need(config, "init_pos_emb_width", "pos_emb_width") * h
    return linear(3 * need(config, "patch_size") ** 2, h, bias=True) + positions + stack(layers, h, width) + 2 * h


TOWERS: dict[str, Tower] = {
    "clip_vision_model": clip_vision,
    "clip_text_model": clip_text,
    "siglip_vision_model": siglip_vision,
    "siglip_text_model": siglip_text,
    "git_vision_model": clip_vision,
    "qwen2_vl_vision": qwen2_vl,
    "qwen2_5_vl_vision": qwen2_5_vl,
    "exaone4_5_vision": exaone4_5_vision,
    "siglip2_vision_model": siglip2_vision,
    "qwen3_vl_vision": qwen3_vl,
    "qwen3_vl_moe_vision": qwen3_vl,
    "qwen3_5_vision": qwen3_vl,
    "qwen3_5_moe_vision": qwen3_vl,
    "llama4_vision_model": llama4_vision,
    "mllama_vision_model": mllama_vision,
    "glm4v_vision": glm4v_vision,
    "glm4v_moe_vision": glm4v_vision,
    "gemma4_vision": gemma4_vision,
    "minimax_m3_vl_vision": minimax_m3_vision,
    "muse_glimmer_vision": muse_glimmer_vision,
    "pixtral": pixtral_vision,
    "qwen2_audio_encoder": speech_encoder,
    "voxtral_encoder": speech_encoder,
    "idefics3_vision": idefics3_vision,
    "smolvlm_vision": idefics3_vision,
    "internvl_vision": internvl_vision,
    "kimi_k25_vision": kimi_k25_vision,
    "vit": vit,
    "dinov2": dinov2,
    "dinov2_with_registers": dinov2,
}


def _llava(config: ModelConfig, h: int) -> int:
    vision = child(config, "vision_config")
    chosen = config.get("vision_feature_layer")
    features = len(chosen) if isinstance(chosen, list) else 1
    bias = config.get("multimodal_projector_bias") is not False
    return linear(need(vision, "hidden_size") * features, h, bias=bias) + linear(h, h, bias=bias)


def _gemma3(config: ModelConfig, h: int) -> int:
    vision = need(child(config, "vision_config"), "hidden_size")
    return vision + vision * h


def _minimax_m3(config: ModelConfig, h: int) -> int:
    vision = need(child(config, "vision_config"), "hidden_size")
    inner = number(config, "projector_hidden_size") or h
    return (
        linear(vision, inner, bias=True)
        + linear(inner, inner, bias=True)
        + linear(4 * inner, inner, bias=True)
        + linear(inner, h, bias=True)
    )


def _muse_glimmer(config: ModelConfig, h: int) -> int:
    vision = child(config, "vision_config")
    inner = need(config, "projector_hidden_size")
    return need(vision, "hidden_size") * need(vision, "merge_size") ** 2 * inner + inner * inner + inner * h


def _mistral3(config: ModelConfig, h: int) -> int:
    vision = need(child(config, "vision_config"), "hidden_size")
    merge = need(config, "spatial_merge_size")
    bias = yes(config, "multimodal_projector_bias")
    return vision + vision * merge**2 * vision + linear(vision, h, bias=bias) + linear(h, h, bias=bias)


def _paligemma(config: ModelConfig, h: int) -> int:
    return linear(need(child(config, "vision_config"), "hidden_size"), number(config, "projection_dim") or h, bias=True)


def _idefics3(config: ModelConfig, h: int) -> int:
    return need(child(config, "vision_config"), "hidden_size") * need(config, "scale_factor") ** 2 * h


def _internvl(config: ModelConfig, h: int) -> int:
    shuffled = int(need(child(config, "vision_config"), "hidden_size") * int(1 / (config.number("downsample_ratio") or 0.5)) ** 2)
    return 2 * shuffled + linear(shuffled, h, bias=True) + linear(h, h, bias=True)


def _cohere2_vision(config: ModelConfig, h: int) -> int:
    inner, factor = need(config, "alignment_intermediate_size"), need(config, "downsample_factor")
    return linear(need(child(config, "vision_config"), "hidden_size") * factor**2, inner, bias=True) + linear(inner // 2, h, bias=True)


def _aya_vision(config: ModelConfig, h: int) -> int:
    inner, factor = need(config, "alignment_intermediate_size"), need(config, "downsample_factor")
    merged = need(child(config, "vision_config"), "hidden_size") * factor**2
    return 2 * merged + linear(merged, inner, bias=True) + linear(inner // 2, h, bias=True)


def _kimi_k25(config: ModelConfig, h: int) -> int:
    vision = child(config, "vision_config")
    width = need(vision, "mm_hidden_size", "vt_hidden_size", "hidden_size")
    merge = numbers(vision.get("merge_kernel_size")) or [2, 2]
    inner = width * merge[0] * merge[-1]
    return 2 * width + linear(inner, inner, bias=True) + linear(inner, h, bias=True)


def _lfm2_vl(config: ModelConfig, h: int) -> int:
    """Neighbouring patches joined, then two matrices behind a norm that the config may switch off."""
    joined = need(child(config, "vision_config"), "hidden_size") * need(config, "downsample_factor") ** 2
    inner, bias = need(config, "projector_hidden_size"), config.get("projector_bias") is not False
    norm = 0 if config.get("projector_use_layernorm") is False else 2 * joined
    return norm + linear(joined, inner, bias=bias) + linear(inner, h, bias=bias)


def _voxtral(config: ModelConfig, h: int) -> int:
    return need(child(config, "audio_config"), "intermediate_size") * h + h * h


#: Whole model type -> parameters of its projector, given the language model's hidden size. Absent: the tower has it all.
PROJECTORS: dict[str, Callable[[ModelConfig, int], int]] = {
    "llava": _llava,
    "gemma3": _gemma3,
    "gemma4": lambda config, h: need(child(config, "vision_config"), "hidden_size") * h,
    "llava_next": lambda config, h: _llava(config, h) + h,
    "llava_next_video": lambda config, h: _llava(config, h) + h,
    "llava_onevision": lambda config, h: _llava(config, h) + h,
    "paligemma": _paligemma,
    "idefics3": _idefics3,
    "smolvlm": _idefics3,
    "internvl": _internvl,
    "cohere2_vision": _cohere2_vision,
    "aya_vision": _aya_vision,
    "kimi_k25": _kimi_k25,
    "qwen2_audio": lambda config, h: linear(need(child(config, "audio_config"), "d_model"), h, bias=True),
    "voxtral": _voxtral,
    "lfm2_vl": _lfm2_vl,
    "exaone4_5": lambda _, __: 0,
    "glm46v": lambda _, __: 0,
    "llama4": lambda config, h: need(child(config, "vision_config"), "vision_output_dim") * h,
    "mllama": lambda config, h: linear(need(child(config, "vision_config"), "vision_output_dim"), h, bias=True),
    "minimax_m3_vl": _minimax_m3,
    "muse_glimmer": _muse_glimmer,
    "mistral3": _mistral3,
    "qwen2_vl": lambda _, __: 0,
    "qwen2_5_vl": lambda _, __: 0,
    "qwen3_vl": lambda _, __: 0,
    "qwen3_vl_moe": lambda _, __: 0,
    "qwen3_5": lambda _, __: 0,
    "qwen3_5_moe": lambda _, __: 0,
    "glm4v": lambda _, __: 0,
    "glm4v_moe": lambda _, __: 0,
}
