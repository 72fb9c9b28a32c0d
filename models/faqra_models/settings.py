"""What faqra must know of a model beside its weights, as it stands in the folder's `faqra.json`.

One truth per fact: everything that reads a text for a model asks these settings. This module
does not know about files or frameworks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from faqra_data.errors import ModelError
from faqra_data.normaliser import Normaliser
from faqra_models.calibration import Calibration
from faqra_models.encoding import Layout

FORMAT = 1


@dataclass(frozen=True)
class Settings:
    """A model's labels (in the order of its logits), its way of reading, and its history.

    `temperature` is that of pages; `alone` calibrates what is read of a paragraph by itself,
    where that has a calibration of its own.
    """

    name: str
    labels: tuple[str, ...]
    max_tokens: int
    cls_id: int
    sep_id: int
    pad_id: int
    repeat_id: int | None = None
    shows_title: bool = False
    normaliser: Normaliser = field(default_factory=Normaliser)
    context: bool = True
    temperature: float = 1.0
    alone: Calibration | None = None
    history: Mapping[str, Any] = field(default_factory=dict)

    def layout(self) -> Layout:
        """How pages become this model's windows."""
        return Layout(
            self.max_tokens,
            self.cls_id,
            self.sep_id,
            self.pad_id,
            self.repeat_id,
            self.shows_title,
        )

    def calibration(self, *, alone: bool) -> Calibration:
        """How logits become probabilities."""
        if alone and self.alone is not None:
            return self.alone
        return Calibration(self.temperature, (0.0,) * len(self.labels))

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "labels": list(self.labels),
            "normaliser": self.normaliser.to_dict(),
            "context": self.context,
            "max_tokens": self.max_tokens,
            "cls_id": self.cls_id,
            "sep_id": self.sep_id,
            "pad_id": self.pad_id,
            "repeat_id": self.repeat_id,
            "shows_title": self.shows_title,
            "temperature": self.temperature,
            "alone": None if self.alone is None else self.alone.to_dict(),
            "history": dict(self.history),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Settings":
        """The settings that `to_dict` wrote; ModelError names what is missing or wrong."""
        if values.get("format") != FORMAT:
            raise ModelError(
                f"faqra.json: expected format {FORMAT}, got {values.get('format')!r}; "
                "use the faqra version that wrote the model, or export it again"
            )
        kinds: dict[str, Any] = {
            "name": str,
            "labels": list,
            "normaliser": dict,
            "context": bool,
            "max_tokens": int,
            "cls_id": int,
            "sep_id": int,
            "pad_id": int,
            "repeat_id": int | None,
            "shows_title": bool,
            "temperature": int | float,
            "alone": dict | None,
            "history": dict,
        }
        # Older models lack these.
        values = {"repeat_id": None, "shows_title": False, "alone": None, **values}
        wrong = [name for name, kind in kinds.items() if not isinstance(values.get(name), kind)]
        if wrong:
            raise ModelError(f"faqra.json: missing or of the wrong type: {', '.join(wrong)}")
        labels = tuple(str(label) for label in values["labels"])
        if len(labels) < 2 or len(set(labels)) != len(labels):
            raise ModelError(f"faqra.json: expected two or more different labels, got {labels}")
        if values["max_tokens"] < 8 or values["temperature"] <= 0:
            raise ModelError(
                "faqra.json: expected max_tokens of 8 or more and a temperature above 0, got "
                f"{values['max_tokens']} and {values['temperature']}"
            )
        try:
            alone = values["alone"] and Calibration.from_dict(values["alone"])
        except ValueError as error:
            raise ModelError(f"faqra.json: alone: {error}") from error
        if alone and len(alone.biases) != len(labels):
            raise ModelError(f"faqra.json: alone: expected {len(labels)} biases, one a label")
        return cls(
            name=values["name"],
            labels=labels,
            max_tokens=values["max_tokens"],
            cls_id=values["cls_id"],
            sep_id=values["sep_id"],
            pad_id=values["pad_id"],
            repeat_id=values["repeat_id"],
            shows_title=values["shows_title"],
            normaliser=Normaliser.from_dict(values["normaliser"]),
            context=values["context"],
            temperature=float(values["temperature"]),
            alone=alone,
            history=values["history"],
        )
