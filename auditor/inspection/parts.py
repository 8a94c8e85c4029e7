"""Which part of a config is the language model, and which parts are towers beside it."""

import re
from dataclasses import dataclass

from auditor.inspection.anatomy import Tower
from auditor.inspection.architectures import Family
from auditor.inspection.config import ModelConfig
from auditor.inspection.defaults import defaults_for
from auditor.inspection.shape import HEADS, HIDDEN, LAYERS

#: Keys of a nested language model, the outermost first.
TEXT_KEYS = (
    "thinker_config",
    "text_config",
    "llm_config",
    "language_config",
    "lm_config",
    "text_model_config",
    "decoder_config",
    "decoder",
)

#: Nested configs that are towers, by the name a report gives them.
_TOWERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^(talker)_config$"), "talker"),
    (re.compile(r"^(code2wav|token2wav|codec|depth_decoder|mimi)_config$"), "codec"),
    (re.compile(r"^(gen_vision|vq|image_decoder|generation)_config$"), "generator"),
    (re.compile(r"^visual_tokenizer_config$"), "vision"),
    (re.compile(r"vision|visual|^image_encoder|^img_processor$|^vit_config$|^mm_vision_tower$"), "vision"),
    (re.compile(r"audio_config$|speech|audio_encoder|^audio_processor$|^mm_audio_tower$|^encoder_audio"), "audio"),
    (re.compile(r"^qformer_config$|^perceiver_config$"), "resampler"),
)
#: Nested objects whose keys look like a tower's and that hold no weights.
_NO_TOWER = re.compile(
    r"projector|aligner|rope|quantization|token|aug|compression|feature_select|_head_config$|generation_config$|vision_feature"
)

#: Other spellings of layers and heads in towers.
_TOWER_LAYERS = (*LAYERS, "vt_num_hidden_layers", "layers", "encoder_layers", "num_block", "image_num_layers")
_TOWER_HEADS = (*HEADS, "vt_num_attention_heads", "heads", "encoder_attention_heads", "image_num_heads")


@dataclass(frozen=True, slots=True)
class Parts:
    """A config taken apart."""

    text: ModelConfig
    """The language model (or the only model)."""
    towers: tuple[Tower, ...]
    encoder: ModelConfig | None = None
    """The nested encoder of an encoder-decoder model."""


def take_apart(config: ModelConfig, family: Family) -> Parts:
    """Return the language model and the towers of a config, however deeply nested."""
    towers = list(_towers(config, family))
    if _text_only(config, family):
        towers = []
    text = config
    encoder = config.part("encoder") if isinstance(config.raw.get("encoder"), dict) else None
    for _ in range(_DEEPEST):
        nested = _nested_text(text, family)
        if nested is None:
            break
        if nested is not text:
            towers += [tower for tower in _towers(nested, family) if tower.name not in {other.name for other in towers}]
        text = nested
    return Parts(text, tuple(towers), encoder)


def _text_only(config: ModelConfig, family: Family) -> bool:
    """Whether the class named is the text model of a multimodal type: then towers that only the class default brings are not there."""
    names = config.raw.get("architectures")
    named = isinstance(names, list) and bool(names) and "ForCausalLM" in str(names[0])
    return (
        named
        and not family.flat_towers
        and not any(isinstance(value, dict | str) and _tower_name(key) for key, value in config.raw.items())
    )


#: Thinker, then its text: two steps are the most that any published config needs.
_DEEPEST = 3


def _nested_text(config: ModelConfig, family: Family) -> ModelConfig | None:
    """Return the nested language model; for a class that nests it but a file that does not, the file read as that class."""
    for key in (family.text, *TEXT_KEYS) if family.text else TEXT_KEYS:
        if isinstance(config.raw.get(key), dict):
            part = config.part(key)
            if part is not None and not part.has_class and family.text_like:
                return ModelConfig(
                    part.raw,
                    model_type=family.text_like,
                    path=part.path,
                    prefix=part.prefix,
                    problems=part.problems,
                    defaults=defaults_for(family.text_like),
                )
            return part
    for key in TEXT_KEYS:
        part = config.part(key)
        if part is None:
            continue
        if config.states(*LAYERS) and config.states(*HIDDEN):
            return ModelConfig(
                config.raw, model_type=part.model_type, path=config.path, problems=config.problems, defaults=defaults_for(part.model_type)
            )
        return part
    return None


def _towers(config: ModelConfig, family: Family) -> list[Tower]:
    found: dict[str, Tower] = {}
    own = config.parts()
    for key in (*own, *(key for key in config.raw if not key.endswith("_config"))):
        value = config.raw.get(key)
        if not isinstance(value, dict | str) and not (value is None and key in own):
            continue
        name = _tower_name(key)
        if name is None or name in found:
            continue
        if not isinstance(value, str):
            part = config.part(key)
            if part is not None:
                found[name] = Tower(name, part, _count(part, _TOWER_LAYERS), _count(part, _TOWER_HEADS))
        elif value and key.endswith("_tower"):
            found[name] = Tower(name, ModelConfig({}, path=config.path))
    for name in family.flat_towers:
        found.setdefault(name, Tower(name, ModelConfig({}, path=config.path)))
    return list(found.values())


def _tower_name(key: str) -> str | None:
    if _NO_TOWER.search(key) and not key.startswith(("gen_vision", "visual_tokenizer")):
        return None
    return next((name for pattern, name in _TOWERS if pattern.search(key)), None)


def _count(part: ModelConfig, keys: tuple[str, ...]) -> int | None:
    value = part.get(*keys)
    if isinstance(value, list):
        numbers = [item for item in value if isinstance(item, int)]
        return sum(numbers) if numbers else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
