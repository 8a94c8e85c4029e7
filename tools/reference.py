"""What transformers and diffusers build for a config, on the meta device: names, shapes and counts without memory.

Needs PyTorch; only the scripts beside this file import it.
"""

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a config is all these scripts may read

import torch
import transformers


def build(folder: Path, config: dict[str, Any]) -> torch.nn.Module:
    """Return the model of ``folder/config.json`` on the meta device, quantization left out.

    Raises AttributeError when neither library has the class, and whatever the class raises for a config it cannot take.
    """
    if "_class_name" in config:
        import diffusers  # noqa: PLC0415  (slow to import)

        cls = getattr(diffusers, config["_class_name"])
        with torch.device("meta"):
            return cls.from_config(config)
    settings = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    for part in (settings, *(getattr(settings, key, None) for key in settings.sub_configs)):
        if getattr(part, "quantization_config", None) is not None:
            del part.quantization_config
    cls = getattr(transformers, config["architectures"][0])
    with torch.device("meta"):
        return cls(settings)


def meta_state(folder: Path, config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return names and shapes as ``save_pretrained`` writes them: per-expert matrices, persistent buffers, a tied head once."""
    model = build(folder, config)
    state = model.state_dict()
    tied = set(getattr(model, "all_tied_weights_keys", {}) or {})
    state = {name: value for name, value in state.items() if name not in tied}
    if "_class_name" not in config:
        from transformers.core_model_loading import revert_weight_conversion  # noqa: PLC0415

        state = revert_weight_conversion(model, state)
    return {name: tuple(value.shape) for name, value in state.items()}


def read_json(path: Path) -> Any:
    """Return a parsed JSON file."""
    return json.loads(path.read_text())
