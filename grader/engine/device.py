"""Which device a grading runs on."""

from __future__ import annotations

import os

from grader.errors import DeviceError


def choose_device(wanted: str) -> str:
    """The device for "auto", "cpu" or "cuda".

    Raises:
        DeviceError: CUDA is asked for, and torch sees none.
    """
    if wanted == "cpu":
        return "cpu"
    # Asks the management library: no CUDA context comes to be in a process that will not use it.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "auto":
        return "cpu"
    raise DeviceError(
        "there is no CUDA device here that torch can use: leave --device out to grade on the CPU, or install a "
        "torch build for CUDA and its driver"
    )
