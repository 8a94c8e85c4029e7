"""What would be loaded out of a list of files, as repositories really look."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import NotFound
from auditor.snapshot import FileEntry
from auditor.weights.choose import Choice, choose


def choice(*paths: str, variant: str | None = None, path: str | None = None, **documents: Any) -> Choice:
    known = {name.replace("__", "/").replace("_json", ".json").replace("_DOT_", "."): value for name, value in documents.items()}
    return choose([FileEntry(path, 100) for path in paths], known, variant, path)


def loaded(result: Choice) -> dict[str, list[str]]:
    return {group.component: [file.path for file in group.files] for group in result.weights}


def named(result: Choice) -> set[tuple[str, str, str]]:
    return {(group.component, group.format, group.variant) for group in result.not_loaded}


def index(*files: str, total: object = 7) -> dict[str, object]:
    return {"metadata": {"total_size": total}, "weight_map": {f"tensor{number}": file for number, file in enumerate(files)}}


@pytest.mark.parametrize(
    ("paths", "taken"),
    [
        (["model.safetensors"], ["model.safetensors"]),
        (["model.safetensors", "pytorch_model.bin", "tf_model.h5", "flax_model.msgpack"], ["model.safetensors"]),
        (["pytorch_model.bin", "tf_model.h5"], ["pytorch_model.bin"]),
        (["model.safetensors", "consolidated.safetensors"], ["model.safetensors"]),
        (["consolidated.safetensors"], ["consolidated.safetensors"]),
        (["consolidated.00.pth", "consolidated.01.pth"], ["consolidated.00.pth", "consolidated.01.pth"]),
        (["model.fp16.safetensors", "model.safetensors"], ["model.safetensors"]),
        (["adapter_model.safetensors", "checkpoint-100/adapter_model.safetensors"], ["adapter_model.safetensors"]),
        (["model.safetensors", "original/consolidated.00.pth", "metal/model.bin", "onnx/model.onnx"], ["model.safetensors"]),
        (["gptq_model-4bit-128g.safetensors"], ["gptq_model-4bit-128g.safetensors"]),
        (["model-1-of-2.safetensors", "model-2-of-2.safetensors"], ["model-1-of-2.safetensors", "model-2-of-2.safetensors"]),
        (["model.safetensors-00001-of-00001.safetensors"], ["model.safetensors-00001-of-00001.safetensors"]),
        (["pytorch_model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state_0.pth"], ["pytorch_model.bin"]),
        (["weights.npz"], ["weights.npz"]),
        (["onnx/model.onnx", "onnx/model.onnx_data"], ["onnx/model.onnx", "onnx/model.onnx_data"]),
    ],
)
def test_the_default_is_what_a_library_would_load(paths: list[str], taken: list[str]) -> None:
    result = choice(*paths)
    assert loaded(result) == {"": taken}
    assert not any(problem.fatal for problem in result.problems)


def test_everything_else_is_named() -> None:
    result = choice("model.safetensors", "model.fp16.safetensors", "pytorch_model.bin", "original/consolidated.00.pth", "tf_model.h5")
    assert named(result) == {
        ("", "safetensors", "fp16"),
        ("", "pytorch", ""),
        ("", "consolidated", "original"),
        ("", "tensorflow", ""),
    }


def test_an_index_decides_and_gives_the_total() -> None:
    names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    result = choice(*names, "stray.safetensors", model_DOT_safetensors_DOT_index_json=index(*names))
    assert loaded(result) == {"": names}
    assert result.weights[0].index_total == 7
    assert not result.problems


@pytest.mark.parametrize(("total", "kept"), [(7.0, 7), ("7", None), (-1, None), (True, None), (None, None)])
def test_a_total_that_is_no_count_of_bytes_is_not_used(total: object, kept: int | None) -> None:
    result = choice("a.safetensors", model_DOT_safetensors_DOT_index_json=index("a.safetensors", total=total))
    assert result.weights[0].index_total == kept


def test_an_index_that_names_absent_files_is_a_fatal_problem() -> None:
    result = choice("a.safetensors", model_DOT_safetensors_DOT_index_json=index("a.safetensors", "b.safetensors"))
    (problem,) = result.problems
    assert problem.fatal
    assert problem.message == "model.safetensors.index.json names files that are missing (b.safetensors); fetch them"
    assert [file.why for file in result.weights[0].files] == ["", "b.safetensors is missing"]


@pytest.mark.parametrize("document", [{}, {"weight_map": []}, {"weight_map": {"a": 1}}, {"weight_map": None}])
def test_an_index_without_a_map_is_a_problem_and_names_decide(document: object) -> None:
    result = choice("model-00001-of-00001.safetensors", model_DOT_safetensors_DOT_index_json=document)
    assert loaded(result) == {"": ["model-00001-of-00001.safetensors"]}
    assert [problem.fatal for problem in result.problems] == [True]


def test_a_missing_shard_is_a_fatal_problem_even_without_an_index() -> None:
    result = choice("model-00001-of-00003.safetensors", "model-00003-of-00003.safetensors")
    (problem,) = result.problems
    assert problem.fatal
    assert "model-00002-of-00003.safetensors" in problem.message
    assert len(result.weights[0].files) == 3


def test_a_name_that_claims_a_million_shards_costs_nothing() -> None:
    result = choice("model-000001-of-999999.safetensors")
    assert len(result.weights[0].files) <= 10_000
    assert "and 9996 more" in result.problems[0].message


def test_a_stale_index_beside_a_whole_file_does_no_harm() -> None:
    gone = index("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    result = choice("model.safetensors", model_DOT_safetensors_DOT_index_json=gone)
    assert loaded(result) == {"": ["model.safetensors"]}
    assert not result.problems


def test_a_variant_is_taken_when_it_is_asked_for() -> None:
    files = ["model.safetensors", "model.fp16-00001-of-00002.safetensors", "model.fp16-00002-of-00002.safetensors", "original/model.bin"]
    assert loaded(choice(*files, variant="fp16"))[""] == files[1:3]
    assert loaded(choice(*files, variant="original"))[""] == ["original/model.bin"]
    assert loaded(choice(*files, variant="pytorch"))[""] == ["original/model.bin"]
    with pytest.raises(NotFound, match=r"no variant 'int8' here; there is .*fp16"):
        choice(*files, variant="int8")


def test_a_path_names_the_set_that_holds_it() -> None:
    files = ["model.safetensors", "x/big-00001-of-00002.gguf", "x/big-00002-of-00002.gguf"]
    assert loaded(choice(*files, path=files[2]))[""] == files[1:]
    with pytest.raises(NotFound, match=r"no weight file 'nothing.gguf' here"):
        choice(*files, path="nothing.gguf")


def test_several_quantizations_say_which_was_taken() -> None:
    files = ["m-Q2_K.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "mmproj-F16.gguf"]
    result = choice(*files)
    assert loaded(result)[""] == ["m-Q4_K_M.gguf"]
    (problem,) = result.problems
    assert not problem.fatal
    assert "--variant" in problem.message
    assert loaded(choice(*files, variant="q8_0"))[""] == ["m-Q8_0.gguf"]
    assert {variant for _, _, variant in named(result)} == {"Q2_K", "Q8_0", "F16"}


@pytest.mark.parametrize(
    ("file", "variant"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Q4_K_M"),
        ("llama-2-7b.Q5_K_S.gguf", "Q5_K_S"),
        ("gemma-3-27b-it-q4_0.gguf", "q4_0"),
        ("UD-IQ1_S/DeepSeek-V3-UD-IQ1_S-00001-of-00001.gguf", "UD-IQ1_S"),
        ("gpt-oss-20b-mxfp4.gguf", "mxfp4"),
        ("model-BF16.gguf", "BF16"),
        ("something.gguf", "something"),
    ],
)
def test_the_quantization_is_read_from_the_name(file: str, variant: str) -> None:
    assert choice(file).weights[0].variant == variant


PIPELINE = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "safety_checker": [None, None],
}


def test_a_pipeline_is_its_components() -> None:
    result = choice(
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.bin",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        "v1-5-pruned.safetensors",
        model_index_json=PIPELINE,
    )
    assert loaded(result) == {
        "text_encoder": ["text_encoder/model.safetensors"],
        "unet": ["unet/diffusion_pytorch_model.safetensors"],
        "vae": ["vae/diffusion_pytorch_model.safetensors"],
    }
    assert named(result) == {("unet", "pytorch", ""), ("", "safetensors", "")}


def test_a_component_in_half_precision_only_is_counted_and_said() -> None:
    result = choice(
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.safetensors",
        model_index_json=PIPELINE,
    )
    assert loaded(result)["unet"] == ["unet/diffusion_pytorch_model.fp16.safetensors"]
    assert [(problem.path, problem.fatal) for problem in result.problems] == [("unet", False)]


def test_a_component_without_weights_is_a_fatal_problem() -> None:
    result = choice("vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors", model_index_json=PIPELINE)
    (problem,) = result.problems
    assert problem.fatal
    assert "unet (UNet2DConditionModel)" in problem.message


def test_a_variant_of_a_pipeline_falls_back_where_a_component_has_none() -> None:
    result = choice(
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "text_encoder/model.fp16.safetensors",
        model_index_json=PIPELINE,
        variant="fp16",
    )
    assert loaded(result) == {
        "text_encoder": ["text_encoder/model.fp16.safetensors"],
        "unet": ["unet/diffusion_pytorch_model.fp16.safetensors"],
        "vae": ["vae/diffusion_pytorch_model.safetensors"],
    }
    assert [(problem.path, problem.fatal) for problem in result.problems] == [("vae", False)]


def test_a_sentence_encoder_counts_its_dense_layers() -> None:
    modules = [{"path": ""}, {"path": "1_Pooling"}, {"path": "2_Dense"}]
    result = choice("model.safetensors", "2_Dense/model.safetensors", "onnx/model.onnx", modules_json=modules)
    assert loaded(result) == {"": ["model.safetensors"], "2_Dense": ["2_Dense/model.safetensors"]}


def test_rivals_without_a_reason_to_prefer_one_are_not_guessed_at() -> None:
    result = choice("one.safetensors", "two.safetensors")
    assert not result.weights
    (problem,) = result.problems
    assert problem.fatal
    assert "one.safetensors, two.safetensors could each be the model" in problem.message


def test_no_weights_at_all_is_no_error() -> None:
    assert choice("config.json", "README.md") == Choice(())


parts = st.sampled_from(
    [
        "model",
        "unet",
        "original",
        "consolidated",
        ".fp16",
        "-00001-of-00002",
        "-7-of-3",
        ".safetensors",
        ".bin",
        ".gguf",
        ".index.json",
        "/",
        "Q4_K_M",
        "\n",
        "é",
    ]
)
paths = st.lists(parts, min_size=1, max_size=5).map("".join)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | paths,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(paths, inner, max_size=3),
    max_leaves=6,
)
indices = st.fixed_dictionaries(
    {}, optional={"weight_map": json_values | st.dictionaries(paths, paths, max_size=4), "metadata": json_values}
)
documents = st.dictionaries(paths.map(lambda path: f"{path}.index.json"), indices | json_values, max_size=3) | st.fixed_dictionaries(
    {}, optional={"model_index.json": json_values, "modules.json": json_values}
)


@given(st.lists(paths, max_size=8, unique=True), documents, st.none() | paths, st.none() | paths)
def test_any_repository_gives_a_choice_or_one_line(files: list[str], known: dict[str, Any], variant: str | None, path: str | None) -> None:
    try:
        result = choose([FileEntry(file, 1) for file in files], known, variant, path)
    except NotFound as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    assert all(problem.message.isprintable() for problem in result.problems)
    loaded_files = [file.path for group in result.weights for file in group.files if not file.why]
    others = [file.path for group in result.not_loaded for file in group.files]
    assert set(loaded_files) <= set(files)
    assert not set(loaded_files) & set(others), "a file is loaded or it is not"
