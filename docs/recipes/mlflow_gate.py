"""Gate an MLflow model version: it gets its alias (its stage) only if auditor's verdicts and the policy allow it.

    python mlflow_gate.py NAME VERSION --alias production --on h100 --on trn2 [--policy policy.yaml]

Reads JSON documents and the sizes of files through the tracking server; weights are never downloaded. Exits 0 when the
alias was set and 1 when it was not; either way the verdicts stand as tags on the version.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from mlflow import MlflowClient, artifacts
from mlflow.entities import FileInfo

import auditor

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{0:064x}\nsize {0}\n"
_LARGEST_DOCUMENT = 16 << 20
_GOOD = ("native", "config-change")


def promote(
    name: str, version: str, alias: str, on: Sequence[str], policies: Sequence[auditor.Policy] = (), *, today: str
) -> auditor.ModelAudit:
    """Audit a model version, write the verdicts to its tags, and set the alias if all of them are good."""
    client = MlflowClient()
    uri = client.get_model_version_download_uri(name, version)
    with tempfile.TemporaryDirectory() as folder:
        inspection = auditor.inspect(model_folder(uri, Path(folder)), offline=True)
    [model] = auditor.audit(inspection, on=on, policies=policies, today=today).models
    for row in model.rows:
        client.set_model_version_tag(name, version, f"auditor.{row.target.id.replace('/', '.')}", row.verdict)
    allowed = passes(model)
    client.set_model_version_tag(name, version, "auditor.gate", "passed" if allowed else "refused")
    if allowed:
        client.set_registered_model_alias(name, alias, version)
    return model


def passes(model: auditor.ModelAudit) -> bool:
    """Return whether every accelerator asked for has a stack that serves the model, and no rule of a policy is violated."""
    served = {row.target.accelerator.id for row in model.rows if row.verdict in _GOOD and row.placement}
    wanted = {row.target.accelerator.id for row in model.rows}
    violated = any(outcome.state == "violated" and outcome.level == "error" for outcome in model.policy)
    return not model.inspection.errors and bool(wanted) and served == wanted and not violated


def model_folder(uri: str, into: Path) -> Path:
    """Return a folder with the model's documents, and git-LFS pointers in the place of its weights."""
    for info in files(uri, ""):
        target = into / info.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if info.path.endswith(".json") and info.file_size <= _LARGEST_DOCUMENT:
            artifacts.download_artifacts(f"{uri}/{info.path}", dst_path=str(target.parent))
        else:
            target.write_text(_POINTER.format(info.file_size), encoding="utf-8")
    configs = sorted(into.rglob("config.json"), key=lambda path: len(path.parts))
    return configs[0].parent if configs else into


def files(uri: str, path: str) -> Iterator[FileInfo]:
    """Yield every file of a model version, its path relative to the version's root."""
    for info in artifacts.list_artifacts(f"{uri}/{path}" if path else uri):
        name = f"{path}/{Path(info.path).name}" if path else Path(info.path).name
        if info.is_dir:
            yield from files(uri, name)
        else:
            yield FileInfo(name, is_dir=False, file_size=info.file_size)


def main() -> int:
    """Run the gate from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("version")
    parser.add_argument("--alias", default="production")
    parser.add_argument("--on", action="append", required=True)
    parser.add_argument("--policy", action="append", default=[])
    given = parser.parse_args()
    policies = [auditor.read_policy(Path(path)) for path in given.policy]
    today = date.today().isoformat()  # noqa: DTZ011  # the reader's own day
    model = promote(given.name, given.version, given.alias, given.on, policies, today=today)
    for row in model.rows:
        print(f"{row.target.id}: {row.verdict}")
    for outcome in model.policy:
        print(f"{outcome.policy}/{outcome.rule}: {outcome.state}")
    return 0 if passes(model) else 1


if __name__ == "__main__":
    sys.exit(main())
