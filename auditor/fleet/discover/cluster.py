"""What a resource of a cluster leaves to others: variables and files of a ConfigMap, devices of a claim, the bounds of an autoscaler.

Shapes: the Kubernetes API, v1, autoscaling/v2 and resource.k8s.io. Secrets are never looked into.
"""

from collections.abc import Callable, Sequence

from auditor.fleet.discover.documents import Block
from auditor.fleet.discover.flags import expanded

#: Classes of devices as the drivers name them, and the resource that device plugins call the same.
_CLASSES = {"gpu.nvidia.com": "nvidia.com/gpu", "gpu.amd.com": "amd.com/gpu", "tpu.google.com": "google.com/tpu"}
_CLAIMS = ("ResourceClaimTemplate", "ResourceClaim")


def environment(container: Block, others: Sequence[Block] = (), namespace: str | None = None) -> dict[str, str]:
    """Return a container's variables as far as they stand in its manifest and in ConfigMaps; a later one may use earlier ones."""
    found: dict[str, str] = {}
    for source in container.blocks("envFrom"):
        data = _config_map(source.text("configMapRef", "name"), others, namespace)
        found |= {f"{source.text('prefix') or ''}{name}": value for name, value in data.items() if isinstance(value, str)}
    for item in container.blocks("env"):
        name, reference = item.text("name"), item.block("valueFrom", "configMapKeyRef")
        value = item.text("value")
        if value is None and reference:
            value = _config_map(reference.text("name"), others, namespace).text(reference.text("key") or "")
        if name and value:
            found[name] = expanded(value, found)
    return found


def files(container: Block, pod: Block, others: Sequence[Block], namespace: str | None = None) -> Callable[[str], str | None]:
    """Return what gives the text of a file in a container that a ConfigMap is mounted as, or None for any other."""
    maps = {volume.text("name"): volume.block("configMap") for volume in pod.blocks("volumes") if volume.block("configMap")}

    def read(path: str) -> str | None:
        for mount in container.blocks("volumeMounts"):
            volume, at = maps.get(mount.text("name")), (mount.text("mountPath") or "").rstrip("/")
            if volume is None or not at or (path != at and not path.startswith(f"{at}/")):
                continue
            inner = mount.text("subPath") or path.removeprefix(at).lstrip("/")
            key = next((item.text("key") for item in volume.blocks("items") if item.text("path") == inner), None)
            return _config_map(volume.text("name"), others, namespace).text(key or inner)
        return None

    return read


def claimed(container: Block, pod: Block, others: Sequence[Block]) -> tuple[int | None, str]:
    """Return the devices that a container claims, and the resource that names their kind."""
    wanted = {claim.text("name") for claim in container.blocks("resources", "claims")}
    count, kind = 0, ""
    for claim in pod.blocks("resourceClaims"):
        name = claim.text("resourceClaimTemplateName") or claim.text("resourceClaimName")
        for other in others if claim.text("name") in wanted else ():
            if other.text("kind") not in _CLAIMS or other.text("metadata", "name") != name:
                continue
            devices = other.block("spec", "spec", "devices") or other.block("spec", "devices")
            for request in devices.blocks("requests"):
                exactly = request.block("exactly") or request
                if resource := _CLASSES.get(exactly.text("deviceClassName") or ""):
                    count, kind = count + (exactly.number("count") or 1), resource
    return count or None, kind


def least_replicas(resource: Block, others: Sequence[Block]) -> int | None:
    """Return the fewest replicas that an autoscaler leaves a resource, or None where none is there."""
    for other in others:
        target = other.block("spec", "scaleTargetRef")
        if target.text("name") == resource.text("metadata", "name") and target.text("kind") in (resource.text("kind"), None):
            number = other.number("spec", "minReplicas")  # HorizontalPodAutoscaler
            return number if number is not None else other.number("spec", "minReplicaCount")  # KEDA's ScaledObject
    return None


def _config_map(name: str | None, others: Sequence[Block], namespace: str | None) -> Block:
    for other in others:
        if not name or other.text("kind") != "ConfigMap" or other.text("metadata", "name") != name:
            continue
        if namespace in (None, other.text("metadata", "namespace") or namespace):
            return other.block("data")
    return Block(0)
