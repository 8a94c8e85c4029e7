"""An adapter is served with its base model: what is audited is both."""

import re
from collections.abc import Callable
from dataclasses import replace

from auditor.errors import TargetError
from auditor.snapshot import Problem, Snapshot

#: Name that the adapter's own weights have beside those of the base.
COMPONENT = "adapter"
CONFIG = "adapter_config.json"
_HUB_NAME = re.compile(r"\w[\w.-]*/[\w.-]+")


def with_base(adapter: Snapshot, open_base: Callable[[str, str | None], Snapshot]) -> Snapshot:
    """Return an adapter together with its base; a snapshot that is no adapter, or a base not at hand, changes nothing else.

    ``open_base`` gets a Hub id and a revision. A base that is named by a path is not followed: the adapter's author chose the
    path, not the user.
    """
    config = adapter.documents.get(CONFIG)
    if not isinstance(config, dict) or "config.json" in adapter.documents:
        return adapter
    name, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(name, str) or not _HUB_NAME.fullmatch(name):
        return _alone(adapter, f"{CONFIG} names no base model of the Hub")
    try:
        base = open_base(name, revision if isinstance(revision, str) and revision else None)
    except TargetError as error:
        return _alone(adapter, error.message)
    return replace(
        adapter,
        documents={**base.documents, **adapter.documents},
        weights=(*base.weights, *(replace(group, component=COMPONENT) for group in adapter.weights)),
        problems=(*adapter.problems, *base.problems),
        code=base.code,
    )


def _alone(adapter: Snapshot, why: str) -> Snapshot:
    text = f"the adapter's base model is not at hand ({why}); what it says of the whole is unknown"
    return replace(adapter, problems=(*adapter.problems, Problem(CONFIG, text)))
