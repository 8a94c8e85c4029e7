"""What manifests leave to others: ConfigMaps, claims, autoscalers, scripts, other files, and documents that are broken."""

from pathlib import Path

import pytest

from auditor.fleet.discover import DiscoverOptions, Found, discover, discover_text
from auditor.fleet.model import FleetModel

OPTIONS = DiscoverOptions()
DEPLOYMENT = """
kind: Deployment
apiVersion: apps/v1
metadata: {name: d, namespace: ml}
spec: {template: {spec: %s}}
"""


def found(text: str) -> Found:
    return discover_text(text.encode(), "x.yaml", OPTIONS)


def only(text: str) -> FleetModel:
    result = found(text)
    assert result.problems == ()
    (model,) = result.models
    return model


# kubernetes.io, Configure a Pod to use a ConfigMap; docs.vllm.ai, `vllm serve --config`
CONFIG = """
kind: ConfigMap
apiVersion: v1
metadata: {name: serve, namespace: ml}
data:
  MODEL_ID: org/chat
  TP: "8"
  vllm.yaml: |
    model: org/from-file
    tensor-parallel-size: 4
    max_model_len: 16384
---
kind: ConfigMap
apiVersion: v1
metadata: {name: serve, namespace: elsewhere}
data: {MODEL_ID: org/wrong}
---
"""


@pytest.mark.parametrize(
    ("pod", "model", "serving"),
    [
        (
            "{containers: [{image: ghcr.io/huggingface/text-generation-inference, envFrom: [{configMapRef: {name: serve}}]}]}",
            "org/chat",
            {"engine": "tgi"},
        ),
        (
            """{containers: [{image: vllm/vllm-openai, args: [--model, $(M), --tensor-parallel-size, $(N)], env: [
                 {name: M, valueFrom: {configMapKeyRef: {name: serve, key: MODEL_ID}}},
                 {name: T, valueFrom: {configMapKeyRef: {name: serve, key: TP}}}, {name: N, value: $(T)}]}]}""",
            "org/chat",
            {"engine": "vllm", "tensor_parallel": 8, "devices": 8},
        ),
        (
            """{volumes: [{name: v, configMap: {name: serve}}], containers: [{image: vllm/vllm-openai, args: [--config, /etc/s/vllm.yaml,
                 --tensor-parallel-size=2], volumeMounts: [{name: v, mountPath: /etc/s}]}]}""",
            "org/from-file",
            {"engine": "vllm", "tensor_parallel": 2, "devices": 2},
        ),
        (
            """{volumes: [{name: v, configMap: {name: serve, items: [{key: vllm.yaml, path: c.yaml}]}}],
                 containers: [{image: vllm/vllm-openai, args: [--config=/s/c.yaml],
                   volumeMounts: [{name: v, mountPath: /s/c.yaml, subPath: c.yaml}]}]}""",
            "org/from-file",
            {"engine": "vllm", "tensor_parallel": 4, "devices": 4},
        ),
    ],
)
def test_config_maps(pod: str, model: str, serving: dict[str, object]) -> None:
    one = only(CONFIG + DEPLOYMENT % pod)
    assert (one.target, one.serving) == (model, serving)


@pytest.mark.parametrize(
    ("container", "model"),
    [
        ("{image: any/llm, command: [bash, -c, 'set -e; export M=org/a; exec vllm serve \"$M\" 2>&1 | tee log']}", "org/a"),
        ("{image: any/llm, command: [sh, -c], args: ['A=org; B=${A}/b && python3 -m sglang.launch_server --model-path $B']}", "org/b"),
        ("{image: vllm/vllm-openai, args: [org/c, --disable-log-requests]}", "org/c"),
        ("{image: vllm/vllm-openai, args: ['--model=org/d --dtype=half']}", "org/d"),
        ("{image: 'nvcr.io/nvidia/tensorrt-llm/release:1.0', command: [trtllm-serve, org/e, --tp_size, '2']}", "org/e"),
        ("{image: 'nvcr.io/nim/meta/llama:1.3', env: [{name: NGC_API_KEY, value: x}]}", "nim://meta/llama"),
        ("{image: vllm/vllm-openai, args: [--model, /mnt/models, --served-model-name, org/f, f]}", "org/f"),
    ],
)
def test_commands(container: str, model: str) -> None:
    assert only(DEPLOYMENT % f"{{containers: [{container}]}}").target == model


@pytest.mark.parametrize(
    ("script", "source"),
    [
        ("pip install -q huggingface_hub && hf download org/a --revision main --local-dir /models/x", "org/a"),
        ("huggingface-cli download org/b --local-dir=/models/x", "org/b"),
        ("git clone --depth 1 https://huggingface.co/org/c /models/x", "org/c"),
        ("aws s3 sync --quiet s3://bucket/team/d /models/x", "s3://bucket/team/d"),
    ],
)
def test_a_download_says_what_a_folder_holds(script: str, source: str) -> None:
    pod = f"""{{initContainers: [{{image: python, command: [sh, -c], args: ["{script}"]}}],
               containers: [{{image: vllm/vllm-openai, args: [--model, /models/x/]}}]}}"""
    result = found(DEPLOYMENT % pod)
    assert [model.target for model in result.models] == [source]
    assert "was downloaded from" in result.notes[0]


def test_claims_and_autoscalers() -> None:
    # kubernetes.io, Dynamic Resource Allocation (resource.k8s.io/v1) and HorizontalPodAutoscaler (autoscaling/v2)
    one = only(
        """
kind: ResourceClaimTemplate
metadata: {name: two}
spec: {spec: {devices: {requests: [{name: a, exactly: {deviceClassName: gpu.nvidia.com, count: 2}}]}}}
---
kind: HorizontalPodAutoscaler
metadata: {name: d}
spec: {scaleTargetRef: {kind: Deployment, name: d}, minReplicas: 3}
---"""
        + DEPLOYMENT
        % """{resourceClaims: [{name: gpu, resourceClaimTemplateName: two}],
              containers: [{image: vllm/vllm-openai, args: [--model, org/a], resources: {claims: [{name: gpu}]}}]}"""
    )
    assert (one.replicas, one.serving["devices"], one.workload["current_stack"]) == (3, 2, "vllm-cuda")


def test_what_a_deployment_made_is_not_counted_again() -> None:
    pod = "containers: [{image: vllm/vllm-openai, args: [--model, org/a]}]"
    made = f"""
---
kind: ReplicaSet
metadata: {{name: d-5f7, ownerReferences: [{{kind: Deployment, name: d}}]}}
spec: {{template: {{spec: {{{pod}}}}}}}
---
kind: Pod
metadata: {{name: d-5f7-x, ownerReferences: [{{kind: ReplicaSet, name: d-5f7}}]}}
spec: {{{pod}}}
"""
    assert only(DEPLOYMENT % f"{{{pod}}}" + made).name == "ml/d"
    assert [model.name for model in found(made).models] == ["d-5f7"], "alone, they are what there is"


def test_any_resource_with_a_template_of_pods() -> None:
    text = """
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: kn}
spec: {template: {spec: {containers: [{image: vllm/vllm-openai, args: [--model, org/a]}]}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: ro}
spec: {replicas: 4, template: {spec: {containers: [{image: rocm/vllm, args: [vllm, serve, org/b, -tp=8]}]}}}
"""
    service, rollout = found(text).models
    assert (service.target, rollout.target, rollout.replicas) == ("org/a", "org/b", 4)
    assert (rollout.workload["current_stack"], rollout.serving["tensor_parallel"]) == ("vllm-rocm", 8)


def test_one_broken_document_does_not_hide_the_others() -> None:
    pod = "kind: Pod\nspec: {containers: [{image: vllm/vllm-openai, args: [--model, org/%s]}]}\n"
    text = f"# Source: a.yaml\n{pod % 'a'}---\na: b: c\n---\n{pod % 'b'}---\nmodel: {{{{ .Values.m }}}}\n--- # last\n{pod % 'c'}"
    result = found(text)
    assert [(model.target, model.found) for model in result.models] == [
        ("org/a", "x.yaml:3"),
        ("org/b", "x.yaml:8"),
        ("org/c", "x.yaml:13"),
    ]
    broken, template = result.problems
    assert broken.startswith("x.yaml:5: mapping values")
    assert template.startswith("x.yaml:10: ")
    assert "helm template" in template


def test_files_of_a_folder_belong_together(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "broken.yaml").write_text("ConfigMap: [")
    (tmp_path / "deployment.yaml").write_text(
        DEPLOYMENT % "{containers: [{image: ghcr.io/huggingface/text-generation-inference, envFrom: [{configMapRef: {name: serve}}]}]}"
    )
    result = discover(str(tmp_path), OPTIONS)
    assert [model.target for model in result.models] == ["org/chat"]
    assert result.problems == ()


def test_llm_inference_services_as_their_samples_have_them() -> None:
    # kserve/kserve, docs/samples/llmisvc: dp-ep, speculative-decoding, single-node-gpu (sglang), e2e-gpt-oss
    text = """
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: wide}
spec:
  model: {uri: "hf://org/moe"}
  parallelism: {data: 16, dataLocal: 8, expert: true, tensor: 1}
  template: {containers: [{name: main, resources: {limits: {nvidia.com/gpu: "8"}}}]}
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: draft}
spec:
  model: {uri: "hf://org/big"}
  scaling: {minReplicas: 4, maxReplicas: 8}
  speculativeDecoding: {method: draft_model}
  runtime: kserve-llm-sglang
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceServiceConfig
metadata: {name: base}
spec:
  template:
    containers:
    - name: main
      image: ghcr.io/llm-d/llm-d-cuda:v0.5
      command: [/bin/sh, -c]
      args: ['vllm serve /mnt/models --served-model-name "{{ .Spec.Model.Name }}" --max-model-len 65536 $VLLM_ADDITIONAL_ARGS']
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: based}
spec:
  model: {uri: "pvc://claim", name: org/copy}
  baseRefs: [{name: base}]
  template: {containers: [{name: main, resources: {limits: {nvidia.com/gpu: 1}}}]}
"""
    result = found(text)
    wide, draft, based = result.models
    assert (wide.serving["devices"], wide.serving["data_parallel"]) == (16, 16)
    assert (draft.replicas, draft.workload["speculative"], draft.serving["engine"]) == (4, True, "sglang")
    assert (based.target, based.workload["context"], based.serving["devices"]) == ("org/copy", 65536, 1)
    assert "org/copy, the name it is served under, stands for it" in result.notes[0]


def test_compose_files_with_their_variables(tmp_path: Path) -> None:
    # docs.docker.com, Compose: interpolation, `.env`, `env_file`
    (tmp_path / ".env").write_text("# ours\nexport NAME=org/a\nLENGTH='4096'\n")
    (tmp_path / "tgi.env").write_text("MODEL_ID=org/b\n")
    path = tmp_path / "compose.yml"
    path.write_text(
        """
services:
  one: {image: 'vllm/vllm-openai:${TAG:?needed}', command: '--model ${NAME:?needed} --max-model-len $LENGTH'}
  two: {image: ghcr.io/huggingface/text-generation-inference, env_file: tgi.env}
  three: {image: 'ghcr.io/huggingface/text-generation-inference', env_file: [{path: tgi.env}], environment: {MODEL_ID: org/c}}
  four: {image: vllm/vllm-openai, environment: [M=org/d], entrypoint: [sh, -c], command: ['vllm serve $$M'], deploy: {replicas: 0}}
"""
    )
    one, two, three, four = discover(str(path), OPTIONS).models
    assert (one.target, one.workload) == ("org/a", {"context": 4096})
    assert [model.target for model in (two, three, four)] == ["org/b", "org/c", "org/d"]
    assert four.serving["scaled_to_zero"] is True
