"""Policies: what a team demands of its models, as data, in the language of rules, over facts and what an audit found."""

from auditor.policy.evaluate import judge
from auditor.policy.model import Policy, PolicyRule, Scope
from auditor.policy.read import read_policy

__all__ = ["Policy", "PolicyRule", "Scope", "judge", "read_policy"]
