"""Diffusion pipelines: an anatomy per component that holds weights, and one for the whole."""

import re
from collections.abc import Mapping
from typing import Any

from auditor.inspection.anatomy import Anatomy
from auditor.inspection.config import ModelConfig
from auditor.inspection.read import read_anatomy
from auditor.inspection.shape import LAYERS
from auditor.snapshot import Snapshot

INDEX = "model_index.json"

#: Members of a pipeline that hold no weights, by their class.
_WEIGHTLESS = re.compile(r"Scheduler|Tokenizer|FeatureExtractor|Processor|Featurizer|^None$")
#: The network that denoises, and what generates as it does.
_DENOISER = re.compile(r"UNet|Transformer\w*Model|ControlNet|DiT|Prior|Kandinsky|Chroma|Adapter|UVit|SparseStructure|Stable\w*Model")
_AUTOENCODER = re.compile(r"Autoencoder|VQModel|VQGAN|Vocoder|Upsampler|PaellaVQ|AsymmetricAutoencoder|Oobleck")
_DENOISER_FOLDERS = ("transformer", "unet", "prior", "decoder")
_VIDEO = re.compile(r"Video|LTX|Wan|CogVideo|Mochi|Animate|Allegro|Latte|I2VGen|SkyReels|Cosmos|Lumiere|3D")
_AUDIO = re.compile(r"Audio|Music|Speech|Sound")


def reads_as_pipeline(snapshot: Snapshot) -> bool:
    """Return whether the snapshot is a pipeline: an index, or nothing but configs in component folders."""
    if INDEX in snapshot.documents:
        return True
    return "config.json" not in snapshot.documents and any(
        path.count("/") == 1 and path.endswith("/config.json") for path in snapshot.documents
    )


def read_pipeline(snapshot: Snapshot) -> Anatomy:
    """Return the anatomy of a pipeline; its figures are the denoiser's."""
    index = snapshot.documents.get(INDEX)
    index = index if isinstance(index, Mapping) else {}
    name = str(index.get("_class_name", ""))
    components = tuple((folder, _component(snapshot, folder, cls)) for folder, cls in _members(snapshot, index))
    by_folder = dict(components)
    main = next((by_folder[folder] for folder in _DENOISER_FOLDERS if folder in by_folder), None)
    config = ModelConfig(index, path=INDEX)
    text = main.config if main is not None else config
    return Anatomy(
        arch_class="diffusion",
        task=_task(name, main.model_type if main is not None else ""),
        config=config,
        text=text,
        model_type=name or (main.model_type if main is not None else ""),
        known=bool(name),
        hidden_size=main.hidden_size if main is not None else None,
        heads=main.heads if main is not None else None,
        head_dim=main.head_dim if main is not None else None,
        kv_heads=main.heads if main is not None else None,
        dtype=main.dtype if main is not None else None,
        components=components,
    )


def read_component(raw: Mapping[str, Any], path: str) -> Anatomy:
    """Return the anatomy of one diffusers network from its own config (``_class_name`` names its class)."""
    config = ModelConfig(raw, path=path)
    name = str(raw.get("_class_name", ""))
    denoises = bool(_DENOISER.search(name)) and not _AUTOENCODER.search(name)
    transformer = denoises and "UNet" not in name and "ControlNet" not in name
    heads = _whole(config, "num_attention_heads") if transformer else None
    width = _whole(config, "attention_head_dim") if transformer else None
    return Anatomy(
        arch_class="diffusion" if denoises else "other",
        task=_task("", name) if denoises else "other",
        config=config,
        text=config,
        model_type=name,
        known=bool(name),
        hidden_size=heads * width if heads and width else None,
        heads=heads,
        kv_heads=heads,
        head_dim=width,
    )


def component_layers(anatomy: Anatomy) -> int | None:
    """Return the blocks of a diffusion transformer: joint ones and single-stream ones."""
    config = anatomy.text
    counts = [_whole(config, key) for key in ("num_layers", "num_single_layers")]
    found = [count for count in counts if count is not None]
    return sum(found) if found else _whole(config, *LAYERS)


def _whole(config: ModelConfig, *keys: str) -> int | None:
    """Return a positive integer; None where there is none, or a list (a network in stages)."""
    value = config.get(*keys)
    return config.positive(*keys) if value is not None and not isinstance(value, list) else None


def _members(snapshot: Snapshot, index: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return folder and class of each member with weights, in the order of the index."""
    if index:
        pairs = [(folder, str(value[1])) for folder, value in index.items() if isinstance(value, list) and len(value) == 2]
        return [(folder, cls) for folder, cls in pairs if not _WEIGHTLESS.search(cls)]
    return [(path.partition("/")[0], "") for path in sorted(snapshot.documents) if path.count("/") == 1 and path.endswith("/config.json")]


def _component(snapshot: Snapshot, folder: str, cls: str) -> Anatomy:
    path = f"{folder}/config.json"
    document = snapshot.documents.get(path)
    if not isinstance(document, dict):
        return Anatomy(
            arch_class="other",
            task="unknown",
            config=ModelConfig({}, path=path),
            text=ModelConfig({}, path=path),
            model_type=cls,
            known=False,
        )
    if "_class_name" in document or "model_type" not in document:
        return read_component({"_class_name": cls, **document}, path)
    # Some components leave their class to the index of the pipeline.
    return read_anatomy({"architectures": [cls], **document} if cls else document, path=path)


def _task(pipeline: str, denoiser: str) -> str:
    for name in (pipeline, denoiser):
        if _AUDIO.search(name):
            return "text-to-speech" if "Speech" in name else "other"
        if _VIDEO.search(name):
            return "text-to-video"
    return "text-to-image"
