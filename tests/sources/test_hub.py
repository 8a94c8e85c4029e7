"""Models on the Hub, through the real client, against a Hub of our own."""

import logging
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import close_session, constants, snapshot_download

from auditor.errors import AccessDenied, NotFound, TargetError, Unreachable
from auditor.snapshot import Snapshot
from auditor.sources import SourceOptions, open_target
from tests.support.hub_server import COMMIT, Hub
from tests.support.model_files import LLAMA, write_json, write_llama, write_safetensors, write_sharded

MODEL = "org/name"


@pytest.fixture(autouse=True)
def model(hub: Hub) -> None:
    write_llama(hub.root / MODEL)


def take(hub: Hub, text: str = MODEL, **options: Any) -> Snapshot:
    return open_target(text, SourceOptions(endpoint=hub.endpoint, **options))


def refusal(hub: Hub, kind: type[TargetError], text: str = MODEL, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        take(hub, text, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.hint, "say what to do"
    assert text.partition("@")[0] in line
    return line


def test_the_same_snapshot_as_the_folder_has(hub: Hub) -> None:
    found, local = take(hub), open_target(str(hub.root / MODEL), SourceOptions())
    assert (found.weights, found.documents, found.files) == (local.weights, local.documents, local.files)
    assert (found.id, found.revision, found.source, found.problems) == (MODEL, COMMIT, "hub", ())


def test_one_request_a_shard_and_three_more(hub: Hub) -> None:
    take(hub)
    assert len(hub.asked) == 2 + 3


def test_an_unsharded_model_takes_three_requests(hub: Hub) -> None:
    write_json(hub.root / "org/single/config.json", LLAMA)
    write_safetensors(hub.root / "org/single/model.safetensors", {"a": ("F32", (1_000_000,))})
    take(hub, "org/single")
    assert len(hub.asked) == 3
    assert sum(request.sent for request in hub.requests) < 110_000


def test_one_more_request_where_a_header_is_longer_than_the_first_range(hub: Hub) -> None:
    tensors = {f"a.rather.long.name.of.a.tensor.{number}": ("BF16", (2, 2)) for number in range(2_000)}
    write_safetensors(hub.root / "org/long/model.safetensors", tensors)
    found = take(hub, "org/long")
    assert len(found.weights[0].files[0].tensors or ()) == 2_000
    assert len(hub.asked) == 3


def test_fast_takes_three_requests_whatever_the_shards(hub: Hub) -> None:
    write_json(hub.root / "org/many/config.json", LLAMA)
    write_sharded(hub.root / "org/many", [{f"t{number}": ("F32", (4,))} for number in range(20)])
    found = take(hub, "org/many", fast=True)
    assert len(hub.requests) == 3
    assert found.weights[0].index_total == 20 * 16
    assert not found.headers_read


def test_shards_are_read_concurrently(hub: Hub) -> None:
    write_sharded(hub.root / "org/many", [{f"t{number}": ("F32", (4,))} for number in range(32)])
    hub.behaviour.latency_s = 0.05
    take(hub, "org/many")
    assert hub.busiest >= 8


def test_documents_and_headers_are_asked_for_together(hub: Hub) -> None:
    hub.behaviour.latency_s = 0.05
    take(hub)
    asked = [request.path.rpartition("/")[2] for request in hub.asked]
    assert asked[0].startswith("name?")
    assert hub.busiest == 4, "configuration, index and two headers"


def test_the_token_goes_to_the_hub_and_nowhere_else(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub.behaviour.gated.add(MODEL)
    found = take(hub, token="hf_good")  # noqa: S106
    assert found.weights[0].files[0].tensors
    assert all(request.authorized for request in hub.asked)
    elsewhere = [request for request in hub.requests if request not in hub.asked]
    assert elsewhere
    assert not any(request.authorized for request in elsewhere)
    assert "hf_good" not in caplog.text
    assert "hf_good" not in repr(found)


def test_a_revision_in_the_target_goes_before_the_option(hub: Hub) -> None:
    take(hub, f"{MODEL}@refs/pr/1", revision="nowhere")
    assert "/revision/refs%2Fpr%2F1" in hub.requests[0].path
    assert all(COMMIT in request.path for request in hub.asked[1:]), "what was listed is what is read"


def test_a_file_of_the_repository_can_be_named(hub: Hub) -> None:
    write_safetensors(hub.root / MODEL / "extra" / "other.safetensors", {"a": ("F32", (1,))})
    assert [file.path for file in take(hub, f"{MODEL}:extra/other.safetensors").weights[0].files] == ["extra/other.safetensors"]
    with pytest.raises(NotFound, match="no weight file 'nothing'"):
        take(hub, f"{MODEL}:nothing")


def test_a_folder_of_the_repository_can_be_named(hub: Hub) -> None:
    write_llama(hub.root / MODEL / "quantized")
    found = take(hub, f"{MODEL}:quantized")
    assert (found.weights, found.id) == (open_target(str(hub.root / MODEL / "quantized"), SourceOptions()).weights, f"{MODEL}:quantized")
    assert len(hub.asked) == 2 + 3


def test_the_hubs_own_address_of_a_model_is_understood(hub: Hub) -> None:
    assert take(hub, f"hf://{MODEL}").id == MODEL


def test_what_only_the_hub_knows_is_on_the_card(hub: Hub) -> None:
    hub.behaviour.cards[MODEL] = {"license": "mit", "base_model": "org/base", "inference": False}
    hub.behaviour.gated.add(MODEL)
    card = take(hub, token="hf_good").card  # noqa: S106
    assert card == {"license": "mit", "base_model": "org/base", "gated": "manual", "private": False}


def test_sizes_come_from_the_paged_tree_where_the_short_answer_has_none(hub: Hub) -> None:
    hub.behaviour.without_sizes, hub.behaviour.page = True, 2
    found = take(hub)
    assert found.files == open_target(str(hub.root / MODEL), SourceOptions()).files
    assert sum("/tree/" in request.path for request in hub.requests) == 3


def test_a_renamed_repository_is_followed_and_said(hub: Hub) -> None:
    hub.behaviour.renamed["org/old"] = MODEL
    found = take(hub, "org/old")
    assert found.weights == take(hub).weights
    assert [problem.message for problem in found.problems] == [f"org/old is now called {MODEL} on the Hub; use the new name"]


# What goes wrong, each in one line.


def test_a_missing_or_private_repository(hub: Hub) -> None:
    assert "is not on the Hub, or private" in refusal(hub, NotFound, "org/nothing")
    hub.behaviour.private.add(MODEL)
    assert "--token" in refusal(hub, NotFound)
    assert take(hub, token="hf_good").id == MODEL  # noqa: S106


def test_a_gated_repository(hub: Hub) -> None:
    hub.behaviour.gated.add(MODEL)
    assert "accept its terms" in refusal(hub, AccessDenied)


def test_a_disabled_repository(hub: Hub) -> None:
    hub.behaviour.disabled.add(MODEL)
    assert "disabled by the Hub" in refusal(hub, AccessDenied)


def test_a_bad_token(hub: Hub) -> None:
    line = refusal(hub, AccessDenied, token="hf_bad")  # noqa: S106
    assert "refuses the token" in line
    assert "hf_bad" not in line


def test_a_wrong_revision(hub: Hub) -> None:
    assert "has no revision 'v9'" in refusal(hub, NotFound, f"{MODEL}@v9")


def test_an_empty_repository(hub: Hub) -> None:
    (hub.root / "org/empty").mkdir()
    (hub.root / "org/empty/.gitattributes").touch()
    assert "holds no config.json and no weights" in refusal(hub, NotFound, "org/empty")


def test_no_network(hub: Hub) -> None:
    close_session()
    with pytest.raises(Unreachable, match="cannot be reached") as caught:
        open_target(MODEL, SourceOptions(endpoint="http://127.0.0.1:9"))
    assert "--offline" in caught.value.hint


@pytest.mark.parametrize("where", ["/api/models/", "config.json", "model-00002-of-00002"])
@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ([429], "rate limit is reached"),
        ([503, 503], "answered 503"),
        ([500, 502], "answered 502"),
        (["drop", "drop"], "cannot be reached"),
    ],
)
def test_a_fault_that_stays_is_one_line_wherever_it_strikes(hub: Hub, where: str, answers: list[int | str], says: str) -> None:
    hub.behaviour.fail[where] = list(answers)
    assert says in refusal(hub, Unreachable)


def test_a_server_that_hangs(hub: Hub) -> None:
    hub.behaviour.fail["model-00001"] = ["hang", "hang"]
    assert "did not answer in time" in refusal(hub, Unreachable)


@pytest.mark.parametrize("fault", [503, "drop"])
def test_a_fault_that_passes_is_not_even_mentioned(hub: Hub, fault: int | str) -> None:
    hub.behaviour.fail = {"/api/models/": [fault], "config.json": [fault], "model-00001": [fault]}
    assert not take(hub).problems


def test_a_rate_limit_says_when_to_come_back(hub: Hub) -> None:
    hub.behaviour.fail["/api/models/"] = [429]
    assert "in 7 seconds" in refusal(hub, Unreachable)


def test_a_server_without_ranges_is_not_made_to_send_whole_files(hub: Hub) -> None:
    write_safetensors(hub.root / "org/big/model.safetensors", {"a": ("F32", (100_000_000,))})
    hub.behaviour.ignore_ranges = True
    found = take(hub, "org/big")
    assert found.weights[0].files[0].tensors
    assert sum(request.sent for request in hub.requests) < 20_000_000


def test_something_that_is_no_hub(hub: Hub) -> None:
    hub.behaviour.fail["/api/models/"] = [404]
    assert "check the name, and that the endpoint is a Hub" in refusal(hub, NotFound)


# The cache.


@pytest.fixture
def cache(hub: Hub, tmp_path: Path) -> Path:
    snapshot_download(MODEL, endpoint=hub.endpoint, cache_dir=tmp_path / "cache")
    hub.forget()
    return tmp_path / "cache"


def test_the_cache_answers_without_network(hub: Hub, cache: Path) -> None:
    for revision in (None, "main", COMMIT):
        found = take(hub, offline=True, cache_dir=cache, revision=revision)
        assert (found.id, found.revision, found.source) == (MODEL, COMMIT, "cache")
        assert found.weights == open_target(str(hub.root / MODEL), SourceOptions()).weights
    assert not hub.requests


def test_the_library_being_offline_means_the_cache(hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert take(hub, cache_dir=cache).source == "cache"
    assert not hub.requests


def test_a_folder_of_the_cache_is_a_target(hub: Hub, cache: Path) -> None:
    home = cache / "models--org--name"
    for folder in (home, home / "snapshots" / COMMIT):
        found = open_target(str(folder), SourceOptions())
        assert (found.id, found.revision, found.source) == (MODEL, COMMIT, "cache")
        assert found.weights[0].files[0].tensors


@pytest.mark.parametrize("revision", ["v9", "../../..", "/etc", "..", "refs/../../.."])
def test_what_is_not_in_the_cache_is_one_line(hub: Hub, cache: Path, revision: str) -> None:
    assert "has no revision" in refusal(hub, NotFound, offline=True, cache_dir=cache, revision=revision)
    assert "is not in the Hub's cache" in refusal(hub, NotFound, "org/other", offline=True, cache_dir=cache)


# Other formats.


def test_a_gguf_file_takes_two_requests(hub: Hub) -> None:
    pytest.importorskip("gguf", reason="the reference package writes these files")
    from tests.support.gguf_files import llama, metadata, write_gguf  # noqa: PLC0415

    for kind in ("Q2_K", "Q4_K", "Q6_K"):
        write_gguf(hub.root / "org/gguf" / f"m-{kind}_M.gguf", llama(kind=kind), members=metadata(), tokens=1_000)
    found = take(hub, "org/gguf")
    assert len(hub.asked) == 2
    assert found.weights[0].variant == "Q4_K_M"
    assert found.documents["m-Q4_K_M.gguf"]["llama.vocab_size"] == 1_000
    assert take(hub, "org/gguf:m-Q6_K_M.gguf").weights[0].variant == "Q6_K_M"
    assert take(hub, "org/gguf", variant="Q2_K_M").weights[0].files[0].tensors


def test_a_pytorch_checkpoint_is_read_by_ranges(hub: Hub) -> None:
    sample = Path(__file__).parent.parent / "weights" / "data" / "state_dict.bin"
    write_json(hub.root / "org/pickle/config.json", LLAMA)
    (hub.root / "org/pickle/pytorch_model.bin").write_bytes(sample.read_bytes())
    (file,) = take(hub, "org/pickle").weights[0].files
    assert len(file.tensors or ()) == 7
    assert len(hub.asked) <= 5


# Adapters.


def write_adapter(folder: Path, base: str = MODEL) -> None:
    write_json(folder / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": base, "r": 8})
    write_safetensors(folder / "adapter_model.safetensors", {"model.layers.0.self_attn.q_proj.lora_A.weight": ("F32", (8, 64))})


def test_an_adapter_on_the_hub_comes_with_its_base(hub: Hub) -> None:
    write_adapter(hub.root / "org/adapter")
    found, base = take(hub, "org/adapter"), take(hub)
    assert [group.component for group in found.weights] == ["", "adapter"]
    assert found.weights[:1] == base.weights
    assert set(found.documents) == {"config.json", "model.safetensors.index.json", "adapter_config.json"}
    assert (found.id, found.problems) == ("org/adapter", ())


def test_a_local_adapter_takes_its_base_from_the_cache_and_asks_no_network(hub: Hub, cache: Path, tmp_path: Path) -> None:
    write_adapter(tmp_path / "adapter")
    found = take(hub, str(tmp_path / "adapter"), cache_dir=cache)
    assert [group.component for group in found.weights] == ["", "adapter"]
    assert not hub.requests


@pytest.mark.parametrize("base", ["org/nothing", "/etc", "../elsewhere", "", "a/b/c"])
def test_a_base_that_is_not_at_hand_is_said(hub: Hub, base: str, tmp_path: Path) -> None:
    write_adapter(hub.root / "org/adapter", base)
    found = take(hub, "org/adapter")
    assert [group.component for group in found.weights] == [""]
    (problem,) = found.problems
    assert problem.message.startswith("the adapter's base model is not at hand (")
