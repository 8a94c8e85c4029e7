"""transformers' config classes as rows of the class table: defaults, aliases, nested classes, layer patterns, auto classes.

Imports transformers, which takes seconds: only the script that makes the table does, and ``defaults`` for a model type that the table
lacks and a newer installed transformers may have. No model code runs; nothing is downloaded.
"""

import dataclasses
import logging
import math
import re
from collections.abc import Iterable
from typing import Any

#: Fields that say nothing about size, cache or task.
UNINTERESTING = re.compile(
    r"""_token_id$|_token_index$|dropout|_std$|^init|initializer|_loss|loss_|_cost$|^mask_|layerdrop|_coef(ficient)?$|_eps$|epsilon|_theta$
    |logit|temperature|activation|hidden_act|^output_|^use_cache$|^return_dict$|^transformers_version$|^summary_|^id2label$|^label2id$
    |^problem_type$|^architectures$|^chunk_size_feed_forward$|^forced_|^pretraining_tp$|^disable_|norm_topk|^begin_suppress|^suppress
    |^apply_spec|^ctc_|_jitter|^drop_path|_multiplier$|^image_mean|^image_std|^resid|^embd_pdrop|^attn_pdrop|^eos_|^bos_|^pad_|rope_parameters
    |^is_composition$|^keys_to_ignore|_seed$|_scale$|_momentum$|sampling_rate$|_alpha$|_beta$|^dtype$""",
    re.VERBOSE,
)

#: Auto classes whose membership tells what a model does.
TASK_MAPPINGS = (
    "CAUSAL_LM",
    "SEQ_TO_SEQ_CAUSAL_LM",
    "IMAGE_TEXT_TO_TEXT",
    "MULTIMODAL_LM",
    "SPEECH_SEQ_2_SEQ",
    "CTC",
    "RNNT",
    "TDT",
    "TEXT_TO_WAVEFORM",
    "TEXT_TO_SPECTROGRAM",
    "MASKED_LM",
    "TEXT_ENCODING",
    "IMAGE",
    "IMAGE_CLASSIFICATION",
    "OBJECT_DETECTION",
    "SEMANTIC_SEGMENTATION",
    "UNIVERSAL_SEGMENTATION",
    "INSTANCE_SEGMENTATION",
    "DEPTH_ESTIMATION",
    "MASK_GENERATION",
    "KEYPOINT_DETECTION",
    "KEYPOINT_MATCHING",
    "BACKBONE",
    "VIDEO_CLASSIFICATION",
    "ZERO_SHOT_IMAGE_CLASSIFICATION",
    "ZERO_SHOT_OBJECT_DETECTION",
    "AUDIO_CLASSIFICATION",
    "AUDIO_XVECTOR",
    "TIME_SERIES_PREDICTION",
    "TIME_SERIES_CLASSIFICATION",
    "RETRIEVAL",
    "SEQUENCE_CLASSIFICATION",
    "TOKEN_CLASSIFICATION",
    "QUESTION_ANSWERING",
)

#: Lengths at which a class's own layer pattern is read, so that one counted from the end shows.
PROBED_LAYERS = (96, 97)

#: Defaults of the base class, which every class has: no need to repeat them.
BASE = {"is_encoder_decoder": False}

#: Fields that classes derive from widths: only constant where configs of several widths agree.
RELATIVE = ("head_dim", "num_key_value_heads")

PATTERN_KEYS = ("layer_types", "mlp_layer_types", "layers_block_type", "indexer_types")

Entry = dict[str, Any]


def entries(model_types: Iterable[str] | None = None) -> dict[str, Entry]:
    """Return the rows of ``model_types`` (None: all that transformers has) and of every class nested in them, by name."""
    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # importing transformers without PyTorch says so, at length
    try:
        mapping, auto = _import()
        known = tuple(mapping.keys())
        wanted = known if model_types is None else tuple(name for name in model_types if name in known)
        classes = _with_nested({name: mapping[name] for name in wanted})
        return {name: entry for name in sorted(classes) if (entry := _entry(name, classes[name], classes, auto))}
    finally:
        logging.disable(quiet)


def _import() -> tuple[Any, Any]:
    # Without PyTorch the package hides this module behind a stand-in that raises; its tables of names need no PyTorch.
    import transformers.models.auto.modeling_auto as modeling_auto  # noqa: PLC0415, PLR0402
    from transformers.models.auto import configuration_auto  # noqa: PLC0415 - seconds, and only when asked

    return configuration_auto.CONFIG_MAPPING, modeling_auto


def _with_nested(classes: dict[str, Any]) -> dict[str, Any]:
    """Add the classes nested in ``classes``; those that no model type leads to stand under their class name."""
    waiting = list(classes.values())
    while waiting:
        for spec in waiting.pop().sub_configs_defaults.values():
            nested = spec.config_class
            if not _is_class(nested) or nested in classes.values():
                continue
            name = nested.model_type if nested.model_type and nested.model_type not in classes else nested.__name__
            classes[name] = nested
            waiting.append(nested)
    return classes


def _is_class(config_class: Any) -> bool:
    """Whether a nested config has a class of its own; AutoConfig stands for whatever the file states."""
    return hasattr(config_class, "sub_configs_defaults")


def _entry(name: str, cls: Any, classes: dict[str, Any], auto: Any) -> Entry:
    parts = {key: _part(spec, classes) for key, spec in cls.sub_configs_defaults.items()}
    entry: dict[str, Any] = {
        "class": cls.__name__,
        "defaults": _defaults(cls, set(parts)),
        "aliases": dict(cls.attribute_map),
        "parts": parts,
        "auto": [task for task in TASK_MAPPINGS if name in getattr(auto, f"MODEL_FOR_{task}_MAPPING_NAMES")],
        "patterns": _patterns(cls),
        "rope": any(field.name == "rope_parameters" for field in dataclasses.fields(cls)),
    }
    return {key: value for key, value in entry.items() if value}


def _part(spec: Any, classes: dict[str, Any]) -> Entry:
    """What stands behind a nested key: the class by name, whether it is fixed whatever the file says, and its own defaults."""
    fixed = _is_class(spec.config_class)
    name = next((name for name, cls in classes.items() if cls is spec.config_class), spec.model_type) if fixed else spec.model_type
    values = {key: value for key, value in spec.init_kwargs.items() if _plain(value)}
    part = {"type": name, "fixed": fixed, "optional": spec.optional, "values": values}
    return {key: value for key, value in part.items() if value}


def _defaults(cls: Any, parts: set[str]) -> dict[str, Any]:
    made = _built(cls)
    defaults = {}
    for field in dataclasses.fields(cls):
        if UNINTERESTING.search(field.name) or field.name in parts or field.name in PATTERN_KEYS:
            continue
        value = field.default
        if value is dataclasses.MISSING and field.default_factory is not dataclasses.MISSING:
            value = field.default_factory()
        if value is None and made and (len(made) > 2 or field.name not in RELATIVE):
            settled = [getattr(built, field.name, None) for built in made]
            value = settled[0] if all(other == settled[0] for other in settled) else None
        if value is not None and value is not BASE.get(field.name, ...) and _plain(value):
            defaults[field.name] = list(value) if isinstance(value, tuple) else value
    return defaults


def _plain(value: object) -> bool:
    if isinstance(value, bool | int | float | str):
        return not isinstance(value, float) or math.isfinite(value)
    return (
        isinstance(value, list | tuple)
        and 0 < len(value) <= 128
        and all(isinstance(item, bool | int | float | str) and _plain(item) for item in value)
    )


def _built(cls: Any) -> list[Any]:
    """Instances of different size: a value that __post_init__ gives to all of them is a constant, any other is derived."""
    names = {field.name for field in dataclasses.fields(cls)}
    sizes = [
        {},
        {"num_hidden_layers": 96},
        {"num_layers": 96},
        {"num_attention_heads": 64, "hidden_size": 16384},
        {"n_head": 64, "n_embd": 16384},
        {"num_heads": 64, "d_model": 16384},
        {"num_attention_heads": 64, "hidden_size": 16384, "n_layer": 96},
    ]
    wanted = [size for size in sizes if set(size) <= names]
    return [built for size in wanted if (built := _build(cls, size)) is not None]


def _build(cls: Any, values: dict[str, Any]) -> Any:
    try:
        return cls(**values)
    except Exception:  # noqa: BLE001 - a class may refuse sizes that do not suit it; its pattern then stays open
        return None


def _patterns(cls: Any) -> dict[str, Any]:
    """Patterns of layers that the class itself makes up when the config gives none."""
    names = {field.name for field in dataclasses.fields(cls)}
    patterns = {}
    for key in PATTERN_KEYS:
        if key not in names:
            continue
        made = [list(getattr(_build(cls, {"num_hidden_layers": count}), key, None) or ()) for count in PROBED_LAYERS]
        if [len(types) for types in made] == list(PROBED_LAYERS):
            pattern = _pattern(made)
        else:
            fixed = list(getattr(_build(cls, {}), key, None) or ())
            pattern = {"list": fixed} if fixed else None
        if pattern:
            patterns[key] = pattern
    return patterns


def _pattern(made: list[list[str]]) -> dict[str, Any] | None:
    """Return the shortest prefix, cycle and forced last layer that give all lists; counted from the end if need be."""
    for from_end in (False, True):
        lists = [types[::-1] if from_end else types for types in made]
        for prefix in range(9):
            for cycle in range(1, 13):
                for last in (False, True):
                    pattern = {
                        "prefix": lists[0][:prefix],
                        "cycle": lists[0][prefix : prefix + cycle],
                        "last": lists[0][-1] if last else "",
                        "from_end": from_end,
                    }
                    if all(_expand(pattern, len(types)) == types for types in made):
                        return {key: value for key, value in pattern.items() if value}
    return None


def _expand(pattern: dict[str, Any], count: int) -> list[str]:
    cycle: list[str] = pattern["cycle"]
    types: list[str] = (pattern["prefix"] + cycle * (count // len(cycle) + 1))[:count]
    if pattern["last"]:
        types[-1] = pattern["last"]
    return types[::-1] if pattern["from_end"] else types
