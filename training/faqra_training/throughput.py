"""How fast a run reads, and what share that is of what its device could do.

The share is of the rate at which the same device multiplies large matrices, measured on the spot:
it needs no table of cards, and says as much of a CPU. Work is counted as in PaLM's model FLOPs
utilisation (Chowdhery et al. 2022, appendix B).
"""

import time
from typing import Any

import torch
from transformers import TrainerCallback

SPEED = "tokens_per_second"
_MATRIX_SIDE = 2048
_MATRIX_SECONDS = 0.5
_PRODUCTS_A_LOOK = 8


class Speed(TrainerCallback):
    """Adds the tokens read a second to each entry of the log; evaluations and saving are left out.

    All between two entries counts, the waiting for data too: a GPU works on when a step has
    returned, and only the loss that the log asks for waits for it.
    """

    def __init__(self, tokens_per_step: int) -> None:
        self._tokens_per_step = tokens_per_step
        self._seconds = 0.0
        self._steps = 0
        self._since: float | None = None

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Start the clock where it stands."""
        if self._since is None:
            self._since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Count the step; the clock stops before what is not training."""
        self._steps += 1
        if (control.should_evaluate or control.should_save) and not control.should_log:
            self._stop()

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401, ARG002
        """Write the speed since the last entry into the newest one."""
        self._stop()
        if self._steps and "loss" in state.log_history[-1]:
            speed = self._steps * self._tokens_per_step / self._seconds
            state.log_history[-1][SPEED] = round(speed, 1)
            self._seconds, self._steps = 0.0, 0

    def _stop(self) -> None:
        if self._since is not None:
            self._seconds += time.perf_counter() - self._since
            self._since = None


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of large matrix products on `device`, a product and a sum each one."""
    left, right = (
        torch.ones(_MATRIX_SIDE, _MATRIX_SIDE, device=device, dtype=dtype) for _ in range(2)
    )
    left @ right  # the first one chooses and loads its kernel
    _wait(device)
    products, began = 0, time.perf_counter()
    while (seconds := time.perf_counter() - began) < _MATRIX_SECONDS:
        for _ in range(_PRODUCTS_A_LOOK):
            left @ right
        _wait(device)
        products += _PRODUCTS_A_LOOK
    return products * 2 * _MATRIX_SIDE**3 / seconds


def training_flops_per_token(
    *, weights: int, output_weights: int, masking_rate: float, width: int, reach: int
) -> float:
    """Operations of a forward and a backward pass, six a weight.

    `weights` are those that every token passes, `output_weights` those that only masked tokens do;
    `reach` is the sum over the layers of how many tokens one attends to.
    """
    return 6 * (weights + masking_rate * output_weights) + 12 * width * reach


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
