"""Result files of benchmark tools, with the keys that each tool writes."""

import json
from pathlib import Path

import pytest

from auditor.baseline import dump, load, read_results
from auditor.errors import Malformed, NotFound

# vllm-project/vllm vllm/benchmarks/serve.py, --save-result
VLLM = {
    "date": "20260801-120000",
    "backend": "vllm",
    "model_id": "org/model",
    "num_prompts": 100,
    "request_rate": "inf",
    "max_concurrency": 16,
    "duration": 50.0,
    "completed": 100,
    "total_input_tokens": 60000,
    "total_output_tokens": 20000,
    "request_throughput": 2.0,
    "output_throughput": 400.0,
    "total_token_throughput": 1600.0,
    "mean_ttft_ms": 130.0,
    "median_ttft_ms": 120.0,
}
# sgl-project/sglang python/sglang/bench_serving.py: one line per run
SGLANG = {
    "backend": "sglang",
    "dataset_name": "random",
    "max_concurrency": 32,
    "duration": 10.0,
    "completed": 50,
    "total_input_tokens": 10000,
    "total_output_tokens": 5000,
    "input_throughput": 1000.0,
    "output_throughput": 500.0,
    "concurrency": 30.5,
    "median_ttft_ms": 80.0,
}


def _spread(mean: float, count: int = 40) -> dict[str, object]:
    return {"successful": {"mean": mean, "median": mean, "count": count}, "total": {"mean": mean / 2}}


# vllm-project/guidellm: benchmarks.json
GUIDELLM = {
    "benchmarks": [
        {
            "duration": 60.0,
            "config": {"backend": {"model": "org/model"}},
            "metrics": {
                "output_tokens_per_second": _spread(speed),
                "prompt_tokens_per_second": _spread(3 * speed),
                "request_concurrency": _spread(8),
                "prompt_token_count": _spread(768),
                "output_token_count": _spread(256),
                "time_to_first_token_ms": _spread(200),
                "request_latency": _spread(4),
            },
        }
        for speed in (100.0, 300.0)
    ]
}


def _file(folder: Path, text: str) -> Path:
    path = folder / "result.json"
    path.write_text(text)
    return path


def test_vllm_bench(tmp_path: Path) -> None:
    found = read_results(_file(tmp_path, json.dumps(VLLM)), watts=700)
    assert (found.tool, found.model, found.output_tokens_per_s, found.concurrency) == ("vllm bench", "org/model", 400.0, 16)
    assert (found.input_tokens, found.output_tokens, found.prompt_tokens_per_s, found.ttft_s) == (600, 200, 1200, 0.12)
    assert found.tokens_per_joule == pytest.approx(400 / 700)


def test_sglang_lines_give_the_fastest_run(tmp_path: Path) -> None:
    slower = {**SGLANG, "output_throughput": 100.0}
    found = read_results(_file(tmp_path, f"{json.dumps(slower)}\n{json.dumps(SGLANG)}\n"))
    assert (found.tool, found.output_tokens_per_s, found.concurrency) == ("sglang bench", 500.0, 30.5)


def test_guidellm(tmp_path: Path) -> None:
    found = read_results(_file(tmp_path, json.dumps(GUIDELLM)))
    assert (found.tool, found.model, found.output_tokens_per_s) == ("guidellm", "org/model", 300.0)
    assert (found.concurrency, found.input_tokens, found.output_tokens, found.ttft_s, found.requests) == (8, 768, 256, 0.2, 40)


def test_a_saved_baseline_comes_back(tmp_path: Path) -> None:
    measured = read_results(_file(tmp_path, json.dumps(VLLM)), watts=650)
    saved = tmp_path / "baseline.json"
    saved.write_text(dump(measured))
    assert load(saved) == measured


def test_a_result_file_is_a_baseline_too(tmp_path: Path) -> None:
    assert load(_file(tmp_path, json.dumps(VLLM))).output_tokens_per_s == 400


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "not json", "[1, 2]", '{"benchmarks": [{}]}', '{"output_throughput": "fast"}', "[" * 5000],
    ids=lambda text: text[:12],
)
def test_what_is_no_result_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(Malformed, match=r"result\.json: "):
        read_results(_file(tmp_path, text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file"):
        load(tmp_path / "none.json")


def test_a_damaged_saved_baseline(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="output_tokens_per_s"):
        load(_file(tmp_path, json.dumps({"schema": "auditor/baseline/1", "source": "x", "tool": "y", "seconds": 1.0})))
