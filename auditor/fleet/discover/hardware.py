"""Which accelerator a cluster means: resource names, node labels, and the names under which clouds rent machines."""

import re
from collections.abc import Iterable, Mapping

from auditor.fleet.discover.documents import Block, whole
from auditor.fleet.discover.found import DiscoverOptions

#: Resources of device plugins, as each vendor's documentation names them, and the vendor's ending of a stack's name.
RESOURCES = {
    "nvidia.com/gpu": "cuda",
    "amd.com/gpu": "rocm",
    "google.com/tpu": "tpu",
    "aws.amazon.com/neuron": "neuron",
    "aws.amazon.com/neurondevice": "neuron",
    "aws.amazon.com/neuroncore": "neuron",
    "habana.ai/gaudi": "gaudi",
    "huawei.com/Ascend910": "ascend",
    "gpu.intel.com/xe": "xpu",
    "gpu.intel.com/i915": "xpu",
}
#: A slice of a GPU: NVIDIA's device plugin with the mixed strategy.
_SLICE = "nvidia.com/mig-"
#: Labels of nodes that say which accelerator they have: GPU feature discovery, GKE, Karpenter, AMD's labeller, KubeRay on GKE.
_LABELS = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "cloud.google.com/gke-tpu-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "eks.amazonaws.com/instance-gpu-name",
    "karpenter.k8s.aws/instance-accelerator-name",
    "amd.com/gpu.product-name",
    "gpu.nvidia.com/model",
    "gpu.nvidia.com/class",
    "accelerator",
)
#: Words of images that were built for one kind of device.
_IMAGES = {
    "rocm": "amd.com/gpu",
    "neuron": "aws.amazon.com/neuron",
    "tpu": "google.com/tpu",
    "gaudi": "habana.ai/gaudi",
    "habana": "habana.ai/gaudi",
    "ascend": "huawei.com/Ascend910",
    "xpu": "gpu.intel.com/xe",
}
_MACHINES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
#: By engine and kind of device: the stack as the catalogue calls it.
STACKS = {
    ("vllm", "cuda"): "vllm-cuda",
    ("vllm", "rocm"): "vllm-rocm",
    ("vllm", "tpu"): "tpu-vllm",
    ("vllm", "neuron"): "neuron-vllm",
    ("vllm", "gaudi"): "vllm-gaudi",
    ("vllm", "ascend"): "vllm-ascend",
    ("sglang", "cuda"): "sglang-cuda",
    ("sglang", "neuron"): "neuron-sglang",
    ("tensorrt-llm", "cuda"): "tensorrt-llm",
    ("tensorrt-llm", ""): "tensorrt-llm",
}


def accelerator(text: str, options: DiscoverOptions) -> str | None:
    """Return the id of the accelerator that a label such as ``NVIDIA-H100-80GB-HBM3`` names: the longest name that is in it."""
    words = set(re.split(r"[^a-z0-9]+", text.lower().replace("v5-lite", "v5e")))
    fitting = [name for name in options.accelerators if words.issuperset(re.split(r"[^a-z0-9]+", name))]
    best = max(fitting, key=lambda name: (name.count("-"), len(name)), default=None)
    return options.accelerators[best] if best else None


def devices(resources: Block) -> tuple[int | None, str]:
    """Return the devices that a container asks for, and the resource that names them."""
    for kind in ("limits", "requests"):
        for name, value in resources.block(kind).items():
            count = whole(value) if isinstance(value, str) else None
            if (name in RESOURCES or name.startswith(_SLICE)) and count:
                return count, name
    return None, ""


def built_for(image: str) -> str:
    """Return the resource of the devices that an image was built for, where its name says so."""
    words = re.split(r"[^a-z]+", image.lower())
    return next((resource for word, resource in _IMAGES.items() if any(part.startswith(word) for part in words)), "")


def chosen_nodes(pod: Block, options: DiscoverOptions) -> tuple[str | None, str]:
    """Return the accelerator that a pod's node selector and affinity ask for: its id, and the label's own words."""
    labels: dict[str, str] = {}
    for term in pod.blocks("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"):
        for wanted in term.blocks("matchExpressions"):
            key, values = wanted.text("key"), wanted.texts("values")
            if key and values and wanted.text("operator") == "In":
                labels[key] = values[0]
    labels |= {key: value for key, value in pod.block("nodeSelector").items() if isinstance(value, str)}
    return of_labels(labels, options)


def of_labels(labels: Mapping[str, str], options: DiscoverOptions) -> tuple[str | None, str]:
    """Return the accelerator that labels of nodes name: its id, and the label's own words."""
    for name in _LABELS:
        if text := labels.get(name):
            return accelerator(text, options), text
    for machine in _values(labels, _MACHINES):
        if machine in options.instances:
            return options.instances[machine][0], machine
    return None, ""


def _values(labels: Mapping[str, str], names: Iterable[str]) -> Iterable[str]:
    return (labels[name] for name in names if labels.get(name))
