"""Count the parameters of small variations on every class that a parameter law is taught for, on the meta device.

    python tools/make_reference_variants.py      (needs PyTorch and transformers)

For each model type: the class's defaults, the same in other sizes, and one variant per flag of its config, turned. Writes
``tests/data/reference_variants.json.gz``; a law that misses what a flag does fails the suite.
"""

import gzip
import json
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import transformers
from reference import NotBuilt, build, counts
from transformers.models.auto import modeling_auto

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor.inspection.parameters_encoders import WHOLE  # noqa: E402
from auditor.inspection.parameters_laws import DECODERS  # noqa: E402
from auditor.inspection.parameters_towers import PROJECTORS  # noqa: E402

#: Which class of a type: the first of these tables that has one.
TABLES = (
    "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES",
    "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES",
    "MODEL_MAPPING_NAMES",
)
OTHER_SIZES = {
    **dict.fromkeys(("num_hidden_layers", "n_layer", "num_layers"), 5),
    **dict.fromkeys(("hidden_size", "n_embd", "d_model"), 512),
    **dict.fromkeys(("num_attention_heads", "n_head"), 8),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    "intermediate_size": 1100,
    "vocab_size": 5003,
}
#: Flags of running a model, which no weight depends on.
NO_WEIGHTS = {
    "use_cache",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "is_encoder_decoder",
    "is_decoder",
    "add_cross_attention",
}
SECONDS = 30  # some variants ask for layers that take a class very long


def classes(model_type: str) -> list[str]:
    """Return the class names of a type, one per table that has it."""
    found = []
    for table in TABLES:
        name = getattr(modeling_auto, table).get(model_type)
        name = name[0] if isinstance(name, list | tuple) else name
        if name and name not in found:
            found.append(name)
    return found


def variants(model_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and a config as the class itself would save it."""
    config_class = transformers.CONFIG_MAPPING[model_type]
    defaults = config_class().to_dict()
    sizes = {key: value for key, value in OTHER_SIZES.items() if type(defaults.get(key)) is int}
    flags = [{key: not value} for key, value in defaults.items() if isinstance(value, bool) and key not in NO_WEIGHTS]
    for changes in ({}, sizes, *flags):
        try:
            saved = config_class(**changes).to_dict()
        except Exception:  # noqa: BLE001, S112  (a class may refuse a combination)
            continue
        plain = {key: value for key, value in saved.items() if key not in {"transformers_version", "_name_or_path"}}
        yield json.dumps(changes), json.loads(json.dumps(plain, default=str))


def counted(model_type: str, config: dict[str, Any]) -> tuple[str, dict[str, int]] | None:
    """Return the first class of the type that takes the config, and its counts; None when none does in time."""
    for name in classes(model_type):
        signal.alarm(SECONDS)
        try:
            return name, counts(build({**config, "model_type": model_type, "architectures": [name]}))
        except (NotBuilt, TimeoutError):
            continue
        finally:
            signal.alarm(0)
    return None


def too_long(*_: object) -> None:
    """Stop a class that takes too long."""
    raise TimeoutError


def main() -> None:
    """Write the file."""
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    signal.signal(signal.SIGALRM, too_long)
    result = {}
    for model_type in sorted({*DECODERS, *WHOLE, *PROJECTORS}):
        if model_type not in transformers.CONFIG_MAPPING:
            continue
        for changes, config in variants(model_type):
            found = counted(model_type, config)
            if found is not None:
                name, numbers = found
                result[f"{name} {changes}"] = {"config": {**config, "model_type": model_type, "architectures": [name]}, "counts": numbers}
        print(model_type, len(result), flush=True)
    document = {"versions": {"transformers": transformers.__version__}, "variants": result}
    text = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    (ROOT / "tests" / "data" / "reference_variants.json.gz").write_bytes(gzip.compress(text, compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
