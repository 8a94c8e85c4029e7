"""Write the small PyTorch checkpoints that tests/weights/test_pytorch.py reads. Needs PyTorch; nothing else here does."""

import argparse
import collections
import os
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent


class Opener:
    """Something that runs a command when it is unpickled, which no test may ever do."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Return the call."""
        return os.system, ("touch unpickled",)


def state_dict() -> dict[str, torch.Tensor]:
    """Return tensors of several types, one of them under two names."""
    embedding = torch.zeros(10, 4, dtype=torch.bfloat16)
    return collections.OrderedDict(
        plain=torch.zeros(3, 5),
        parameter=torch.nn.Parameter(torch.zeros(2, 2, dtype=torch.float16)),
        embedding=embedding,
        head=embedding,
        integers=torch.zeros(7, dtype=torch.int64),
        scaled=torch.zeros(4, dtype=torch.float8_e4m3fn),
        flags=torch.zeros(3, dtype=torch.bool),
    )


def main() -> None:
    """Write every sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "tests" / "weights" / "data")
    folder = parser.parse_args().output
    torch.save(state_dict(), folder / "state_dict.bin")
    torch.save({"epoch": 3, "state_dict": state_dict(), "optimizer": {"lr": 0.1}}, folder / "checkpoint.ckpt")
    torch.save(state_dict(), folder / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4)), folder / "module.pt")
    torch.save({"weight": torch.zeros(2), "extra": Opener()}, folder / "runs_a_command.pt")


main()
