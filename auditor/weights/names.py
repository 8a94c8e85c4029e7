"""What a file's name says of it: format, variant, shard. Names are all that a file list gives, and conventions are few.

Sources: the file names that transformers, diffusers, PEFT, llama.cpp and Mistral write and look for.
"""

import re
from dataclasses import dataclass

#: Stems that libraries look for by themselves, best first; any other name has to be asked for by the user or stand alone.
KNOWN_STEMS = (
    "model",
    "diffusion_pytorch_model",
    "pytorch_model",
    "tf_model",
    "flax_model",
    "diffusion_flax_model",
    "weights",
    "adapter_model",
    "pytorch_lora_weights",
    "consolidated",
)
#: A name may claim 999,999 shards: no more than these are looked for one by one.
SHARDS_LIMIT = 10_000
_EXTENSIONS = {
    ".safetensors": "safetensors",
    ".gguf": "gguf",
    ".bin": "pytorch",
    ".pt": "pytorch",
    ".pth": "pytorch",
    ".ckpt": "pytorch",
    ".h5": "tensorflow",
    ".msgpack": "flax",
    ".onnx": "onnx",
    ".onnx_data": "onnx",
    ".npz": "mlx",
    ".ot": "rust",
}
# What a training run leaves beside its weights.
_NOT_WEIGHTS = re.compile(
    r"(optimizer|scheduler|training_args|rng_state|random_states|scaler|trainer_state|zero_pp|imatrix|vocab|tokenizer|spiece|sentencepiece)"
)
_SHARD = re.compile(r"-(\d{1,6})-of-(\d{1,6})(?=\.|$)")
_MISTRAL_SHARD = re.compile(r"\.(\d{2})$")
_INDEX = re.compile(r"^(?P<weights>.+)\.index(?:\.(?P<variant>[^./]+))?\.json$")
_GGUF_TYPE = re.compile(
    r"(?:^|[-._])((?:ud-)?(?:i?q\d(?:_[0-9a-z]+)*|tq\d_\d|bf16|f16|fp16|f32|mxfp4(?:_moe)?|nvfp4))$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A weight file's name, taken apart."""

    folder: str
    """Empty for the root."""
    format: str
    stem: str
    variant: str
    """``fp16`` of ``model.fp16.safetensors``; ``Q4_K_M`` of a GGUF file; empty for the default."""
    shard: int | None = None
    shards: int | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what the shards of one set have in common."""
        return self.folder, self.format, self.stem, self.variant


def weight_name(path: str) -> Name | None:
    """Return the parts of a weight file's name, or None for a file that holds no weights."""
    folder, _, base = path.rpartition("/")
    stem, dot, extension = base.rpartition(".")
    kind = _EXTENSIONS.get((dot + extension).lower())
    if kind is None or not stem or _NOT_WEIGHTS.match(stem.lower()):
        return None
    if kind == "pytorch" and stem.startswith("openvino"):
        kind = "openvino"
    shard = _SHARD.search(stem)
    if shard:
        stem = stem[: shard.start()] + stem[shard.end() :]
    number, count = (int(shard[1]), int(shard[2])) if shard else (None, None)
    stem = stem.removesuffix(f".{extension}")  # some write model.safetensors-00001-of-00002.safetensors
    if kind == "gguf":
        found = _GGUF_TYPE.search(stem)
        return Name(folder, kind, stem, found[1] if found else stem, number, count)
    if stem.startswith("consolidated"):
        mistral = _MISTRAL_SHARD.search(stem)
        return Name(folder, "consolidated", "consolidated", "", int(mistral[1]) + 1 if mistral else number, count)
    head, _, variant = stem.partition(".")
    if head in KNOWN_STEMS and variant:
        return Name(folder, kind, head, variant, number, count)
    return Name(folder, kind, stem, "", number, count)


def shard_path(path: str, number: int) -> str:
    """Return the path of another shard of the set that ``path`` belongs to, its number written with as many digits."""
    return _SHARD.sub(lambda found: f"-{number:0{len(found[1])}}-of-{found[2]}", path, count=1)


def index_name(path: str) -> Name | None:
    """Return the name of the weights that an index describes, or None for a file that is no index."""
    found = _INDEX.match(path)
    if found is None:
        return None
    name = weight_name(found["weights"])
    if name is None or not found["variant"]:
        return name
    return Name(name.folder, name.format, name.stem, found["variant"])
