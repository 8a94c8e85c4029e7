"""The fact catalogue: every name a report, a rule or a policy may use, with its type, unit, values and meaning.

A fact is a value with a basis, or ``Unknown`` with the reason. A fact that does not apply to a model is simply absent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Value = str | int | float | bool | tuple[str, ...] | tuple[int, ...]
FactType = Literal["string", "integer", "number", "boolean", "strings", "integers"]


class Basis(StrEnum):
    """Where a fact's value came from."""

    HEADER = "header"
    INDEX = "index"
    FILE_SIZE = "file-size"
    USER = "user"
    CONFIG = "config"
    CLASS_DEFAULT = "class-default"
    DERIVED = "derived"
    ASSUMED = "assumed"
    MEASURED = "measured"
    CATALOG = "catalog"


@dataclass(frozen=True, slots=True)
class Known:
    """A value and where it came from."""

    value: Value
    basis: Basis


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that applies and could not be had."""

    reason: str
    settled_by: tuple[str, ...] = ()
    """What would settle it: a file to add, an option to give."""


class Facts(Mapping[str, Known | Unknown]):
    """Facts by name. Names are checked against the catalogue, values against the declared type.

    Raises KeyError for a name that is not in the catalogue and TypeError for a value of the wrong type: both are
    mistakes of ours, never of the user's files.
    """

    __slots__ = ("_facts",)

    def __init__(self, facts: Mapping[str, Known | Unknown] | None = None) -> None:
        self._facts = dict(facts or {})
        for name, fact in self._facts.items():
            spec = CATALOGUE[name]
            if isinstance(fact, Known) and not spec.accepts(fact.value):
                message = f"{name} is {fact.value!r}, which is not {spec.type}"
                raise TypeError(message)

    def __getitem__(self, name: str) -> Known | Unknown:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __repr__(self) -> str:
        return f"Facts({self._facts!r})"

    def value(self, name: str) -> Value | None:
        """Return the value of a known fact; None when it is unknown or does not apply."""
        fact = self._facts.get(name)
        return fact.value if isinstance(fact, Known) else None

    def number(self, name: str) -> float | None:
        """Return a known number; None when it is unknown, absent, or no number."""
        value = self.value(name)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def integer(self, name: str) -> int | None:
        """Return a known integer; None when it is unknown, absent, or no integer."""
        value = self.value(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def text(self, name: str) -> str | None:
        """Return a known string; None when it is unknown, absent, or no string."""
        value = self.value(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool:
        """Return True only for a fact known to be true."""
        return self.value(name) is True

    def merged(self, other: Mapping[str, Known | Unknown]) -> "Facts":
        """Return these facts with ``other`` laid over them."""
        result = Facts()
        # Facts are checked already, and an audit lays facts over facts for every target.
        result._facts = {**self._facts, **(other if isinstance(other, Facts) else Facts(other))}
        return result


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One entry of the catalogue."""

    name: str
    type: FactType
    unit: str
    """Empty for a plain word or count."""
    meaning: str
    values: tuple[str, ...] = ()
    """The closed list of values, where there is one."""

    def accepts(self, value: object) -> bool:
        """Return whether ``value`` has this fact's type and, for a closed list, is on it."""
        match self.type:
            case "string":
                return isinstance(value, str) and (not self.values or value in self.values)
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case "strings":
                return isinstance(value, tuple) and all(
                    isinstance(item, str) and (not self.values or item in self.values) for item in value
                )
            case "integers":
                return isinstance(value, tuple) and all(isinstance(item, int) for item in value)


ARCH_CLASSES = ("dense-transformer", "moe-transformer", "multimodal", "diffusion", "ssm", "hybrid", "other")
TASKS = (
    "causal-lm",
    "seq2seq-lm",
    "encoder",
    "embedding",
    "reranker",
    "image-text-to-text",
    "audio-text-to-text",
    "any-to-any",
    "speech-to-text",
    "text-to-speech",
    "text-to-image",
    "text-to-video",
    "image-encoder",
    "audio-encoder",
    "other",
    "unknown",
)
ATTENTION_KINDS = ("mha", "gqa", "mqa", "mla", "none", "mixed")
QUANT_METHODS = (
    "none",
    "gptq",
    "awq",
    "bitsandbytes",
    "fp8",
    "compressed-tensors",
    "modelopt-fp8",
    "nvfp4",
    "mxfp4",
    "mxfp8",
    "quark",
    "torchao",
    "aqlm",
    "hqq",
    "eetq",
    "autoround",
    "exl2",
    "exl3",
    "gguf",
    "mlx",
    "other",
)
FORMATS = ("safetensors", "gguf", "pytorch", "tensorflow", "flax", "onnx", "mlx", "consolidated", "none")
VERDICTS = ("native", "config-change", "needs-port", "blocked", "unknown")
AVAILABILITIES = ("open", "limited", "captive", "unreleased")
#: Status of an architecture or of a format on a stack; the meaning of each is in docs/method.md.
SUPPORT_STATUSES = ("validated", "listed", "fallback", "contributed", "convert", "absent", "unlisted", "blocked", "unavailable")


def _model_facts() -> list[FactSpec]:
    return [
        FactSpec("model.id", "string", "", "Name of the model as given."),
        FactSpec("model.format", "string", "", "Format of the weights that would be loaded.", FORMATS),
        FactSpec("model.variant", "string", "", "Variant of the weights that would be loaded; absent for the default."),
        FactSpec("model.adapter_base", "string", "", "Base model of a PEFT adapter."),
        FactSpec("model.components", "strings", "", "Components of a pipeline that hold weights."),
        FactSpec("arch.class", "string", "", "Architecture class.", ARCH_CLASSES),
        FactSpec("arch.model_type", "string", "", "model_type of the config (or the GGUF architecture)."),
        FactSpec("arch.architectures", "strings", "", "Class names that the config states."),
        FactSpec("arch.task", "string", "", "What the model does.", TASKS),
        FactSpec("arch.known", "boolean", "", "Whether model_type is one whose layout is taught to auditor or transformers."),
        FactSpec("arch.layers", "integer", "layers", "Decoder layers (encoder layers of an encoder)."),
        FactSpec("arch.encoder_layers", "integer", "layers", "Encoder layers of an encoder-decoder model."),
        FactSpec("arch.mtp_layers", "integer", "layers", "Layers for multi-token prediction, beside the decoder's."),
        FactSpec("arch.hidden_size", "integer", "", "Width of the residual stream of the language model."),
        FactSpec("arch.intermediate_size", "integer", "", "Width of the dense feed-forward layers."),
        FactSpec("arch.vocab_size", "integer", "tokens", "Rows of the token embedding."),
        FactSpec("arch.max_context", "integer", "tokens", "Largest number of positions the config allows."),
        FactSpec("arch.tied_embeddings", "boolean", "", "Whether input embedding and output head share one matrix."),
        FactSpec("arch.dtype", "string", "", "Compute type that the config states."),
        FactSpec(
            "arch.position", "string", "", "Kind of position encoding.", ("rope", "alibi", "learned", "sinusoidal", "relative", "none")
        ),
        FactSpec("attention.kind", "string", "", "Kind of attention.", ATTENTION_KINDS),
        FactSpec("attention.heads", "integer", "heads", "Query heads per layer."),
        FactSpec("attention.kv_heads", "integer", "heads", "Key/value heads per layer (the largest, where layers differ)."),
        FactSpec("attention.head_dim", "integer", "", "Width of one head."),
        FactSpec("attention.value_head_dim", "integer", "", "Width of one value head, where it differs from head_dim."),
        FactSpec("attention.sliding_window", "integer", "tokens", "Window of the windowed or chunked layers."),
        FactSpec("attention.full_layers", "integer", "layers", "Layers whose cache grows without bound (latent ones too)."),
        FactSpec("attention.sliding_layers", "integer", "layers", "Layers bounded by a window or chunk."),
        FactSpec("attention.linear_layers", "integer", "layers", "Linear-attention layers (delta nets, lightning, RWKV, …)."),
        FactSpec("attention.ssm_layers", "integer", "layers", "State-space layers (Mamba 1 and 2)."),
        FactSpec(
            "attention.recurrent_kinds",
            "strings",
            "",
            "Kinds of recurrent layer: mamba1, mamba2, gated-deltanet, kda, lightning, rwkv, rg-lru, short-conv, …",
        ),
        FactSpec("attention.shared_layers", "integer", "layers", "Layers that read another layer's cache."),
        FactSpec("attention.cross_layers", "integer", "layers", "Layers with cross attention."),
        FactSpec("attention.indexer_layers", "integer", "layers", "Layers that keep keys for a sparse-attention indexer."),
        FactSpec("attention.sparse", "boolean", "", "Whether attention selects tokens by an indexer or by blocks."),
        FactSpec("attention.latent_rank", "integer", "", "Rank of the compressed key/value latent (MLA)."),
        FactSpec("attention.rope_head_dim", "integer", "", "Width of the decoupled rotary key (MLA)."),
        FactSpec("attention.query_rank", "integer", "", "Rank of the compressed queries (MLA); absent where they are not compressed."),
        FactSpec("attention.qkv_bias", "boolean", "", "Whether query, key and value projections have a bias."),
        FactSpec("attention.sinks", "boolean", "", "Whether attention has learned sinks."),
        FactSpec("moe.experts", "integer", "experts", "Routed experts per MoE layer."),
        FactSpec("moe.experts_per_token", "integer", "experts", "Routed experts that one token uses."),
        FactSpec("moe.shared_experts", "integer", "experts", "Experts that every token uses."),
        FactSpec("moe.intermediate_size", "integer", "", "Width of one routed expert."),
        FactSpec("moe.layers", "integer", "layers", "Layers with routed experts."),
        FactSpec("moe.dense_layers", "integer", "layers", "Layers without routed experts in a MoE model."),
        FactSpec(
            "params.total", "integer", "parameters", "Logical parameters, MTP layers left out, packed tensors unpacked, a tied head once."
        ),
        FactSpec("params.active", "integer", "parameters", "All but the routed experts, plus those one token uses; embeddings included."),
        FactSpec(
            "params.decode",
            "integer",
            "parameters",
            "What one decode step multiplies: params.active without the input embedding look-up and towers.",
        ),
        FactSpec("params.embedding", "integer", "parameters", "Token embedding, and the output head where it is not tied."),
        FactSpec("params.routed_experts", "integer", "parameters", "All routed experts of all layers."),
        FactSpec("params.mtp", "integer", "parameters", "Multi-token-prediction layers."),
        FactSpec("params.towers", "integer", "parameters", "Vision and audio towers with their projectors."),
        FactSpec("params.components", "strings", "", "Components of a pipeline with their counts, as name=count."),
        FactSpec("weights.bytes", "integer", "bytes", "Tensor bytes of one format and variant, everything stored included."),
        FactSpec("weights.loaded_bytes", "integer", "bytes", "Tensor bytes that a text-serving stack loads: without MTP layers."),
        FactSpec("weights.dtype", "string", "", "Type that holds most of the bytes."),
        FactSpec("weights.dtypes", "strings", "", "Every stored type, most bytes first."),
        FactSpec("weights.files", "integer", "files", "Weight files that would be loaded."),
        FactSpec("weights.tensors", "integer", "tensors", "Tensors in them."),
        FactSpec("weights.embedding_bytes", "integer", "bytes", "Bytes of token embedding and untied output head."),
        FactSpec("weights.routed_expert_bytes", "integer", "bytes", "Bytes of the routed experts, scales included."),
        FactSpec("weights.mtp_bytes", "integer", "bytes", "Bytes of multi-token-prediction layers."),
        FactSpec("weights.tower_bytes", "integer", "bytes", "Bytes of vision and audio towers."),
        FactSpec("weights.bits_per_parameter", "number", "bits", "Stored bits per logical parameter."),
        FactSpec("quant.method", "string", "", "Quantization method of the stored weights.", QUANT_METHODS),
        FactSpec("quant.bits", "number", "bits", "Bits per quantized weight."),
        FactSpec("quant.activation_bits", "integer", "bits", "Bits of quantized activations; absent for weight-only methods."),
        FactSpec("quant.activation_scheme", "string", "", "How activations are quantized.", ("static", "dynamic")),
        FactSpec("quant.group_size", "integer", "", "Weights that share a scale; -1 for a whole channel."),
        FactSpec("quant.weight_format", "string", "", "Type the quantized weights are stored as."),
        FactSpec("quant.excluded_modules", "strings", "", "Module patterns left unquantized."),
        FactSpec("quant.kv_scheme", "string", "", "Type of the cache that the checkpoint carries scales for."),
        FactSpec("kv_cache.dtype", "string", "", "Type of the cache."),
        FactSpec("kv_cache.bytes_per_token", "number", "bytes", "Growth per token of one sequence, all layers without bound, whole model."),
        FactSpec("kv_cache.bytes_per_token_windowed", "number", "bytes", "The same for layers bounded by a window, while inside it."),
        FactSpec("kv_cache.bytes", "number", "bytes", "Cache of the workload, logical."),
        FactSpec("kv_cache.bytes_per_sequence", "number", "bytes", "Cache and state of one sequence at the workload's context, logical."),
        FactSpec("state.bytes_per_sequence", "number", "bytes", "Fixed recurrent and convolution state of one sequence."),
        FactSpec("state.dtype", "string", "", "Type of the recurrent state."),
        FactSpec("repo.custom_code", "boolean", "", "Whether the config asks for code of the repository (auto_map)."),
        FactSpec("repo.pickle_only", "boolean", "", "Whether the weights exist only as pickles."),
        FactSpec("repo.license", "string", "", "Licence that the model card states."),
        FactSpec("repo.gated", "boolean", "", "Whether the Hub gates the model."),
        FactSpec("repo.imports", "strings", "", "Top-level packages that the repository's Python files import."),
        FactSpec("repo.custom_kernels", "strings", "", "Triton and CUDA kernels defined in the repository."),
        FactSpec("repo.suspicious_globals", "strings", "", "Globals in pickled weights that a tensor file does not need."),
        FactSpec("repo.duplicate_bytes", "integer", "bytes", "Bytes of other formats and variants beside the chosen one."),
        FactSpec("repo.contradictions", "strings", "", "Statements of the files that disagree with each other."),
    ]


def _workload_facts() -> list[FactSpec]:
    return [
        FactSpec("workload.context", "integer", "tokens", "Tokens of context per sequence that memory is sized for."),
        FactSpec("workload.concurrency", "integer", "sequences", "Sequences served at once."),
        FactSpec("workload.input_tokens", "integer", "tokens", "Prompt tokens of a request."),
        FactSpec("workload.output_tokens", "integer", "tokens", "Generated tokens of a request."),
        FactSpec("workload.tokens_per_day", "number", "tokens/day", "Generated tokens per day."),
        FactSpec("workload.kv_dtype", "string", "", "Type of the cache that the user asks for."),
        FactSpec("workload.lora", "boolean", "", "Whether LoRA adapters are served."),
        FactSpec("workload.speculative", "boolean", "", "Whether speculative decoding is in use."),
        FactSpec("workload.structured_output", "boolean", "", "Whether structured output is in use."),
        FactSpec("workload.prefix_caching", "boolean", "", "Whether prefix caching is in use."),
        FactSpec("workload.multimodal_input", "boolean", "", "Whether images, audio or video are sent."),
        FactSpec("workload.current_stack", "string", "", "Stack that serves the model today."),
    ]


def _accelerator_facts() -> list[FactSpec]:
    return [
        FactSpec("accelerator.id", "string", "", "Accelerator."),
        FactSpec("accelerator.name", "string", "", "Its name."),
        FactSpec("accelerator.vendor", "string", "", "Its vendor."),
        FactSpec("accelerator.family", "string", "", "Family that shares software support (hopper, trn2, tpu-v6e, …)."),
        FactSpec("accelerator.memory_bytes", "integer", "bytes", "Memory that can be planned with."),
        FactSpec("accelerator.native_dtypes", "strings", "", "Types its matrix units multiply."),
        FactSpec("accelerator.availability", "string", "", "Who can get it.", AVAILABILITIES),
        FactSpec("accelerator.training", "boolean", "", "Whether it trains as well."),
        FactSpec("accelerator.excluded_classes", "strings", "", "Architecture classes fixed silicon is said to exclude.", ARCH_CLASSES),
        FactSpec("accelerator.excluded_layers", "strings", "", "Layer kinds its own vendor says it cannot run."),
        FactSpec("accelerator.kernel_language", "boolean", "", "Whether customers can write kernels for it."),
        FactSpec("accelerator.compute_capability", "number", "", "CUDA compute capability, on NVIDIA GPUs."),
    ]


def _stack_facts() -> list[FactSpec]:
    return [
        FactSpec("stack.id", "string", "", "Serving stack."),
        FactSpec("stack.name", "string", "", "Its name."),
        FactSpec(
            "stack.family",
            "string",
            "",
            "Family whose effort figures apply.",
            ("cuda", "neuron", "tpu_vllm", "jax", "rocm", "gaudi", "hosted_asic", "captive", "local"),
        ),
        FactSpec(
            "stack.maturity", "string", "", "State of the stack.", ("stable", "beta", "preview", "maintenance", "end-of-support", "closed")
        ),
        FactSpec("stack.version", "string", "", "Version that the support lists are about."),
        FactSpec("stack.end_of_life", "string", "", "Date on which support ends, where one is announced."),
        FactSpec("stack.hosted", "boolean", "", "Whether it is a service rather than software one runs."),
        FactSpec("stack.hosted_model", "boolean", "", "Whether the service's catalogue names this model; absent where nothing is hosted."),
        FactSpec("stack.architectures_complete", "boolean", "", "Whether its list of architectures is complete."),
        FactSpec("stack.architecture_status", "string", "", "Status of this model's architecture on the stack and chip.", SUPPORT_STATUSES),
        FactSpec("stack.architecture_note", "string", "", "What the support list adds about it."),
        FactSpec(
            "stack.format_status",
            "string",
            "",
            "Status of this model's weight format on the stack and chip.",
            ("native", *SUPPORT_STATUSES),
        ),
        FactSpec("stack.format_note", "string", "", "What the support list adds about it."),
        FactSpec("stack.format_holds", "string", "", "What the device holds the weights in: as-stored, or a type."),
        FactSpec("stack.format_work", "string", "", "What a conversion takes.", ("rescale", "requantize", "dequantize")),
        FactSpec("stack.quantization", "strings", "", "Quantization methods that load on this chip as published.", QUANT_METHODS),
        FactSpec("stack.features", "strings", "", "Serving features it supports on this chip."),
        FactSpec("stack.unsupported_features", "strings", "", "Serving features it says it lacks."),
        FactSpec("stack.position_unsupported", "strings", "", "Position encodings it rejects."),
        FactSpec("stack.recurrent_unsupported", "strings", "", "Kinds of recurrent layer it has no kernel for."),
        FactSpec("stack.tasks_unsupported", "strings", "", "Tasks it does not serve.", TASKS),
        FactSpec("stack.max_head_dim", "integer", "", "Largest head width its fast attention kernel takes."),
        FactSpec("stack.max_experts_per_token", "integer", "experts", "Largest number of routed experts its kernels take."),
        FactSpec("stack.max_context", "integer", "tokens", "Largest context it serves."),
    ]


def _fit_facts() -> list[FactSpec]:
    return [
        FactSpec("fit.feasible", "boolean", "", "Whether some offered configuration holds weights and cache."),
        FactSpec("fit.reason", "string", "", "Why none does."),
        FactSpec("fit.devices", "integer", "devices", "Devices of the placement."),
        FactSpec("fit.instances", "integer", "instances", "Instances of the placement."),
        FactSpec("fit.tensor_parallel", "integer", "ranks", "Tensor-parallel degree."),
        FactSpec("fit.pipeline_parallel", "integer", "stages", "Pipeline-parallel degree."),
        FactSpec("fit.borderline", "boolean", "", "Whether the placement is within five percent of a limit."),
        FactSpec("fit.cache_cap_raised", "boolean", "", "Whether the placement needs the stack's default cap on the cache raised."),
        FactSpec("fit.headroom_bytes", "integer", "bytes", "Memory left per device."),
        FactSpec("fit.max_concurrency", "integer", "sequences", "Sequences that fit at the workload's context."),
        FactSpec("fit.max_context", "integer", "tokens", "Context that fits at the workload's concurrency."),
        FactSpec("fit.weights_bytes", "integer", "bytes", "Weights as the target holds them, all devices."),
        FactSpec("fit.weights_dtype", "string", "", "Type the target holds the weights in, where it converts them."),
        FactSpec("fit.divisible", "boolean", "", "Whether a tensor-parallel degree that fits also divides the model as the stack demands."),
    ]


#: How the names of facts begin that only a finished audit has: policies read them, rules cannot.
AFTER_AUDIT = ("audit.", "row.")


def _audit_facts() -> list[FactSpec]:
    """Facts of all rows of one model. Only what is known counts: an unknown verdict is no evidence."""
    return [
        FactSpec("audit.native_vendors", "integer", "vendors", "Vendors with a chip to be had on which some stack's verdict is native."),
        FactSpec("audit.vendors_at_most_config_change", "integer", "vendors", "The same for verdicts of at most config-change."),
        FactSpec("audit.vendors_at_most_needs_port", "integer", "vendors", "The same for verdicts of at most needs-port."),
        FactSpec("audit.native_on", "strings", "", "Accelerators to be had on which some stack's verdict is native."),
        FactSpec("audit.at_most_config_change_on", "strings", "", "The same for verdicts of at most config-change."),
        FactSpec("audit.fits_on", "strings", "", "Accelerators to be had of which an offered configuration holds weights and cache."),
        FactSpec("audit.fits_one_of", "strings", "", "Accelerators of which one device holds weights and cache."),
        FactSpec("audit.lowest_usd_per_hour", "number", "USD/hour", "Cheapest placement whose verdict is at most config-change."),
        FactSpec(
            "audit.lowest_usd_per_million_tokens",
            "number",
            "USD",
            "Lowest likely price of a million generated tokens among placements whose verdict is at most config-change.",
        ),
    ]


def _row_facts() -> list[FactSpec]:
    return [
        FactSpec("row.verdict", "string", "", "Verdict of the model on the target.", VERDICTS),
        FactSpec("row.usd_per_hour", "number", "USD/hour", "Price of the placement."),
        FactSpec("row.usd_per_million_tokens", "number", "USD", "Likely price of a million generated tokens."),
        FactSpec("row.output_tokens_per_s", "number", "tokens/s", "Likely generated tokens per second of the placement."),
        FactSpec("row.decode_tokens_per_s_per_sequence", "number", "tokens/s", "Likely generated tokens per second that one reader sees."),
        FactSpec("row.ttft_s", "number", "s", "Likely seconds to the first token."),
        FactSpec("row.effort_weeks", "number", "weeks", "Likely engineer-weeks of the move."),
    ]


CATALOGUE: dict[str, FactSpec] = {
    spec.name: spec
    for group in (_model_facts, _workload_facts, _accelerator_facts, _stack_facts, _fit_facts, _audit_facts, _row_facts)
    for spec in group()
}
