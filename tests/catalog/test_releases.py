"""A stack divides memory as the release that was asked for did."""

from pathlib import Path

import pytest

from auditor.catalog import Catalog
from auditor.catalog.kept import pack, unpack
from auditor.catalog.releases import at_release
from auditor.errors import WorkloadError
from tests.support.catalogue import STACK, load_catalog, write, write_catalogue

MEMORY = """\
memory:
  fraction: 0.92
  fraction_of: total
  runtime: {value: 1, unit: GiB}
  activation_tokens: 8192
  block_tokens: 16
  windowed: grouped
releases:
  - before: "0.21"
    memory: {fraction: 0.9, runtime: {value: 128, unit: MiB}}
  - before: "0.9.2"
    memory: {windowed: full}
"""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root: Path = write_catalogue(tmp_path_factory.mktemp("catalogue"))
    write(root / "stacks/serve/stack.yaml", STACK + MEMORY)
    write(root / "stacks/other/stack.yaml", STACK.replace("stack: serve", "stack: other").replace("[server]", "[]"))
    return load_catalog(root=root)


@pytest.mark.parametrize(
    ("release", "fraction", "windowed"),
    [
        ("0.25.1", 0.92, "grouped"),
        ("0.21", 0.92, "grouped"),
        ("0.21.0rc1", 0.9, "grouped"),
        ("0.9.2", 0.9, "grouped"),
        ("0.9", 0.9, "full"),
    ],
)
def test_each_change_is_undone_before_the_release_that_made_it(catalog: Catalog, release: str, fraction: float, windowed: str) -> None:
    (target,) = catalog.find_targets([f"chip/serve@{release}"])
    memory = target.stack.memory
    assert memory
    assert (target.id, memory.fraction, memory.windowed) == (f"chip/serve@{release}", fraction, windowed)
    assert target.stack.figures["memory.fraction"].value == fraction


def test_two_releases_of_one_stack_are_two_targets(catalog: Catalog) -> None:
    assert [one.id for one in catalog.find_targets(["chip/serve@0.9", "chip/serve"])] == ["chip/serve", "chip/serve@0.9"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chip/serve@new", "'new' is no release of Serve; write its number"),
        ("chip/other@0.9", "no earlier releases of Serve are known; leave @0.9 out"),
        ("chip@0.9", "'chip@0.9' names a release and no stack; write chip/"),
    ],
)
def test_a_release_that_cannot_be_meant(catalog: Catalog, name: str, message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        catalog.find_targets([name])
    assert str(caught.value).startswith(message)


def test_history_is_kept_between_runs(catalog: Catalog) -> None:
    again = unpack(pack(catalog))
    assert at_release(again.stacks["serve"], "0.9") == at_release(catalog.stacks["serve"], "0.9")
