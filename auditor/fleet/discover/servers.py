"""Running servers: what they say of themselves at their own pages.

Pages: the OpenAI-compatible ``/v1/models`` (vLLM and SGLang add ``root`` and ``max_model_len``), SGLang's ``/server_info`` (before,
``/get_server_info``), TGI's and TEI's ``/info``, and vLLM's ``/metrics``, whose ``cache_config_info`` holds its cache's settings.
"""

from typing import Any

from auditor.baseline.metrics import Sample, parse
from auditor.bounded_json import parse_object
from auditor.endpoint import MAX_BYTES, Endpoint
from auditor.errors import Malformed, NotFound, TargetError
from auditor.fleet.discover.entry import entry
from auditor.fleet.discover.flags import Served, with_options
from auditor.fleet.discover.found import DiscoverOptions, Found

#: Settings of SGLang's answer that are read; the others, its key among them, are not.
_SGLANG = (
    "model_path",
    "served_model_name",
    "revision",
    "tp_size",
    "pp_size",
    "dp_size",
    "context_length",
    "quantization",
    "kv_cache_dtype",
    "dtype",
    "speculative_algorithm",
    "enable_lora",
    "lora_paths",
    "max_running_requests",
)
_MODELS_LIMIT = 10_000
_OWNERS = {"vllm": "vllm", "sglang": "sglang", "llamacpp": "llama.cpp"}


def server(endpoint: Endpoint, options: DiscoverOptions) -> Found:
    """Return what a server serves. Raises TargetError when it does not answer, or is none that we know."""
    listed = _optional(endpoint, "/v1/models")
    models = _models(listed) if listed is not None else []
    owners = {_OWNERS.get(str(model.get("owned_by"))) for model in models}
    if "vllm" in owners:
        return _vllm(endpoint, models, options)
    if "sglang" not in owners and (info := _optional(endpoint, "/info")) is not None and isinstance(info.get("model_id"), str):
        return _entry(endpoint, _tgi(info), options)
    for path in ("/server_info", "/get_server_info"):
        if (info := _optional(endpoint, path)) is not None and isinstance(info.get("model_path"), str):
            return _entry(endpoint, _sglang(info), options)
    if models:
        engine = next((name for name in owners if name), "openai-compatible")
        return Found.all_of(_entry(endpoint, Served(engine, model["id"], serving={"engine": engine}), options) for model in models)
    raise Malformed(f"{endpoint.address}: none of /v1/models, /info and /server_info is there", "give the address of vLLM, SGLang or TGI")


def _vllm(endpoint: Endpoint, models: list[dict[str, Any]], options: DiscoverOptions) -> Found:
    cache, engines = _cache_settings(endpoint)
    adapters = [model for model in models if isinstance(model.get("parent"), str)]
    parts = []
    for model in models:
        if model in adapters:
            continue
        root = model.get("root")
        flags = {"served-model-name": model["id"], "max-model-len": _text(model.get("max_model_len"))}
        flags |= {"kv-cache-dtype": cache.get("cache_dtype", "auto"), "enable-prefix-caching": cache.get("enable_prefix_caching", "")}
        flags |= {"data-parallel-size": str(engines)} if engines > 1 else {}
        if any(adapter["parent"] == model["id"] for adapter in adapters):
            flags["enable-lora"] = "true"
        served = with_options("vllm", root if isinstance(root, str) else model["id"], {key: value for key, value in flags.items() if value})
        parts.append(_entry(endpoint, served, options))
    return Found.all_of(parts)


def _sglang(info: dict[str, Any]) -> Served:
    flags = {name.replace("_", "-"): text for name in _SGLANG if (text := _text(info.get(name)))}
    return with_options("sglang", flags["model-path"], flags)


def _tgi(info: dict[str, Any]) -> Served:
    """Return what ``/info`` says; TEI's has the same members and no ``max_total_tokens``."""
    engine = "tgi" if "max_total_tokens" in info else "tei"
    names = {"max_total_tokens": "max-total-tokens", "model_sha": "revision", "max_concurrent_requests": "max-concurrent-requests"}
    names |= {"max_input_length": "max-model-len"} if engine == "tei" else {}
    flags = {flag: text for name, flag in names.items() if (text := _text(info.get(name)))}
    return with_options(engine, info["model_id"], flags)


def _entry(endpoint: Endpoint, served: Served, options: DiscoverOptions) -> Found:
    return entry(served, endpoint.address, options)


def _cache_settings(endpoint: Endpoint) -> tuple[dict[str, str], int]:
    """Return the settings of vLLM's cache and its number of engines; nothing where its metrics are switched off or are none."""
    try:
        samples: list[Sample] = parse(endpoint.get("/metrics"))
    except TargetError:
        return {}, 1
    settings = next((dict(labels) for name, labels, _ in samples if name == "vllm:cache_config_info"), {})
    engines = {labels["engine"] for name, labels, _ in samples if name == "vllm:num_requests_running" and "engine" in labels}
    # A label is what Python printed of the setting.
    return {name: "" if text in ("None", "False") else text for name, text in settings.items()}, max(len(engines), 1)


def _models(listed: dict[str, Any]) -> list[dict[str, Any]]:
    data = listed.get("data")
    models = data if isinstance(data, list) else []
    return [model for model in models[:_MODELS_LIMIT] if isinstance(model, dict) and isinstance(model.get("id"), str)]


def _optional(endpoint: Endpoint, path: str) -> dict[str, Any] | None:
    """Return the object at ``path``, or None where there is no such page."""
    try:
        body = endpoint.get(path)
    except NotFound:
        return None
    return parse_object(body, f"{endpoint.address}{path}", limit=MAX_BYTES)


def _text(value: object) -> str:
    if value is True:
        return "true"
    if type(value) is int or isinstance(value, str):
        return str(value)
    return "true" if isinstance(value, list | dict) and value else ""
