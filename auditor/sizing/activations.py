"""Memory of one forward step: activations, logits, and what image and video pipelines need."""

from auditor.catalog.model import MemoryModel
from auditor.sizing.model import Layout
from auditor.sizing.shape import SIXTEEN_BIT, Shape
from auditor.workload import Workload

#: Residual-wide buffers alive at the peak of a layer: residual, normed input, attention output, and a copy of each.
_RESIDUAL_BUFFERS = 6
#: Feed-forward-wide buffers: gate, up, and their product.
_FEED_FORWARD_BUFFERS = 3
#: Bytes per pixel at the peak of a 16-bit VAE decoder: 512 channels in, 512 out, at full resolution (judgement).
_DECODER_BYTES_PER_PIXEL = 2048
#: Pixels along one edge of a transformer token: eight of the VAE, two of the patch.
_PIXELS_PER_TOKEN = 16
#: Width of an image transformer that does not state one (judgement).
_DEFAULT_WIDTH = 3072
#: Audio frames per second after a speech encoder's convolutions (Whisper: 1,500 for 30 s).
FRAMES_PER_SECOND = 50


def text_bytes(shape: Shape, layout: Layout, memory: MemoryModel, step_tokens: int, step_sequences: int) -> int:
    """Return the peak of one step of a generating model: its widest layer, or its sampler, whichever is larger.

    The sampler runs when the layers' buffers are free again; its logits are gathered over the whole vocabulary.
    """
    layer = step_tokens * _bytes_per_token(shape, layout.tensor)
    sampler = step_sequences * shape.vocabulary * memory.bytes_per_logit + step_tokens * shape.hidden * SIXTEEN_BIT
    return int(max(layer, sampler))


def encoder_bytes(shape: Shape, layout: Layout, sequences: int, tokens: int) -> int:
    """Return the peak of a batch of whole sequences through an encoder."""
    return int(sequences * tokens * _bytes_per_token(shape, layout.tensor))


def image_bytes(shape: Shape, workload: Workload, images: int) -> int:
    """Return the peak of a pipeline: the transformer's buffers over latent tokens, or the decoder's over pixels."""
    edge = workload.image_size or 1024
    width = shape.hidden or _DEFAULT_WIDTH
    # Guidance runs each image twice through the transformer.
    tokens = 2 * images * (edge / _PIXELS_PER_TOKEN) ** 2
    transformer = tokens * width * (_RESIDUAL_BUFFERS + 4 * _FEED_FORWARD_BUFFERS) * SIXTEEN_BIT
    return int(max(transformer, images * edge**2 * _DECODER_BYTES_PER_PIXEL))


def _bytes_per_token(shape: Shape, tensor: int) -> float:
    widths = _RESIDUAL_BUFFERS * shape.hidden + _FEED_FORWARD_BUFFERS * shape.intermediate / tensor
    if shape.experts:
        routed = shape.hidden + _FEED_FORWARD_BUFFERS * shape.expert_intermediate / tensor
        widths = _RESIDUAL_BUFFERS * shape.hidden + max(
            shape.experts_per_token * routed, _FEED_FORWARD_BUFFERS * shape.intermediate / tensor
        )
    return widths * SIXTEEN_BIT
