"""People name targets as they speak of them, and near misses are met with a suggestion."""

from pathlib import Path

import pytest

from auditor.catalog import Catalog
from auditor.errors import WorkloadError
from tests.support.catalogue import STACK, load_catalog, write, write_catalogue


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root: Path = write_catalogue(tmp_path_factory.mktemp("catalogue"))
    write(root / "accelerators/big.yaml", "accelerator: big\nextends: chip\nname: Big\n")
    write(
        root / "accelerators/own.yaml",
        "accelerator: own\nextends: chip\nname: Own\nvendor: owner\nfamily: owned\n"
        "availability: {status: captive, note: theirs, sources: [paper]}\n",
    )
    write(
        root / "stacks/other/stack.yaml",
        STACK.replace("stack: serve", "stack: other").replace("[server]", "[]").replace("[chips]", "[big, owned]"),
    )
    write(root / "accelerators/lone.yaml", "accelerator: lone\nextends: chip\nname: Lone\nfamily: lonely\n")
    return load_catalog(root=root)


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        ([], ["big/other", "big/serve", "chip/serve", "own/other"]),
        (["chip"], ["chip/serve"]),
        (["CHIPPY"], ["chip/serve"]),
        (["chips"], ["big/other", "big/serve", "chip/serve"]),
        (["big/other"], ["big/other"]),
        (["big/neuron", "chippy/server"], ["big/other", "big/serve", "chip/serve"]),
        (["vendor:owner"], ["own/other"]),
        (["stack:serve"], ["big/serve", "chip/serve"]),
        (["stack:server"], ["big/serve", "chip/serve"]),
        (["rentable"], ["big/other", "big/serve", "chip/serve"]),
        (["own", "big/other", "own"], ["big/other", "own/other"]),
    ],
)
def test_names_select_targets(catalog: Catalog, names: list[str], ids: list[str]) -> None:
    assert [target.id for target in catalog.find_targets(names)] == ids


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chp", "no accelerator is called 'chp'; did you mean 'chip'?"),
        ("rentabel", "no accelerator is called 'rentabel'; did you mean 'rentable'?"),
        ("big/srve", "no stack on big is called 'srve' (in 'big/srve'); did you mean 'serve'?"),
        ("chip/other", "no stack on chip is called 'other' (in 'chip/other'); known: neuron, serve, server"),
        ("vendor:onwer", "no vendor is called 'onwer' (in 'vendor:onwer'); did you mean 'owner'?"),
        ("stack:serv", "no stack is called 'serv' (in 'stack:serv'); did you mean 'serve'?"),
        ("lone", "no stack in the catalogue serves on lone; add one under rules/stacks/, or choose another accelerator"),
        ("", "no accelerator is called ''"),
    ],
)
def test_a_near_miss_gets_a_suggestion(catalog: Catalog, name: str, message: str) -> None:
    with pytest.raises(WorkloadError) as caught:
        catalog.find_targets([name])
    assert str(caught.value).startswith(message)


def test_one_accelerator_and_one_rule_by_name(catalog: Catalog) -> None:
    assert catalog.accelerator("Chippy").id == "chip"
    assert catalog.rule("gptq-here").verdict == "config-change"
    with pytest.raises(WorkloadError, match=r"no accelerator is called 'chipy'; did you mean 'chippy'\?"):
        catalog.accelerator("chipy")
    with pytest.raises(WorkloadError, match=r"no rule is called 'gptq-her'; did you mean 'gptq-here'\?"):
        catalog.rule("gptq-her")
