"""Every layer's cache against transformers' own cache objects, for published configs and for what its classes make by default."""

import json
import subprocess
import sys
from typing import Any

import pytest

from auditor.inspection.anatomy import Layer
from auditor.inspection.model import LayerKind
from auditor.inspection.read import read_anatomy
from tests.support.published import DATA, published

ROOT = DATA.parent.parent

REFERENCE = json.loads((DATA / "reference_caches.json").read_text(encoding="utf-8"))

#: Where the two differ for a reason that is not the law's: why.
EXPLAINED = {
    "XiaomiMiMo/MiMo-V2-Flash": "the class adds one to the stated window: it counts the token itself",
    "RedHatAI/DeepSeek-V4-Flash-NVFP4-FP8": "the reference stores keys and values apart in its plain windowed layers, though they are one",
    "deepseek-ai/DeepSeek-V4-Flash-0731": "as above",
    "nvidia/DeepSeek-V4-Flash-NVFP4": "as above",
    "default:mimo_v2_flash": "heads of windowed layers are computed by the class, and stated by every published config",
    "default:zaya": "two stacked convolutions are three wide together, so both inputs that the reference keeps are needed",
    "default:minimax": "the reference keeps the state of its lightning layers outside the cache's layers",
    "default:t5": "the reference's decoder took its depth before the alias set the encoder's: six layers beside eight",
    "default:longt5": "as above",
    "tiiuae/falcon-180B-chat": "the reference repeats each key/value head for its query heads before it caches them",
}
#: Types whose class defaults alone leave the layout open: unknown, and said so.
OPEN = ("default:hrm_text",)
#: Types whose layers are counted in a nested config that the default config does not reach.
NESTED = (
    "default:fuyu",
    "default:nemo_speechlm",
    "default:seamless_m4t",
    "default:seamless_m4t_v2",
    "default:t5gemma2",
    "default:plbart",
    "default:dots3_note",
)


def _config(name: str) -> dict[str, Any]:
    if not name.startswith("default:"):
        return published()[name]
    model_type = name.removeprefix("default:")
    config = {"model_type": model_type, "num_hidden_layers": REFERENCE["default_layers"], **REFERENCE["tuned"].get(model_type, {})}
    return {**config, "architectures": ["AnyForCausalLM"]}


@pytest.mark.parametrize("name", sorted(REFERENCE["caches"]))
def test_every_layer_keeps_what_the_reference_keeps(name: str) -> None:
    if name in EXPLAINED or name in NESTED:
        pytest.skip(EXPLAINED.get(name, "nested"))
    config = _config(name)
    if (config.get("architectures") or [""])[0].endswith("EncoderModel"):
        pytest.skip("the reference ran the whole encoder-decoder; this class has no decoder")
    anatomy = read_anatomy(config)
    if name in OPEN:
        assert not anatomy.layers
        assert anatomy.unknown
        return
    expected = [_expected(run[1:], anatomy.max_context) for run in REFERENCE["caches"][name] for _ in range(run[0])]
    assert [_kept(layer) for layer in anatomy.layers] == expected


def _kept(layer: Layer) -> tuple[float, int, int | None]:
    """Elements per token, elements of fixed state, window."""
    own = [mixer for mixer in layer.mixers if mixer.kind is not LayerKind.CROSS]
    windows = [mixer.window for mixer in own if mixer.window is not None]
    return (
        sum(mixer.elements_per_token for mixer in own),
        sum(state.elements for mixer in own for state in mixer.states),
        max(windows, default=None),
    )


def _expected(row: list[Any], longest: int | None) -> tuple[float, int, int | None]:
    """Return the reference in our terms.

    It keeps as many inputs of a convolution as that is wide, one more than the next step needs; and it calls layers windowed whose window
    no context reaches.
    """
    per_token, recurrent, convolutions, window = row
    state = recurrent + sum(channels * (columns - 1) for channels, columns in convolutions)
    return per_token, state, None if window is not None and longest is not None and window >= longest else window


def test_the_page_of_architectures_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_docs_architectures.py"), "--check"],
        check=False,
        capture_output=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, "run tools/make_docs_architectures.py"
