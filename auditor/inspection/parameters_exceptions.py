"""What no field of a law describes: small functions, named by the laws that need them."""

from collections.abc import Callable

from auditor.inspection.anatomy import Anatomy
from auditor.inspection.model import LayerKind
from auditor.inspection.parameters_keys import Missing, Parts, given, need, number, numbers, yes


def _gemma4(anatomy: Anatomy) -> Parts:
    """Gemma 4: scales of the router and three more norms around experts; in the small sizes embeddings per layer and shared caches."""
    h = given(anatomy.hidden_size, "the hidden size")
    body = anatomy.moe_layers * (4 * h + anatomy.experts.count) if anatomy.experts is not None else 0
    return Parts(body=body + _layer_embeddings(anatomy, h) + _shared_layers(anatomy, h))


def _layer_embeddings(anatomy: Anatomy, h: int) -> int:
    """An embedding of every layer's own, with a gate and a projection into that layer."""
    config, layers = anatomy.text, len(anatomy.layers)
    inner = number(config, "hidden_size_per_layer_input")
    if not inner:
        return 0
    rows = need(config, "vocab_size_per_layer_input", "vocab_size")
    return rows * layers * inner + h * layers * inner + inner + layers * (2 * h * inner + h)


def _shared_layers(anatomy: Anatomy, h: int) -> int:
    """Layers at the end that read another layer's keys and values: queries and outputs only, some with a wider feed-forward part."""
    config, heads = anatomy.text, given(anatomy.heads, "the number of heads")
    kinds = config.get("layer_types") or config.pattern("layer_types", len(anatomy.layers))
    count = sum(any(mixer.kind is LayerKind.SHARED for mixer in layer.mixers) for layer in anatomy.layers)
    if not count:
        return 0
    if not isinstance(kinds, list | tuple) or len(kinds) < count:
        raise Missing("the config does not state layer_types")
    if yes(config, "attention_bias"):
        raise Missing("no parameter law is taught for biases in layers that share a cache")
    narrow = need(config, "head_dim")
    wide = number(config, "global_head_dim") or narrow
    widths = [wide if kind == "full_attention" else narrow for kind in kinds[-count:]]
    doubled = yes(config, "use_double_wide_mlp")
    stated = numbers(config.get("intermediate_size"))
    extra = 3 * h * (sum(stated[-count:]) if stated else need(config, "intermediate_size") * count) if doubled else 0
    return extra + sum(2 * h * heads * width + width for width in widths)


def _gemma3n(anatomy: Anatomy) -> Parts:
    """Gemma 3n: several residual streams, low-rank side branches, embeddings per layer, shared caches."""
    config, h, layers = anatomy.text, given(anatomy.hidden_size, "the hidden size"), len(anatomy.layers)
    streams, rank = need(config, "altup_num_inputs"), need(config, "laurel_rank")
    mixing = streams**2 + streams**3 + streams * h + 2 * h
    body = layers * (mixing + 2 * h * rank + h) + 2 * (streams - 1) * h * h
    return Parts(body=body + _layer_embeddings(anatomy, h) + _shared_layers(anatomy, h))


def _zamba(anatomy: Anatomy) -> Parts:
    """Zamba: a few transformer blocks that hybrid layers share, each behind a matrix of its own and, in the second release, an adapter."""
    config, h = anatomy.text, given(anatomy.hidden_size, "the hidden size")
    hybrid = sum(len(layer.mixers) > 1 for layer in anatomy.layers)
    wide, width = number(config, "attention_hidden_size") or 2 * h, need(config, "intermediate_size")
    second = config.model_type == "zamba2"
    blocks = number(config, "num_mem_blocks", default=1) if second else 1
    if yes(config, "add_bias_linear"):
        raise Missing("no parameter law is taught for biases in shared blocks")
    block = 3 * wide * wide + wide * h + 3 * h * width + wide + h
    adapter = need(config, "adapter_rank") * (h + 2 * width) if second else 0
    if second and yes(config, "use_shared_attention_adapter"):
        adapter += 3 * need(config, "adapter_rank") * 2 * wide
    return Parts(body=blocks * block + hybrid * (h * h + adapter))


def _falcon(anatomy: Anatomy) -> Parts:
    """Falcon: one norm per layer for the parallel layout, two for the newer one; multi-query in the first release."""
    config, h = anatomy.text, given(anatomy.hidden_size, "the hidden size")
    parallel, newer = yes(config, "parallel_attn"), yes(config, "new_decoder_architecture")
    norms = number(config, "num_ln_in_parallel_attn") or (2 if newer else 1 if parallel else 2)
    return Parts(body=(norms - 2) * 2 * h * len(anatomy.layers))


def _laguna(anatomy: Anatomy) -> Parts:
    """Laguna: query heads differ by layer."""
    config, h, heads = anatomy.text, given(anatomy.hidden_size, "the hidden size"), given(anatomy.heads, "the number of heads")
    width = given(anatomy.head_dim, "the head width")
    by_layer = numbers(config.get("num_attention_heads_per_layer"))
    if by_layer and len(by_layer) != len(anatomy.layers):
        raise Missing("the config's heads per layer are not as many as its layers")
    gated = config.get("gating")
    gate = 1 if gated is True or gated == "per-head" else width
    total = sum(count * (2 * h * width + h * gate) for count in by_layer) if by_layer else 0
    assumed = len(anatomy.layers) * heads * (2 * h * width + h) if by_layer else 0
    return Parts(body=total - assumed)


def _minimax_m3(anatomy: Anatomy) -> Parts:
    """MiniMax M3: an indexer of its own in sparse layers."""
    config, h = anatomy.text, given(anatomy.hidden_size, "the hidden size")
    sparse = config.get("sparse_attention_config")
    sparse = sparse if isinstance(sparse, dict) else {}
    width, heads = sparse.get("sparse_index_dim"), sparse.get("sparse_num_index_heads")
    indexed = sum(any(mixer.kind is LayerKind.INDEXER for mixer in layer.mixers) for layer in anatomy.layers)
    if not indexed:
        return Parts()
    if not isinstance(width, int) or not isinstance(heads, int):
        raise Missing("the config does not describe its sparse attention")
    return Parts(body=indexed * (h * heads * width + h * width + 2 * width))


def _mllama(anatomy: Anatomy) -> Parts:
    """Llama 3.2 Vision: cross-attention layers with two gates and normed queries and keys."""
    h, heads = given(anatomy.hidden_size, "the hidden size"), given(anatomy.heads, "the number of heads")
    kv_heads, width = given(anatomy.kv_heads, "the number of key/value heads"), given(anatomy.head_dim, "the head width")
    crossed = sum(any(mixer.kind is LayerKind.CROSS for mixer in layer.mixers) for layer in anatomy.layers)
    each = 2 * h * heads * width + 2 * h * kv_heads * width + 2 * width + 2
    return Parts(body=crossed * each)


def _deepseek_v4(anatomy: Anatomy) -> Parts:
    """DeepSeek V4: one shared key/value head, compressed keys in two strengths, an indexer, hyper-connections."""
    config, h = anatomy.text, given(anatomy.hidden_size, "the hidden size")
    heads, width, rank = need(config, "num_attention_heads"), need(config, "head_dim"), need(config, "q_lora_rank")
    groups, out = need(config, "o_groups"), need(config, "o_lora_rank")
    attention = heads + h * rank + rank + rank * heads * width + h * width + width
    attention += heads * width // groups * groups * out + groups * out * h
    index, index_heads = need(config, "index_head_dim"), need(config, "index_n_heads")

    def compressor(ratio: int, channels: int, kept: int) -> int:
        return ratio * channels + 2 * h * channels + kept

    light, heavy = _ratios(anatomy)
    body = len(anatomy.layers) * attention
    for layer in anatomy.layers:
        kinds = {mixer.kind for mixer in layer.mixers}
        if LayerKind.INDEXER in kinds:
            body += compressor(light, 2 * width, width) + compressor(light, 2 * index, index) + rank * index_heads * index + h * index_heads
        elif LayerKind.LATENT in kinds:
            body += compressor(heavy, width, width)
    lanes = need(config, "hc_mult")
    mixing = (2 + lanes) * lanes
    body += len(anatomy.layers) * 2 * (mixing * lanes * h + mixing + 3) + lanes * lanes * h + lanes + 1
    return Parts(body=body)


def _ratios(anatomy: Anatomy) -> tuple[int, int]:
    """Return the two compression ratios: the lighter one has an indexer."""
    stated = sorted({ratio for ratio in numbers(anatomy.text.get("compress_ratios")) if ratio})
    if len(stated) == 2:
        return stated[0], stated[1]
    rates = anatomy.text.get("compress_rates")
    if isinstance(rates, dict):
        light, heavy = rates.get("compressed_sparse_attention"), rates.get("heavily_compressed_attention")
        if isinstance(light, int) and isinstance(heavy, int):
            return light, heavy
    raise Missing("the config does not state how its keys are compressed")


def _apertus(anatomy: Anatomy) -> Parts:
    """Apertus: two learned numbers in every activation."""
    return Parts(body=2 * len(anatomy.layers))


def _helium(anatomy: Anatomy) -> Parts:
    """Helium: an output matrix that is square whatever the heads add up to."""
    h, heads = given(anatomy.hidden_size, "the hidden size"), given(anatomy.heads, "the number of heads")
    return Parts(body=len(anatomy.layers) * (h - heads * given(anatomy.head_dim, "the head width")) * h)


def _rwkv(anatomy: Anatomy) -> Parts:
    """RWKV 4: time mixing and channel mixing; one norm more before the first layer."""
    config, h = anatomy.text, given(anatomy.hidden_size, "the hidden size")
    inner, width = number(config, "attention_hidden_size") or h, number(config, "intermediate_size") or 4 * h
    mixing = 2 * inner + 3 * h + 3 * h * inner + inner * h
    channels = 2 * h + h * width + h * h + width * h
    return Parts(body=len(anatomy.layers) * (mixing + channels) + 2 * h)


EXCEPTIONS: dict[str, Callable[[Anatomy], Parts]] = {
    "gemma3n": _gemma3n,
    "gemma4": _gemma4,
    "apertus": _apertus,
    "falcon": _falcon,
    "rwkv": _rwkv,
    "zamba": _zamba,
    "helium": _helium,
    "laguna": _laguna,
    "minimax_m3": _minimax_m3,
    "mllama": _mllama,
    "deepseek_v4": _deepseek_v4,
}
