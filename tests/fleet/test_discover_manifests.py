"""Manifests and Compose files in the shapes that each project documents."""

import re
from pathlib import Path
from typing import Any

import pytest

from auditor.catalog import load_catalog
from auditor.fleet.discover import DiscoverOptions, Found, discover, discover_text
from auditor.fleet.discover.flags import length, served
from auditor.fleet.discover.hardware import accelerator
from auditor.fleet.model import FleetModel


@pytest.fixture(scope="module")
def options() -> DiscoverOptions:
    catalog = load_catalog()
    return DiscoverOptions(
        accelerators={name: chip.id for chip in catalog.accelerators.values() for name in (chip.id, *chip.aliases)},
        instances={"p5.48xlarge": ("h100-sxm", 8)},
    )


def found(text: str, options: DiscoverOptions) -> Found:
    result = discover_text(text.encode(), "x.yaml", options)
    assert result.problems == ()
    return result


def only(text: str, options: DiscoverOptions) -> FleetModel:
    (model,) = found(text, options).models
    return model


# vllm-project/vllm, docs/deployment/k8s.md: a shell that starts the server, a GPU limit. Labels: NVIDIA GPU feature discovery.
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: chat, namespace: prod, labels: {team: search}}
spec:
  replicas: 3
  template:
    spec:
      nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}
      containers:
      - name: proxy
        image: envoyproxy/envoy:v1
      - name: vllm
        image: vllm/vllm-openai:v0.11.0
        command: ["/bin/sh", "-c"]
        args:
        - |
          vllm serve org/chat --revision abc --max-model-len 32K -tp 4 \\
            --enable-lora --quantization fp8 --kv-cache-dtype fp8 \\
            --speculative-config '{"method": "ngram"}'
        resources:
          limits: {nvidia.com/gpu: "4"}
"""


def test_a_deployment_gives_model_workload_and_hardware(options: DiscoverOptions) -> None:
    assert only(DEPLOYMENT, options) == FleetModel(
        "org/chat@abc",
        name="prod/chat",
        owner="search",
        found="x.yaml:13",
        workload={
            "context": 32768,
            "kv_dtype": "fp8",
            "speculative": True,
            "lora": True,
            "current_devices": 4,
            "current_accelerator": "h100-sxm",
            "current_stack": "vllm-cuda",
        },
        serving={"engine": "vllm", "tensor_parallel": 4, "quantization": "fp8", "devices": 4, "accelerator": "h100-sxm"},
        replicas=3,
    )


@pytest.mark.parametrize(
    ("container", "model", "serving", "workload"),
    [
        # sgl-project/sglang, docker/k8s-sglang-service.yaml
        (
            """{image: 'lmsysorg/sglang:latest', command: [python3, -m, sglang.launch_server, --model-path, org/a, --tp, '2',
                --context-length, '4096', --speculative-algorithm, EAGLE]}""",
            "org/a",
            {"engine": "sglang", "tensor_parallel": 2, "devices": 2},
            {"context": 4096, "speculative": True, "current_devices": 2},
        ),
        # huggingface/text-generation-inference, launcher reference: every option is an environment variable too
        (
            """{image: 'ghcr.io/huggingface/text-generation-inference:3', env: [{name: MODEL_ID, value: org/b},
                {name: NUM_SHARD, value: '2'}, {name: MAX_TOTAL_TOKENS, value: '4096'}, {name: QUANTIZE, value: awq}]}""",
            "org/b",
            {"engine": "tgi", "tensor_parallel": 2, "quantization": "awq", "devices": 2},
            {"context": 4096, "current_devices": 2},
        ),
        # triton-inference-server/server, deploy/: a repository of models
        (
            "{image: 'nvcr.io/nvidia/tritonserver:25.01-py3', args: [tritonserver, '--model-store=gs://b/repository']}",
            "gs://b/repository",
            {"engine": "triton"},
            {},
        ),
        # An argument that names a variable, as Kubernetes expands it
        (
            "{image: vllm/vllm-openai, args: ['--model=$(NAME)', --enable-prefix-caching], env: [{name: NAME, value: org/c}]}",
            "org/c",
            {"engine": "vllm"},
            {"prefix_caching": True},
        ),
    ],
)
def test_engines(container: str, model: str, serving: dict[str, Any], workload: dict[str, Any], options: DiscoverOptions) -> None:
    one = only(f"{{kind: Pod, apiVersion: v1, metadata: {{name: p}}, spec: {{containers: [{container}]}}}}", options)
    assert (one.target, one.serving, one.workload) == (model, serving, workload)


def test_a_leader_worker_set_is_one_replica_over_several_nodes(options: DiscoverOptions) -> None:
    # kubernetes-sigs/lws, docs/examples/vllm
    text = """
apiVersion: leaderworkerset.x-k8s.io/v1
kind: LeaderWorkerSet
metadata: {name: big}
spec:
  replicas: 2
  leaderWorkerTemplate:
    size: 2
    leaderTemplate:
      spec:
        containers:
        - image: vllm/vllm-openai
          command: [sh, -c]
          args: ["bash multi-node-serving.sh leader; python3 -m vllm.entrypoints.openai.api_server --model org/big -tp 8 -pp 2"]
          resources: {limits: {nvidia.com/gpu: "8"}}
"""
    one = only(text, options)
    assert (one.target, one.replicas, one.serving["devices"], one.serving["pipeline_parallel"]) == ("org/big", 2, 16, 2)


def test_kserve_takes_arguments_from_its_runtime(options: DiscoverOptions) -> None:
    # kserve/website, docs/model-serving: ServingRuntime, and the InferenceService that names it
    text = """
apiVersion: serving.kserve.io/v1alpha1
kind: ServingRuntime
metadata: {name: rt}
spec:
  containers:
  - {name: kserve-container, image: vllm/vllm-openai, args: [--model=/mnt/models, --max-model-len=2048]}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: granite}
spec:
  predictor:
    minReplicas: 2
    nodeSelector: {node.kubernetes.io/instance-type: p5.48xlarge}
    model:
      runtime: rt
      modelFormat: {name: vLLM}
      storageUri: s3://models/granite
      args: [--tensor-parallel-size=8]
      resources: {limits: {nvidia.com/gpu: "8"}}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: hf}
spec:
  predictor:
    model: {modelFormat: {name: huggingface}, args: [--model_id=org/enc, --model_name=enc], storageUri: "hf://org/enc:main"}
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: iris}
spec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: "gs://iris"}}}
"""
    granite, encoder = found(text, options).models
    assert (granite.target, granite.replicas, granite.workload["context"]) == ("s3://models/granite", 2, 2048)
    assert (granite.serving["tensor_parallel"], granite.serving["accelerator"], granite.found) == (8, "h100-sxm", "x.yaml:9")
    assert encoder.target == "org/enc@main"


def test_llm_inference_service(options: DiscoverOptions) -> None:
    # kserve/kserve, docs/samples/llmisvc: speculative-decoding and lora-adapters, with a base configuration
    text = """
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceServiceConfig
metadata: {name: base}
spec:
  template:
    containers:
    - {name: main, resources: {limits: {nvidia.com/gpu: "4"}}, env: [{name: VLLM_ADDITIONAL_ARGS, value: "--max-model-len 8192"}]}
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: mtp}
spec:
  baseRefs: [{name: base}]
  model:
    uri: hf://org/next
    lora: {adapters: [{name: a, uri: "hf://org/a"}]}
  speculator: {config: {method: mtp}}
  replicas: 2
  parallelism: {tensor: 4}
  prefill: {replicas: 3, parallelism: {tensor: 4}}
"""
    one = only(text, options)
    assert (one.target, one.replicas) == ("org/next", 2)
    assert one.workload == {"context": 8192, "lora": True, "speculative": True, "current_devices": 4, "current_stack": "vllm-cuda"}
    assert one.serving == {"engine": "vllm", "tensor_parallel": 4, "prefill_replicas": 3, "devices": 4}


def test_ray_service(options: DiscoverOptions) -> None:
    # ray-project/kuberay, ray-operator/config/samples/ray-service.llm-serve.yaml
    text = """
apiVersion: ray.io/v1
kind: RayService
metadata: {name: ray}
spec:
  serveConfigV2: |
    applications:
    - name: llms
      args:
        llm_configs:
        - model_loading_config:
            model_id: small
            model_source: org/small
          accelerator_type: A10G
          engine_kwargs: {max_model_len: 1024, tensor_parallel_size: 2}
          deployment_config: {autoscaling_config: {min_replicas: 3}}
    - name: own
      runtime_env: {env_vars: {MODEL_ID: org/own, TENSOR_PARALLELISM: "4"}}
  rayClusterConfig:
    workerGroupSpecs:
    - template: {spec: {containers: [{resources: {limits: {nvidia.com/gpu: "4"}}}]}}
"""
    small, own = found(text, options).models
    assert (small.target, small.name, small.replicas, small.found) == ("org/small", "small", 3, "x.yaml:11")
    assert small.serving == {"engine": "vllm", "tensor_parallel": 2, "devices": 2, "accelerator": "a10g"}
    assert (own.target, own.serving["devices"]) == ("org/own", 4)


def test_kaito(options: DiscoverOptions) -> None:
    # kaito-project/kaito, examples/inference: flags lie in the ConfigMap that the workspace names
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: params}
data:
  inference_config.yaml: |
    vllm:
      max-model-len: 16384
---
apiVersion: kaito.sh/v1beta1
kind: Workspace
metadata: {name: w}
resource: {count: 2, instanceType: Standard_NC48ads_A100_v4}
inference: {preset: {name: org/llm}, config: params, adapters: [{source: {name: a}}]}
---
apiVersion: kaito.sh/v1beta1
kind: Workspace
metadata: {name: v}
resource: {instanceType: p5.48xlarge}
inference: {preset: {name: phi-4}}
"""
    result = found(text, options)
    first, second = result.models
    assert first.workload == {"context": 16384, "lora": True, "current_accelerator": "a100-80"}
    assert (second.serving["devices"], second.serving["accelerator"]) == (8, "h100-sxm")
    assert "phi-4 is Kaito's own name" in result.notes[0]


# docs.docker.com, Compose: GPU support; anchors and merge keys as the Compose specification has them.
COMPOSE = """
x-base: &base
  image: vllm/vllm-openai:${TAG:-latest}
  deploy:
    replicas: 2
    resources: {reservations: {devices: [{driver: nvidia, count: 2, capabilities: [gpu]}]}}
services:
  chat:
    <<: *base
    command: --model ${MODEL:-org/chat} --tensor-parallel-size 2
  rank:
    image: ghcr.io/huggingface/text-embeddings-inference:1.8
    environment: [MODEL_ID=org/rank]
    gpus: all
  local:
    <<: *base
    entrypoint: [vllm, serve, /models/own]
  cache: {image: redis}
"""


def test_compose(options: DiscoverOptions) -> None:
    result = found(COMPOSE, options)
    chat, rank, local = result.models
    assert (chat.target, chat.name, chat.found, chat.replicas, chat.serving["devices"]) == ("org/chat", "chat", "x.yaml:8", 2, 2)
    assert (rank.target, rank.serving) == ("org/rank", {"engine": "tei"})
    assert local.target == "/models/own"
    assert result.notes == ("x.yaml:15: /models/own is a path inside the container; name a copy that can be read from here",)


def test_a_list_of_resources_and_json(tmp_path: Path, options: DiscoverOptions) -> None:
    path = tmp_path / "all.json"
    path.write_text(
        '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},'
        ' "spec": {"containers": [{"image": "vllm/vllm-openai", "args": ["--model", "org/a"]}]}}]}'
    )
    assert [model.target for model in discover(str(path), options).models] == ["org/a"]


def test_a_pod_without_a_model_is_a_note(options: DiscoverOptions) -> None:
    result = found("{kind: Pod, spec: {containers: [{image: vllm/vllm-openai}, {image: 'lmcache/vllm-router'}]}}", options)
    assert (result.models, result.notes) == ((), ("x.yaml:1: runs vllm, but names no model",))


BOMB = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))
MERGES = "a: &a {" + ", ".join(f"k{n}: v" for n in range(900)) + "}\n" + "".join(f"m{n}: {{<<: *a}}\n" for n in range(900))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {{ .Values.model }}\nkind: Pod", "x.yaml:1: .*helm template"),
        ("kind: [", "x.yaml:2: did not find"),
        ("a: *none", "x.yaml:1: alias .none stands for nothing"),
        ("a: &a [*a]", "alias .a stands for nothing"),
        ("[" * 100 + "]" * 100, "nested deeper than 64"),
        (MERGES, "more than 500,000 values"),
        ("\x01", "not readable as YAML"),
    ],
)
def test_what_is_no_manifest_is_one_line(text: str, said: str, options: DiscoverOptions) -> None:
    result = discover_text(text.encode(), "x.yaml", options)
    assert result.models == ()
    (line,) = result.problems
    assert "\n" not in line
    assert re.search(said, line)


def test_aliases_of_aliases_cost_nothing(options: DiscoverOptions) -> None:
    assert discover_text(BOMB.encode(), "x.yaml", options) == Found()


@pytest.mark.parametrize(
    ("text", "tokens"), [("32k", 32000), ("32K", 32768), ("1.5K", 1536), ("4096", 4096), ("auto", None), ("0", None), ("9" * 30, None)]
)
def test_lengths(text: str, tokens: int | None) -> None:
    assert length(text) == tokens


@pytest.mark.parametrize(
    ("label", "chip"),
    [
        ("NVIDIA-A100-SXM4-80GB", "a100-80"),
        ("NVIDIA-A100-SXM4-40GB", "a100-40"),
        ("NVIDIA-H100-NVL", "h100-nvl"),
        ("nvidia-h100-80gb", "h100-sxm"),
        ("NVIDIA-L40S", "l40s"),
        ("nvidia-l4", "l4"),
        ("NVIDIA-GB200", "gb200"),
        ("tpu-v6e-slice", "tpu-v6e"),
        ("tpu-v5-lite-podslice", "tpu-v5e"),
        ("AMD-Instinct-MI300X-OAM", "mi300x"),
        ("nvidia-tesla-t4", None),
    ],
)
def test_labels_of_nodes(label: str, chip: str | None, options: DiscoverOptions) -> None:
    assert accelerator(label, options) == chip


def test_a_switch_takes_no_word() -> None:
    one = served("", ["vllm", "serve", "--enable-lora", "org/a"], {})
    assert one is not None
    assert (one.model, one.workload) == ("org/a", {"lora": True})
