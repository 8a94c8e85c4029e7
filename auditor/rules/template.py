"""The starting files of a new rule: they load as they are, and pass once the blanks are filled in."""

from auditor.catalog.catalog import Catalog
from auditor.errors import WorkloadError

_RULES = """\
# yaml-language-server: $schema={schema}
{scope}rules:
  - id: {id}
    title: One line for lists
    when: {{all: [{{attention.kind: mla}}, {{workload.context: {{gt: 8192}}}}]}}
    verdict: note # native, config-change, needs-port, blocked; note changes nothing
    confidence: low
    work: [] # such as requantize; `auditor schema effort` and rules/effort/ have them all
    message: "{{arch.model_type}} uses {{attention.kind}} attention at {{workload.context:int}} tokens"
    remediation: What a person can do about it.
    sources:
      - {{title: Page that says so, url: "https://example.com/page", as_of: {today}}}
"""
_TESTS = """\
# yaml-language-server: $schema={tests_schema}
cases:
  - {{rule: {id}, facts: {{attention.kind: mla, workload.context: 32768}}, expect: fires}}
  - {{rule: {id}, facts: {{attention.kind: gqa}}, expect: quiet}}
  {remark}- {{rule: {id}, model: {model}, expect: quiet}}
"""


def new_rule(
    rule_id: str,
    catalog: Catalog,
    *,
    stack: str | None = None,
    model: str | None = None,
    schemas: str = "../../schemas",
    today: str,
) -> dict[str, str]:
    """Return the text of ``<id>.yaml`` and ``<id>.test.yaml`` by file name.

    ``stack`` is a stack's id, alias or family; ``model`` the fixture that the tests look at, left as a remark without one;
    ``schemas`` where editors find the schemas from the new files; ``today`` an ISO date.
    Raises WorkloadError when the id is taken, is no id, or the stack is not in the catalogue.
    """
    words = rule_id.split("-")
    if len(words) < 2 or not all((word.isalnum() and word.islower()) or word.isdigit() for word in words):
        raise WorkloadError(f"'{rule_id}' is no id of a rule", "use lower-case words joined by hyphens: mystack-sliding-window")
    if any(rule.id == rule_id for rule in catalog.rules):
        raise WorkloadError(f"rule '{rule_id}' is there already", "choose another id")
    stacks = sorted({target.stack.id for target in catalog.find_targets([f"stack:{stack}"])}) if stack else []
    blanks = {
        "id": rule_id,
        "model": model or "FIXTURE",
        "remark": "" if model else "# ",
        "scope": f"applies_to: {{stack: [{', '.join(stacks)}]}}\n" if stacks else "",
        "schema": f"{schemas}/rules.schema.json",
        "tests_schema": f"{schemas}/rule-tests.schema.json",
        "today": today,
    }
    return {f"{rule_id}.yaml": _RULES.format_map(blanks), f"{rule_id}.test.yaml": _TESTS.format_map(blanks)}
