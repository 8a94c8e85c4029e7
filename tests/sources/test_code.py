"""Code in a repository: what it imports and defines, without running a line of it."""

import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Malformed
from auditor.snapshot import CodeFile
from auditor.sources import SourceOptions, open_target
from auditor.sources.code import summarise
from tests.support.model_files import LLAMA, write_json

MODEL_CODE = b'''
import torch.nn as nn
from transformers import PreTrainedModel
from .configuration_x import XConfig
import triton, triton.language as tl
try:
    from flash_attn import flash_attn_func
except ImportError:
    pass
open("never-written", "w")

class XModel(PreTrainedModel):
    def forward(self):
        import mamba_ssm
        return "\\d"

@triton.autotune(configs=[], key=[])
@triton.jit
def scan_kernel(x): ...

@triton.jit
def other_kernel(x): ...

def plain(x): ...

SOURCE = """extern "C" __global__ void inline_kernel(float* x) {}"""
'''
CUDA = b"""
template <typename T>
__global__ void __launch_bounds__(256) rms_norm_kernel(T* out) {}
__global__ static void second(int a);
// __global__ is a word in this comment; nothing follows
__device__ void helper(int a) {}
"""


def test_python_is_summarised() -> None:
    assert summarise("modeling_x.py", MODEL_CODE) == CodeFile(
        "modeling_x.py",
        imports=("flash_attn", "mamba_ssm", "torch", "transformers", "triton"),
        classes=("XModel",),
        kernels=("inline_kernel", "other_kernel", "scan_kernel"),
    )


def test_cuda_is_summarised() -> None:
    assert summarise("norm.cu", CUDA) == CodeFile("norm.cu", (), (), ("rms_norm_kernel", "second"))


@pytest.mark.parametrize(
    "code",
    [
        b"def f(:\n",
        b"x = (" + b"(" * 10_000,
        b"x = " + b"-" * 200_000 + b"1",
        b"a" + b".b" * 200_000,
        b"\0",
        b"if x:\n" * 500,
        b"[" * 90 + b"]" * 90 + b"+" * 5_000,
    ],
)
def test_code_that_does_not_parse_is_one_line(code: bytes) -> None:
    limit = sys.getrecursionlimit()
    try:
        summarise("x.py", code)
    except Malformed as error:
        assert str(error).startswith("x.py is not Python")  # noqa: PT017 - parsing is fine too
    assert sys.getrecursionlimit() == limit


@given(st.text() | st.text("()[]{}:=.,'\"\n\t defclassimportfrom@", max_size=60))
def test_any_text_gives_a_summary_or_one_line(text: str) -> None:
    for path in ("x.py", "x.cu"):
        try:
            summarise(path, text.encode("utf-8", "replace"))
        except Malformed as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_no_text_makes_the_search_for_kernels_slow() -> None:
    start = time.perf_counter()
    summarise("x.cu", b"__global__ " * 90_000)
    summarise("x.cu", b"__global__ " + b"a" * 1_000_000)
    assert time.perf_counter() - start < 5


def test_code_is_read_where_the_configuration_asks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "modeling_x.py").write_bytes(MODEL_CODE)
    (tmp_path / "broken.py").write_bytes(b"def f(:")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "train.py").write_bytes(b"import wandb")
    write_json(tmp_path / "config.json", LLAMA)
    assert not open_target(str(tmp_path), SourceOptions()).code
    write_json(tmp_path / "config.json", LLAMA | {"auto_map": {"AutoModel": "modeling_x.XModel"}})
    found = open_target(str(tmp_path), SourceOptions())
    assert [file.path for file in found.code] == ["modeling_x.py"]
    assert [(problem.path, problem.fatal) for problem in found.problems] == [("broken.py", False)]
    assert not (tmp_path / "never-written").exists()
