"""From logits to probabilities that can be taken at their word.

Bias-corrected temperature scaling (Alexandari, Kundaje and Shrikumar 2020): a temperature for
how sure, a bias a label for how often. This module does not know where they are from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Calibration:
    """`biases`, one a label, are added to logits that were divided by `temperature`."""

    temperature: float
    biases: tuple[float, ...]

    def probabilities(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the same shape, (..., labels)."""
        if logits.size == 0:
            return logits
        return softmax(logits / self.temperature + np.array(self.biases))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {"temperature": self.temperature, "biases": list(self.biases)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Calibration":
        """What `to_dict` wrote; ValueError where it is none."""
        numbers = [values.get("temperature"), *(values.get("biases") or [None])]
        if not all(isinstance(one, int | float) and np.isfinite(one) for one in numbers):
            raise ValueError("expected a temperature and biases, all numbers")
        temperature, *biases = map(float, numbers)
        if temperature <= 0:
            raise ValueError(f"expected a temperature above 0, got {temperature}")
        return cls(temperature, tuple(biases))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis, safe for large logits."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
