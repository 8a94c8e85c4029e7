"""What serves in a container: the engine by its image or command, the model and the flags of its command line and environment.

Flags are those that each project documents: vLLM ``vllm serve``, SGLang ``launch_server``, TGI's launcher (whose options are
environment variables too), KServe's Hugging Face server, Triton's ``tritonserver``.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.fleet.discover.documents import read, whole
from auditor.inspection.census import known_cache_dtype

#: What a command runs, looked for before the image is: an image may hold several engines.
_COMMANDS = (
    ("sglang", re.compile(r"\bsglang(?:\.launch_server|\s+serve)\b")),
    ("vllm", re.compile(r"\bvllm\s+serve\b|\bvllm\.entrypoints\.\w+")),
    ("tgi", re.compile(r"\btext-generation-launcher\b")),
    ("tei", re.compile(r"\btext-embeddings-router\b")),
    ("tensorrt-llm", re.compile(r"\btrtllm-serve\b")),
    ("triton", re.compile(r"\btritonserver\b")),
    ("llama.cpp", re.compile(r"\bllama-server\b")),
)
_IMAGES = (
    ("tgi", "text-generation-inference"),
    ("tei", "text-embeddings-inference"),
    ("sglang", "sglang"),
    ("triton", "tritonserver"),
    ("tensorrt-llm", "tensorrt-llm"),
    ("vllm", "vllm"),
    ("vllm", "huggingfaceserver"),
    ("llama.cpp", "llama.cpp"),
    ("ollama", "ollama/ollama"),
    ("nim", "nvcr.io/nim/"),
)
#: Images with an engine's name that serve no model.
_HELPERS = re.compile(r"router|scheduler|gateway|proxy|exporter|benchmark|-epp")
_MODEL = ("model", "model-path", "model-id", "hf-repo", "model-repository", "model-store", "model-dir")
_NAMES = ("served-model-name", "model-name")
_CONTEXT = ("max-model-len", "context-length", "max-total-tokens", "max-seq-len", "ctx-size")
#: Flag, then how ``serving`` calls it.
_WHOLE = {
    "tensor-parallel-size": "tensor_parallel",
    "tp-size": "tensor_parallel",
    "tp": "tensor_parallel",
    "num-shard": "tensor_parallel",
    "pipeline-parallel-size": "pipeline_parallel",
    "pp-size": "pipeline_parallel",
    "pp": "pipeline_parallel",
    "data-parallel-size": "data_parallel",
    "dp-size": "data_parallel",
    "dp": "data_parallel",
    "max-num-seqs": "max_sequences",
    "max-running-requests": "max_sequences",
    "max-concurrent-requests": "max_sequences",
}
_TEXTS = {"quantization": "quantization", "quantize": "quantization", "dtype": "dtype", "load-format": "load_format"}
_SPECULATIVE = (
    "speculative-config",
    "speculative-model",
    "speculative-algorithm",
    "num-speculative-tokens",
    "speculate",
    "speculative-draft",
)
_LORA = ("enable-lora", "lora-modules", "lora-paths", "lora-adapters")
_SHORT = {"-tp": "--tensor-parallel-size", "-pp": "--pipeline-parallel-size", "-dp": "--data-parallel-size", "-q": "--quantization"}
#: llama.cpp's own; elsewhere ``-m`` and ``-c`` are Python's and the shell's.
_LLAMA = {"-m": "--model", "-c": "--ctx-size", "-hf": "--hf-repo"}
#: Environment variables that stand for options, by engine.
_ENVIRONMENT = {
    "tgi": {"HF_MODEL_ID", "MODEL_ID", "REVISION", "NUM_SHARD", "QUANTIZE", "MAX_TOTAL_TOKENS", "SPECULATE", "LORA_ADAPTERS", "DTYPE"},
    "tei": {"HF_MODEL_ID", "MODEL_ID", "REVISION", "DTYPE"},
}
_MULTIPLIERS = {"k": 10**3, "m": 10**6, "K": 2**10, "M": 2**20}
#: Options that stand alone, so that the next word is no value of theirs.
_SWITCH = re.compile(r"(?:enable|disable|no|trust|enforce|skip)-")
_VARIABLE = re.compile(r"\$\((\w+)\)|\$\{(\w+)(?::?([-?+])([^}]*))?\}|\$(\w+)")
#: ``NAME=value`` where a command may begin.
_ASSIGNMENT = re.compile(r"""(?:^|[;\n&|]|\bexport\b|\bthen\b|\bdo\b)[ \t]*([A-Za-z_]\w*)=("[^"\n]*"|'[^'\n]*'|[^\s;&|]*)""")
#: Engines whose flags may stand in a YAML file that ``--config`` names.
_CONFIGURED = {"vllm", "sglang"}
#: What a lone word must look like to be a model: a name of the Hub, a path, an address.
_NAMES_A_MODEL = re.compile(r"[\w.-]+/[\w.-]+|/[\w./-]+|\w+://\S+")
#: A shell's script is read so far; no launch command comes near it.
_SCRIPT_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Served:
    """What one container serves."""

    engine: str
    model: str | None
    name: str = ""
    workload: Mapping[str, Any] = field(default_factory=dict)
    serving: Mapping[str, Any] = field(default_factory=dict)


def served(
    image: str, command: Sequence[str], environment: Mapping[str, str], files: Callable[[str], str | None] = lambda _: None
) -> Served | None:
    """Return what a container serves, or None for one that serves no model. ``files`` gives the text of a file in it, where known."""
    words = _words(command, environment)
    engine = _engine(image, words)
    if engine is None:
        return None
    if engine == "llama.cpp":
        words = [_LLAMA.get(word, word) for word in words]
    options, loose = parsed(words)
    for name in _ENVIRONMENT.get(engine, ()):
        if value := environment.get(name):
            options.setdefault("model-id" if name == "HF_MODEL_ID" else name.lower().replace("_", "-"), value)
    if engine == "vllm" and (more := environment.get("VLLM_ADDITIONAL_ARGS")):  # KServe's way of adding flags
        options |= parsed(_split(more))[0]
    if engine in _CONFIGURED and (text := files(options.get("config", ""))):
        options = _settings(text) | options
    model = next((options[name] for name in _MODEL if options.get(name)), None) or _positional(loose)
    if engine == "nim":
        # The image is the model.
        model = "nim://" + image.partition("nvcr.io/nim/")[2].partition(":")[0].partition("@")[0]
    return with_options(engine, model, options)


def _settings(text: str) -> dict[str, str]:
    """Return the flags in a YAML file of them."""
    documents, _ = read(text.encode(), "--config")
    return merged(item for block in documents for item in block.items())


def merged(options: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return options of a mapping (``max_model_len: "1024"``) as flags spell them."""
    return {key.replace("_", "-"): value if isinstance(value, str) else "true" for key, value in options if value is not None}


def with_options(engine: str, model: str | None, options: Mapping[str, str]) -> Served:
    """Return what an engine with these options serves; their names are written with dashes."""
    workload: dict[str, Any] = {}
    serving: dict[str, Any] = {"engine": engine}
    for name in _CONTEXT:
        if (context := length(options.get(name))) is not None:
            workload["context"] = context
            break
    for name, called in _WHOLE.items():
        if (number := whole(options.get(name))) is not None:
            serving.setdefault(called, number)
    for name, called in _TEXTS.items():
        if (text := options.get(name)) and text not in ("auto", "none"):
            serving.setdefault(called, text)
    if (cache := options.get("kv-cache-dtype")) and cache != "auto":
        if known_cache_dtype(cache):
            workload["kv_dtype"] = cache
        else:
            serving["kv_cache_dtype"] = cache
    if any(_on(options.get(name)) for name in _SPECULATIVE):
        workload["speculative"] = True
    if any(_on(options.get(name)) for name in _LORA):
        workload["lora"] = True
    if _on(options.get("enable-prefix-caching")):
        workload["prefix_caching"] = True
    if model and (revision := options.get("revision")) and "@" not in model:
        model = f"{model}@{revision}"
    return Served(engine, model, next((options[name] for name in _NAMES if options.get(name)), ""), workload, serving)


def parsed(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return options by name (dashes, no leading ones) with their values, and the words that are no option's."""
    options: dict[str, str] = {}
    loose: list[str] = []
    name = ""
    for word in words:
        short, equals, value = word.partition("=")
        spelled = f"{_SHORT[short]}{equals}{value}" if short in _SHORT else word
        if re.match(r"--[A-Za-z]", spelled):
            key, equals, value = spelled[2:].partition("=")
            key = key.replace("_", "-")
            options[key] = value if equals else "true"
            name = "" if equals else key
        elif name and _SWITCH.match(name) and word.lower() not in ("true", "false"):
            loose.append(word)
            name = ""
        elif name:
            # The first word after an option is its value; further ones belong to an option that takes several.
            options[name] = word
            name = ""
        else:
            loose.append(word)
    return options, loose


def length(text: str | None) -> int | None:
    """Return a number of tokens, which vLLM lets one write as ``32k`` (thousands) or ``32K`` (of 1,024)."""
    if text is None:
        return None
    if text[-1:] in _MULTIPLIERS and re.fullmatch(r"\d{1,9}(\.\d{1,6})?", text[:-1]):
        return int(float(text[:-1]) * _MULTIPLIERS[text[-1]])
    number = whole(text)
    return number or None


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """Return ``text`` with variables replaced where their values are known, once, as Kubernetes, Compose and shells do."""

    def value(found: re.Match[str]) -> str:
        known = environment.get(found[1] or found[2] or found[5])
        if found[3] == "+":
            return found[4] if known else ""
        return known or (found[4] if found[3] == "-" else found[0])

    return _VARIABLE.sub(value, text)


def _words(command: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    words: list[str] = []
    known = dict(environment)
    for word in command:
        for name, value in _ASSIGNMENT.findall(word[:_SCRIPT_LIMIT]) if re.search(r"\s", word) else ():
            known[name] = expanded(value.strip("\"'"), known)
        text = expanded(word, known)
        # The script of a shell, or a whole command in one string.
        words += _split(text) if re.search(r"\s", text) and not text.lstrip().startswith(("{", "[")) else [text]
    return words


def _split(text: str) -> list[str]:
    text = text[:_SCRIPT_LIMIT].replace("\\\n", " ")
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # an unbalanced quote
        return text.split()


def _engine(image: str, words: Sequence[str]) -> str | None:
    line = " ".join(words)
    for engine, pattern in _COMMANDS:
        if pattern.search(line):
            return engine
    name = image.lower()
    if _HELPERS.search(name):
        return None
    return next((engine for engine, part in _IMAGES if part in name), None)


def _positional(loose: Sequence[str]) -> str | None:
    """Return the model of ``vllm serve MODEL``, ``sglang serve MODEL`` or ``trtllm-serve MODEL``."""
    for at, word in enumerate(loose[:-1]):
        starts = (word == "serve" and at > 0) or word.endswith("trtllm-serve")
        if starts and loose[at + 1] not in ("serve", "&&", ";"):
            return loose[at + 1]
    # An image that starts the server itself is given the model alone.
    return loose[0] if loose and _NAMES_A_MODEL.fullmatch(loose[0]) else None


def _on(value: str | None) -> bool:
    return value is not None and value.lower() not in ("", "false", "0", "none", "null", "[]")
