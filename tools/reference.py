"""What transformers and diffusers build for a config, on the meta device: names, shapes and counts without memory.

Needs PyTorch; only the scripts beside this file import it.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a config is all these scripts may read

import torch
import transformers

Config = dict[str, Any]


class NotBuilt(Exception):
    """Neither library has the class, or the class does not take the config."""


def model_class(config: Config) -> Any:
    """Return the class that ``architectures[0]`` names; the base model of the type where nothing is named.

    Raises NotBuilt when transformers has no such class.
    """
    names = config.get("architectures") or []
    if names:
        if not hasattr(transformers, names[0]):
            raise NotBuilt(f"transformers has no class {names[0]}")
        return getattr(transformers, names[0])
    stated = config.get("model_type")
    settings = transformers.CONFIG_MAPPING[stated] if stated in transformers.CONFIG_MAPPING else None  # noqa: SIM401  (it has no get)
    if settings is None or settings not in transformers.MODEL_MAPPING:
        raise NotBuilt(f"transformers has no base model for {stated}")
    cls = transformers.MODEL_MAPPING[settings]
    return cls[0] if isinstance(cls, tuple) else cls


def build(config: Config) -> torch.nn.Module:
    """Return the model that ``config`` describes on the meta device, quantization left out. Raises NotBuilt."""
    config = {key: value for key, value in config.items() if key not in {"quantization_config", "auto_map"}}
    try:
        if "_class_name" in config:
            import diffusers  # noqa: PLC0415  (slow to import)

            with torch.device("meta"):
                return getattr(diffusers, config["_class_name"]).from_config(config)
        cls = model_class(config)
        stated = config.get("model_type")
        # A publisher's own model type with a class of the library: the library's config class reads it.
        settings_class = transformers.CONFIG_MAPPING[stated] if stated in transformers.CONFIG_MAPPING else cls.config_class  # noqa: SIM401  (a lazy mapping without get)
        settings = settings_class.from_dict(config)
        for part in (settings, *(getattr(settings, key, None) for key in settings.sub_configs)):
            if getattr(part, "quantization_config", None) is not None:
                del part.quantization_config
        with torch.device("meta"):
            return cls(settings)
    except NotBuilt:
        raise
    except Exception as error:  # whatever a class raises for a config that it cannot take
        raise NotBuilt(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:160]) from error


def meta_state(config: Config) -> dict[str, tuple[int, ...]]:
    """Return names and shapes as ``save_pretrained`` writes them: per-expert matrices, persistent buffers, a tied head once."""
    model = build(config)
    state = model.state_dict()
    tied = set(getattr(model, "all_tied_weights_keys", {}) or {})
    state = {name: value for name, value in state.items() if name not in tied}
    if "_class_name" not in config:
        from transformers.core_model_loading import revert_weight_conversion  # noqa: PLC0415

        state = revert_weight_conversion(model, state)
    return {name: tuple(value.shape) for name, value in state.items()}


def counts(model: torch.nn.Module) -> dict[str, int]:
    """Return parameters of a model: ``total``, ``embedding`` (with an untied head), ``routed_experts``; what it has not is left out."""
    result = {"total": sum(value.numel() for value in model.parameters())}
    routed = sum(
        value.numel()
        for name, value in model.named_parameters()
        if re.search(r"(?:^|\.)experts(?:\.|$)|block_sparse_moe\.(?:input|output)_linear", name) and "shared" not in name
    )
    if routed:
        result["routed_experts"] = routed
    matrices = []
    for getter in ("get_input_embeddings", "get_output_embeddings"):
        try:
            module = getattr(model, getter)()
        except (AttributeError, NotImplementedError):
            continue
        # Vision models give their patch convolution for an input embedding.
        weight = module.weight if isinstance(module, torch.nn.Embedding | torch.nn.Linear) else None
        if weight is not None and not any(weight is other for other in matrices):
            matrices.append(weight)
    if matrices:
        result["embedding"] = sum(weight.numel() for weight in matrices)
    return result


def read_json(path: Path) -> Any:
    """Return a parsed JSON file."""
    return json.loads(path.read_text())
