"""A catalogue of three small files, written to a folder, for tests that change one thing and look at what is said."""

from pathlib import Path

from auditor.catalog import Catalog, load_catalog

SOURCES = """\
sources:
  paper: {title: A paper, url: "https://example.com/paper", as_of: 2026-10-01}
  code: {title: Some code, repo: "owner/repo:path@abc", as_of: 2026-09}
"""
CHIP = """\
accelerator: chip
name: Chip
vendor: maker
family: chips
aliases: [chippy]
default: {sources: [paper], confidence: high}
availability: {status: open}
memory: {value: 80, unit: GB}
planning_memory: {value: 80, unit: GB}
bandwidth: 3000
peaks: {bfloat16: 1000, int8: 2000}
native_dtypes: [bfloat16, int8]
power: 700
instances:
  - {provider: cloud, name: eight, devices: 8}
"""
STACK = """\
stack: serve
name: Serve
family: neuron
version: "1.0"
aliases: [server]
maturity: stable
maturity_multiplier: baseline
accelerators: [chips]
default: {sources: [paper], confidence: high}
architectures:
  complete: true
  rows:
    - {classes: [LlamaForCausalLM], status: validated}
formats:
  complete: true
  rows:
    - {methods: [none], status: native}
    - {methods: [gptq], status: convert, work: requantize}
"""
RULES = """\
default: {sources: [paper], confidence: high}
rules:
  - id: served-here
    when: {stack.architecture_status: [validated, listed]}
    verdict: native
    message: "{stack.name} serves {arch.model_type}"
    remediation: Serve it.
  - id: gptq-here
    applies_to: {stack: [serve]}
    when: {quant.method: gptq}
    verdict: config-change
    work: [requantize]
    message: no gptq
    remediation: Requantize.
"""
PRICES = """\
default: {provider: cloud, term: on-demand, as_of: 2026-11-01, sources: [paper], confidence: high}
prices:
  - {instance: eight, accelerator: chip, devices: 8, usd_per_hour: 20}
"""
EFFORT = """\
effort: small
rho: 0.5
items:
  requantize: {name: Requantization, scope: model, grade: J, sources: [paper], weeks: [1, 2, 3]}
multipliers: {}
"""
FILES = {
    "sources.yaml": SOURCES,
    "accelerators/chip.yaml": CHIP,
    "stacks/serve/stack.yaml": STACK,
    "common/all.yaml": RULES,
    "prices/cloud.yaml": PRICES,
    "effort/effort.yaml": EFFORT,
}


def write_catalogue(root: Path, **changed: str) -> Path:
    """Write the files under ``root/rules``; ``chip=…``, ``stack=…``, ``rules=…`` and so on replace one of them."""
    names = {"sources": 0, "chip": 1, "stack": 2, "rules": 3, "prices": 4, "effort": 5}
    texts = dict(FILES)
    paths = list(FILES)
    for name, text in changed.items():
        texts[paths[names[name]]] = text
    for path, text in texts.items():
        write(root / "rules" / path, text)
    return root / "rules"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(root: Path, *packs: Path, **changed: str) -> Catalog:
    return load_catalog(packs, root=write_catalogue(root, **changed))
