"""Laws of the networks in diffusion pipelines, by their class name: autoencoders, U-Nets, diffusion transformers.

Their configs come from diffusers, which writes every value down; the few defaults below are those of older files. ``DIFFUSION`` is the
place to add one.
"""

import math
from collections.abc import Callable
from itertools import pairwise

from auditor.inspection.config import ModelConfig
from auditor.inspection.parameters_keys import Missing, linear, need, number, numbers, yes


def _convolution(inputs: int, outputs: int, width: int = 3) -> int:
    return linear(inputs * width**2, outputs, bias=True)


def _residual(inputs: int, outputs: int, time: int = 0) -> int:
    """Two normed convolutions, a projection where the width changes, and one of the time embedding where there is one."""
    result = 2 * inputs + _convolution(inputs, outputs) + 2 * outputs + _convolution(outputs, outputs)
    result += linear(time, outputs, bias=True) if time else 0
    return result + (linear(inputs, outputs, bias=True) if inputs != outputs else 0)


def autoencoder_kl(config: ModelConfig) -> int:
    """Image autoencoder with a Gaussian latent: an encoder, a decoder one layer deeper, attention in the middle."""
    widths, layers = _widths(config), number(config, "layers_per_block", default=1)
    _only(config, "down_block_types", {"DownEncoderBlock2D"})
    _only(config, "up_block_types", {"UpDecoderBlock2D"})
    latent, last, first = need(config, "latent_channels"), widths[-1], widths[0]
    attention = 2 * last + 4 * linear(last, last, bias=True) if config.get("mid_block_add_attention") is not False else 0
    middle = 2 * _residual(last, last) + attention
    encoder = _convolution(number(config, "in_channels", default=3), first) + middle + 2 * last + _convolution(last, 2 * latent)
    for index, width in enumerate(widths):
        source = widths[max(index - 1, 0)]
        encoder += _residual(source, width) + (layers - 1) * _residual(width, width)
        encoder += _convolution(width, width) if index < len(widths) - 1 else 0
    decoder = _convolution(latent, last) + middle + 2 * first + _convolution(first, number(config, "out_channels", default=3))
    upwards = widths[::-1]
    for index, width in enumerate(upwards):
        source = upwards[max(index - 1, 0)]
        decoder += _residual(source, width) + layers * _residual(width, width)
        decoder += _convolution(width, width) if index < len(widths) - 1 else 0
    quantizing = linear(2 * latent, 2 * latent, bias=True) if config.get("use_quant_conv") is not False else 0
    quantizing += linear(latent, latent, bias=True) if config.get("use_post_quant_conv") is not False else 0
    return encoder + decoder + quantizing


def _widths(config: ModelConfig) -> list[int]:
    widths = numbers(config.get("block_out_channels"))
    if not widths:
        raise Missing("the config does not state block_out_channels")
    return widths


def _only(config: ModelConfig, key: str, known: set[str]) -> None:
    """Raise Missing for a block that no law covers."""
    for kind in config.get(key) or ():
        if kind not in known:
            raise Missing(f"no parameter law is taught for {kind}")


def _attention_blocks(width: int, depth: int, cross: int, *, crossed_twice: bool) -> int:
    """A projection in and out around ``depth`` blocks of self-attention, cross-attention and a gated feed-forward part."""
    keys = cross if crossed_twice else width
    first = width * width + 2 * keys * width + linear(width, width, bias=True)
    second = width * width + 2 * cross * width + linear(width, width, bias=True)
    forward = linear(width, 8 * width, bias=True) + linear(4 * width, width, bias=True)
    return 2 * width + 2 * linear(width, width, bias=True) + depth * (first + second + forward + 6 * width)


def _per_block(value: object, count: int, default: int) -> list[int]:
    """Return one number per block from a number, a list or nothing. Raises Missing for nested lists."""
    if value is None:
        return [default] * count
    if isinstance(value, int) and not isinstance(value, bool):
        return [value] * count
    stated = numbers(value)
    if len(stated) != count:
        raise Missing("the config's figures per block are not one number each")
    return stated


class _UNet:
    """What the two halves of a U-Net share."""

    def __init__(self, config: ModelConfig) -> None:
        for key in ("dual_cross_attention", "class_embeddings_concat"):
            if yes(config, key):
                raise Missing(f"no parameter law is taught for {key}")
        self.config = config
        self.widths = _widths(config)
        count = len(self.widths)
        self.time = 4 * self.widths[0]
        self.layers = _per_block(config.get("layers_per_block"), count, 2)
        self.depths = _per_block(config.get("transformer_layers_per_block"), count, 1)
        self.cross = _per_block(config.get("cross_attention_dim"), count, 1280)
        twice = config.get("only_cross_attention")
        self.twice = [bool(item) for item in twice] if isinstance(twice, list) else [twice is True] * count
        _only(config, "down_block_types", {"CrossAttnDownBlock2D", "DownBlock2D"})
        _only(config, "up_block_types", {"CrossAttnUpBlock2D", "UpBlock2D"})
        if config.get("mid_block_type") not in {None, "UNetMidBlock2DCrossAttn"}:
            raise Missing(f"no parameter law is taught for {config.get('mid_block_type')}")

    def embeddings(self) -> int:
        """Time, class and added embeddings, and a projection of the text where there is one."""
        config, first, time = self.config, self.widths[0], self.time
        kinds: dict[str, set[str | None]] = {
            "addition_embed_type": {None, "text_time"},
            "encoder_hid_dim_type": {None, "text_proj"},
            "class_embed_type": {None},
        }
        for key, known in kinds.items():  # what else diffusers knows is rare
            if config.get(key) not in known:
                raise Missing(f"no parameter law is taught for {key} {config.get(key)}")
        result = linear(first, time, bias=True) + linear(time, time, bias=True)
        if config.get("addition_embed_type") == "text_time":
            added = need(config, "projection_class_embeddings_input_dim")
            result += linear(added, time, bias=True) + linear(time, time, bias=True)
        if config.get("encoder_hid_dim_type") == "text_proj":
            result += linear(need(config, "encoder_hid_dim"), self.cross[0], bias=True)
        result += number(config, "num_class_embeds") * time + number(config, "time_cond_proj_dim") * first
        return result

    def attention(self, width: int, block: int) -> int:
        """The attention blocks of one layer."""
        return _attention_blocks(width, self.depths[block], self.cross[block], crossed_twice=self.twice[block])

    def down(self) -> int:
        """The first convolution and the downward half."""
        result = _convolution(number(self.config, "in_channels", default=4), self.widths[0])
        kinds = self.config.get("down_block_types") or ()
        for index, width in enumerate(self.widths):
            source = self.widths[max(index - 1, 0)]
            result += _residual(source, width, self.time) + (self.layers[index] - 1) * _residual(width, width, self.time)
            if kinds[index] == "CrossAttnDownBlock2D":
                result += self.layers[index] * self.attention(width, index)
            result += _convolution(width, width) if index < len(self.widths) - 1 else 0
        return result

    def middle(self) -> int:
        """Two residual layers around one of attention."""
        last = self.widths[-1]
        return 2 * _residual(last, last, self.time) + _attention_blocks(last, self.depths[-1], self.cross[-1], crossed_twice=False)

    def up(self) -> int:
        """The upward half: one layer more, each fed by the layer on the other side."""
        result = 0
        upwards = self.widths[::-1]
        kinds = self.config.get("up_block_types") or ()
        for index, width in enumerate(upwards):
            block = len(upwards) - 1 - index
            layers = self.layers[block] + 1
            beside = upwards[min(index + 1, len(upwards) - 1)]
            previous = upwards[max(index - 1, 0)]
            for layer in range(layers):
                skipped = beside if layer == layers - 1 else width
                result += _residual((previous if layer == 0 else width) + skipped, width, self.time)
            if kinds[index] == "CrossAttnUpBlock2D":
                result += layers * self.attention(width, block)
            result += _convolution(width, width) if index < len(upwards) - 1 else 0
        return result


def unet_2d_condition(config: ModelConfig) -> int:
    """U-Net of Stable Diffusion 1, 2 and XL."""
    net = _UNet(config)
    first = net.widths[0]
    out = 2 * first + _convolution(first, number(config, "out_channels", default=4))
    return net.embeddings() + net.down() + net.middle() + net.up() + out


def controlnet(config: ModelConfig) -> int:
    """The downward half of a U-Net, a stack of convolutions for the condition, and one projection per output."""
    net = _UNet(config)
    channels = numbers(config.get("conditioning_embedding_out_channels")) or [16, 32, 96, 256]
    result = net.embeddings() + net.down() + net.middle()
    result += _convolution(number(config, "conditioning_channels", default=3), channels[0]) + _convolution(channels[-1], net.widths[0])
    result += sum(_convolution(one, one) + _convolution(one, following) for one, following in pairwise(channels))
    outputs = [net.widths[0]]
    for index, width in enumerate(net.widths):
        outputs += [width] * (net.layers[index] + (1 if index < len(net.widths) - 1 else 0))
    return result + sum(linear(width, width, bias=True) for width in [*outputs, net.widths[-1]])


def _inner(config: ModelConfig) -> tuple[int, int]:
    width = need(config, "attention_head_dim")
    return need(config, "num_attention_heads") * width, width


def _embedding(inputs: int, inner: int) -> int:
    return linear(inputs, inner, bias=True) + linear(inner, inner, bias=True)


def _forward(inner: int) -> int:
    return linear(inner, 4 * inner, bias=True) + linear(4 * inner, inner, bias=True)


def sd3_transformer(config: ModelConfig) -> int:
    """Stable Diffusion 3: two streams, joined in attention; the last block drops the text's stream."""
    inner, width = _inner(config)
    layers, out = need(config, "num_layers"), need(config, "out_channels")
    square, norms = linear(inner, inner, bias=True), 2 * width if config.get("qk_norm") else 0
    pixels = need(config, "patch_size") ** 2
    result = linear(need(config, "in_channels") * pixels, inner, bias=True)
    result += _embedding(256, inner) + _embedding(need(config, "pooled_projection_dim"), inner)
    result += linear(need(config, "joint_attention_dim"), need(config, "caption_projection_dim"), bias=True)
    block = 2 * linear(inner, 6 * inner, bias=True) + 8 * square + 2 * norms + 2 * _forward(inner)
    dropped = linear(inner, 4 * inner, bias=True) + square + _forward(inner)
    dual = numbers(config.get("dual_attention_layers"))
    result += layers * block - dropped + len(dual) * (linear(inner, 3 * inner, bias=True) + 4 * square + norms)
    return result + linear(inner, 2 * inner, bias=True) + linear(inner, pixels * out, bias=True)


def flux_transformer(config: ModelConfig) -> int:
    """FLUX.1: double-stream blocks, then single-stream blocks with attention and feed-forward part side by side."""
    inner, width = _inner(config)
    square = linear(inner, inner, bias=True)
    result = linear(need(config, "in_channels"), inner, bias=True) + linear(need(config, "joint_attention_dim"), inner, bias=True)
    result += _embedding(256, inner) * (2 if yes(config, "guidance_embeds") else 1) + _embedding(
        need(config, "pooled_projection_dim"), inner
    )
    double = 2 * linear(inner, 6 * inner, bias=True) + 8 * square + 4 * width + 2 * _forward(inner)
    single = linear(inner, 3 * inner, bias=True) + 3 * square + 2 * width
    single += linear(inner, 4 * inner, bias=True) + linear(5 * inner, inner, bias=True)
    out = number(config, "out_channels") or need(config, "in_channels")
    result += need(config, "num_layers") * double + need(config, "num_single_layers") * single
    pixels = number(config, "patch_size", default=1) ** 2
    return result + linear(inner, 2 * inner, bias=True) + linear(inner, pixels * out, bias=True)


def chroma_transformer(config: ModelConfig) -> int:
    """Chroma: FLUX.1 with one small network in place of every block's modulation."""
    inner, width = _inner(config)
    square = linear(inner, inner, bias=True)
    result = linear(need(config, "in_channels"), inner, bias=True) + linear(need(config, "joint_attention_dim"), inner, bias=True)
    hidden, depth = need(config, "approximator_hidden_dim"), need(config, "approximator_layers")
    result += linear(number(config, "approximator_num_channels", default=64), hidden, bias=True) + linear(hidden, inner, bias=True)
    result += depth * (2 * linear(hidden, hidden, bias=True) + hidden)
    double = 8 * square + 4 * width + 2 * _forward(inner)
    single = 3 * square + 2 * width + linear(inner, 4 * inner, bias=True) + linear(5 * inner, inner, bias=True)
    result += need(config, "num_layers") * double + need(config, "num_single_layers") * single
    return result + linear(inner, number(config, "out_channels") or need(config, "in_channels"), bias=True)


def qwen_image_transformer(config: ModelConfig) -> int:
    """Qwen-Image: double-stream blocks only."""
    inner, width = _inner(config)
    square = linear(inner, inner, bias=True)
    text = need(config, "joint_attention_dim")
    result = linear(need(config, "in_channels"), inner, bias=True) + text + linear(text, inner, bias=True) + _embedding(256, inner)
    block = 2 * linear(inner, 6 * inner, bias=True) + 8 * square + 4 * width + 2 * _forward(inner)
    pixels = need(config, "patch_size") ** 2
    out = need(config, "out_channels")
    return result + need(config, "num_layers") * block + linear(inner, 2 * inner, bias=True) + linear(inner, pixels * out, bias=True)


def wan_transformer(config: ModelConfig) -> int:
    """Wan: attention to itself and to the text in every block; the image's own keys and values where it starts from an image."""
    inner, _ = _inner(config)
    square, forward = linear(inner, inner, bias=True), need(config, "ffn_dim")
    pixels = math.prod(numbers(config.get("patch_size"))) or 1
    if config.get("image_dim") is not None or config.get("added_kv_proj_dim") is not None:
        raise Missing("no parameter law is taught for image embeddings of WanTransformer3DModel")
    result = linear(need(config, "in_channels") * pixels, inner, bias=True) + _embedding(need(config, "text_dim"), inner)
    result += _embedding(need(config, "freq_dim"), inner) + linear(inner, 6 * inner, bias=True)
    block = 8 * square + 4 * inner + linear(inner, forward, bias=True) + linear(forward, inner, bias=True) + 6 * inner
    block += 2 * inner if config.get("cross_attn_norm") is not False else 0
    return result + need(config, "num_layers") * block + linear(inner, need(config, "out_channels") * pixels, bias=True) + 2 * inner


DIFFUSION: dict[str, Callable[[ModelConfig], int]] = {
    "AutoencoderKL": autoencoder_kl,
    "UNet2DConditionModel": unet_2d_condition,
    "ControlNetModel": controlnet,
    "SD3Transformer2DModel": sd3_transformer,
    "FluxTransformer2DModel": flux_transformer,
    "ChromaTransformer2DModel": chroma_transformer,
    "QwenImageTransformer2DModel": qwen_image_transformer,
    "WanTransformer3DModel": wan_transformer,
}
