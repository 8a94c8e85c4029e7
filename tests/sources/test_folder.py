"""Models on disk: what is read, what is never followed, and what a bad file says."""

import json
import os
import tracemalloc
from pathlib import Path

import pytest

from auditor.errors import Malformed, NotFound, TargetError
from auditor.snapshot import Snapshot
from auditor.sources import SourceOptions, folder, open_target
from tests.support.model_files import LLAMA, header, llama_tensors, write_json, write_llama, write_safetensors, write_sharded


def take(path: Path | str, **options: object) -> Snapshot:
    return open_target(str(path), SourceOptions(**options))  # type: ignore[arg-type]


def fatal(snapshot: Snapshot) -> list[str]:
    return [problem.message for problem in snapshot.problems if problem.fatal]


def refusal(path: Path | str) -> str:
    with pytest.raises(TargetError) as caught:
        take(path)
    line = str(caught.value)
    assert "\n" not in line
    assert caught.value.hint, "say what to do"
    return line


def test_a_sharded_folder(tmp_path: Path) -> None:
    found = take(write_llama(tmp_path))
    (group,) = found.weights
    expected = {name: shape for shard in llama_tensors() for name, (_, shape) in shard.items()}
    assert {tensor.name: tensor.shape for file in group.files for tensor in file.tensors or ()} == expected
    assert sum(tensor.nbytes for file in group.files for tensor in file.tensors or ()) == group.index_total
    assert (found.source, found.problems, found.headers_read) == ("folder", (), True)
    assert found.documents["config.json"] == LLAMA
    assert found.documents["model.safetensors.index.json"] == {"metadata": {"total_size": group.index_total}}, "the map is used up"


def test_fast_leaves_headers_unread(tmp_path: Path) -> None:
    found = take(write_llama(tmp_path), fast=True)
    assert not found.headers_read
    assert all(file.tensors is None and "--fast" in file.why for file in found.weights[0].files)
    assert found.weights[0].index_total is not None


def test_a_header_longer_than_the_first_range(tmp_path: Path) -> None:
    tensors = {f"a.rather.long.name.of.a.tensor.{number}": ("BF16", (2, 2)) for number in range(2_000)}
    assert len(header(tensors)[0]) > 150_000
    write_safetensors(tmp_path / "model.safetensors", tensors)
    (file,) = take(tmp_path).weights[0].files
    assert file.tensors is not None
    assert len(file.tensors) == 2_000


def test_a_lone_configuration(tmp_path: Path) -> None:
    write_llama(tmp_path)
    found = take(tmp_path / "config.json")
    assert (found.source, found.documents, found.weights) == ("config", {"config.json": LLAMA}, ())
    write_json(tmp_path / "other-name.json", LLAMA)
    assert take(tmp_path / "other-name.json").documents == {"config.json": LLAMA}


def test_a_lone_weight_file_and_its_shards(tmp_path: Path) -> None:
    write_llama(tmp_path)
    write_safetensors(tmp_path / "single.safetensors", {"a": ("F32", (1,))})
    assert [file.path for file in take(tmp_path / "single.safetensors").files] == ["single.safetensors"]
    found = take(tmp_path / "model-00002-of-00002.safetensors")
    assert [file.path for file in found.weights[0].files] == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert (found.source, found.documents) == ("safetensors", {})


def test_a_file_or_a_folder_inside_can_be_named(tmp_path: Path) -> None:
    write_llama(tmp_path)
    write_safetensors(tmp_path / "other.safetensors", {"a": ("F32", (1,))})
    write_llama(tmp_path / "original")
    assert [file.path for file in take(f"{tmp_path}:other.safetensors").weights[0].files] == ["other.safetensors"]
    assert take(f"{tmp_path}:original").weights[0].files == take(tmp_path / "original").weights[0].files
    assert "no weight file 'nothing'" in refusal(f"{tmp_path}:nothing")


def test_mlx_is_known_by_its_metadata(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "model.safetensors", {"a": ("F32", (1,))}, {"format": "mlx"})
    assert take(tmp_path).weights[0].format == "mlx"


def test_a_quantization_written_beside_the_configuration_is_read(tmp_path: Path) -> None:
    write_llama(tmp_path)
    write_json(tmp_path / "hf_quant_config.json", {"quantization": {"quant_algo": "FP8"}})
    assert "hf_quant_config.json" in take(tmp_path).documents
    write_json(tmp_path / "config.json", LLAMA | {"quantization_config": {"quant_method": "fp8"}})
    assert "hf_quant_config.json" not in take(tmp_path).documents


def test_a_pipeline_brings_its_components_configurations(tmp_path: Path) -> None:
    write_json(tmp_path / "model_index.json", {"_class_name": "X", "unet": ["diffusers", "U"], "vae": ["diffusers", "V"]})
    for component in ("unet", "vae"):
        write_json(tmp_path / component / "config.json", {"is": component})
        write_safetensors(tmp_path / component / "diffusion_pytorch_model.safetensors", {component: ("F16", (4,))})
    write_sharded(tmp_path / "unet", [{"a": ("F16", (1,))}], stem="diffusion_pytorch_model", variant="fp16")
    found = take(tmp_path)
    assert [group.component for group in found.weights] == ["unet", "vae"]
    assert found.documents["unet/config.json"] == {"is": "unet"}
    assert [group.variant for group in found.not_loaded] == ["fp16"]
    assert [len(group.files) for group in take(tmp_path, variant="fp16").weights] == [1, 1]


# Bad input: one line that names the file and says what to do.


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[1, 2]", "config.json holds a list where an object belongs"),
        (b"null", "config.json holds null"),
        (b'"text"', "config.json holds a string"),
        (b"", "config.json is not JSON"),
        (b"{", "config.json is not JSON"),
        (b'{"a":' * 1_000 + b"1" + b"}" * 1_000, "config.json is nested more than 100 levels deep"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "config.json is nested more than 100 levels deep"),
        (b'{"a":' * 100_000, "config.json is nested more than 100 levels deep"),
        (b'{"a": "\xff"}', "config.json is not UTF-8"),
        (b'{"a": "\\ud800"}', "config.json holds half a Unicode character"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "config.json holds a number too long"),
    ],
)
def test_a_bad_configuration(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "config.json").write_bytes(content)
    assert says in refusal(tmp_path)
    assert says in refusal(tmp_path / "config.json")


@pytest.mark.parametrize(
    "content", [b'{"a": NaN, "b": Infinity}', b"\xef\xbb\xbf{}", b'{"a": "\\ud83d\\ude00"}', b'{"a":' * 99 + b"1" + b"}" * 99]
)
def test_an_odd_configuration_is_read_all_the_same(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    assert "config.json" in take(tmp_path).documents


def test_a_configuration_of_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        assert "config.json is 1.00 GiB, more than the 64.0 MiB we read" in refusal(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()
    assert "1.00 GiB" in refusal(tmp_path / "config.json")


def test_a_bad_header_costs_its_own_file_only(tmp_path: Path) -> None:
    write_llama(tmp_path)
    path = tmp_path / "model-00002-of-00002.safetensors"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    found = take(tmp_path)
    assert fatal(found) == [found.problems[0].message]
    assert found.problems[0].message.startswith("model-00002-of-00002.safetensors is cut short")
    assert [file.tensors is None for file in found.weights[0].files] == [False, True]


def test_a_missing_shard_and_a_bad_index(tmp_path: Path) -> None:
    write_llama(tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert "names files that are missing (model-00002-of-00002.safetensors); fetch them" in fatal(take(tmp_path))[0]
    (tmp_path / "model.safetensors.index.json").write_text("[]")
    assert len(fatal(take(tmp_path))) == 2
    (tmp_path / "model.safetensors.index.json").unlink()
    assert fatal(take(tmp_path)) == [
        "shards are missing beside model-00001-of-00002.safetensors: model-00002-of-00002.safetensors; fetch them"
    ]


def test_an_index_that_misplaces_tensors_is_said(tmp_path: Path) -> None:
    write_llama(tmp_path)
    path = tmp_path / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    index["weight_map"]["no.such.tensor"] = "model-00001-of-00002.safetensors"
    write_json(path, index)
    (problem,) = take(tmp_path).problems
    assert "places 1 tensors in files that lack them, first 'no.such.tensor'" in problem.message


def test_a_link_out_of_the_folder_is_never_followed(tmp_path: Path) -> None:
    write_json(tmp_path / "secret.json", {"token": "hf_secret"})
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").symlink_to(tmp_path / "secret.json")
    write_safetensors(model / "model.safetensors", {"a": ("F32", (1,))})
    found = take(model)
    assert fatal(found) == ["config.json is a link out of the model's folder, which is not followed; copy the file into the folder"]
    assert not found.documents
    assert "hf_secret" not in repr(found)


def test_links_inside_the_folder_are_followed_to_regular_files_only(tmp_path: Path) -> None:
    write_llama(tmp_path / "real")
    for path in (tmp_path / "real").iterdir():
        (tmp_path / path.name).symlink_to(Path("real") / path.name)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe.safetensors")
    found = take(tmp_path)
    assert found.weights[0].files[0].tensors
    assert sorted(problem.path for problem in found.problems if problem.fatal) == ["dangling", "folder", "loop"]
    assert "pipe.safetensors" not in {file.path for file in found.files}


def test_a_name_that_cannot_be_printed_is_left_out_and_said(tmp_path: Path) -> None:
    write_llama(tmp_path)
    (tmp_path / "a\nb\x1b[31m.safetensors").touch()
    found = take(tmp_path)
    assert found.weights[0].files[0].tensors
    assert [problem.message.isprintable() and "'a\\nb" in problem.message for problem in found.problems] == [True]


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing here")
    assert "holds no config.json and no weights" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "nothing" / "")
    assert "does not exist" in refusal("./nothing")


def test_a_folder_that_is_no_model_is_not_walked_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "FILES_LIMIT", 10)
    for number in range(11):
        (tmp_path / str(number)).touch()
    assert "more than 10 files" in refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_one_line(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", {})
    (tmp_path / "config.json").chmod(0)
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("text", ["", "   ", "a\0b", "one\ntwo", "x" * 10_000, "not a model at all!", "http://", ":", "@", "org/na me"])
def test_nonsense_is_answered_with_what_is_accepted(text: str) -> None:
    with pytest.raises(NotFound, match="name a folder"):
        take(text)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "no kind of file that describes a model" in refusal(tmp_path / "notes.txt")


# git-LFS checkouts and the Hub's cache.


def pointer_to(path: Path) -> str:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{'ab' * 32}\nsize {path.stat().st_size}\n"


def test_a_checkout_with_pointers_knows_sizes_but_no_headers(tmp_path: Path) -> None:
    write_llama(tmp_path)
    whole = take(tmp_path)
    for path in tmp_path.glob("*.safetensors"):
        path.write_text(pointer_to(path))
    found = take(tmp_path)
    assert found.source == "lfs"
    assert [(file.path, file.size) for file in found.weights[0].files] == [(file.path, file.size) for file in whole.weights[0].files]
    assert all(file.tensors is None and "pointer" in file.why for file in found.weights[0].files)
    assert found.weights[0].index_total == whole.weights[0].index_total
    assert not found.problems


def test_a_checkout_whose_objects_are_fetched_is_read_through_its_pointers(tmp_path: Path) -> None:
    write_llama(tmp_path)
    whole = take(tmp_path)
    for number, path in enumerate(sorted(tmp_path.glob("*.safetensors"))):
        text = pointer_to(path).replace("ab" * 32, f"{number:02}" * 32)
        copy = tmp_path / ".git" / "lfs" / "objects" / f"{number:02}" / f"{number:02}" / (f"{number:02}" * 32)
        copy.parent.mkdir(parents=True)
        path.rename(copy)
        path.write_text(text)
    assert take(tmp_path).weights == whole.weights


def test_a_configuration_that_is_a_pointer_says_how_to_fetch_it(tmp_path: Path) -> None:
    write_llama(tmp_path)
    (tmp_path / "config.json").write_text(pointer_to(tmp_path / "config.json"))
    assert "config.json is a git-LFS pointer; fetch it: `git lfs pull" in refusal(tmp_path)


def test_the_hub_cache_links_into_its_own_blobs_only(tmp_path: Path) -> None:
    cache = tmp_path / "models--org--name"
    snapshot = cache / "snapshots" / "abc"
    write_llama(tmp_path / "plain")
    (cache / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted((tmp_path / "plain").iterdir())):
        blob = cache / "blobs" / str(number)
        path.rename(blob)
        (snapshot / path.name).symlink_to(Path("../../blobs") / blob.name)
    other = tmp_path / "models--other--name" / "blobs" / "0"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    (snapshot / "generation_config.json").symlink_to(other)
    found = take(snapshot)
    assert all(file.tensors for file in found.weights[0].files)
    assert fatal(found) == [
        "generation_config.json is a link out of the model's folder, which is not followed; copy the file into the folder"
    ]


def test_malformed_is_what_bad_files_raise(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(Malformed):
        take(tmp_path)
