"""A model's settings: written and read the same, and every mistake named."""

from dataclasses import replace
from typing import Any

import pytest

from faqra_data.errors import ModelError
from faqra_data.normaliser import Normaliser
from faqra_models.calibration import Calibration
from faqra_models.settings import Settings

SETTINGS = Settings(
    name="toy",
    labels=("أ", "b"),
    max_tokens=64,
    cls_id=2,
    sep_id=3,
    pad_id=0,
    normaliser=Normaliser(fold_alef=True),
    context=False,
    temperature=1.5,
    alone=Calibration(2.0, (0.5, -0.25)),
    history={"seed": 1},
)


def test_what_is_written_reads_back_the_same() -> None:
    assert Settings.from_dict(SETTINGS.to_dict()) == SETTINGS


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("format", 99, "expected format 1, got 99"),
        ("labels", ["one"], "two or more different labels"),
        ("labels", ["same", "same"], "two or more different labels"),
        ("labels", None, "missing or of the wrong type: labels"),
        ("max_tokens", "many", "missing or of the wrong type: max_tokens"),
        ("max_tokens", 1, "max_tokens of 8 or more"),
        ("temperature", 0, "a temperature above 0"),
        ("alone", {"temperature": 1}, "alone: expected a temperature and biases"),
        ("alone", {"temperature": 0, "biases": [0, 0]}, "alone: expected a temperature above 0"),
        ("alone", {"temperature": 1, "biases": [0]}, "alone: expected 2 biases, one a label"),
        ("normaliser", {"nfkc": True}, "missing: .'collapse_whitespace'"),
    ],
)
def test_a_mistake_is_named(name: str, value: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Settings.from_dict({**SETTINGS.to_dict(), name: value})


def test_a_model_without_a_calibration_for_single_paragraphs_has_that_of_pages() -> None:
    older = {name: value for name, value in SETTINGS.to_dict().items() if name != "alone"}
    settings = Settings.from_dict(older)
    assert settings.calibration(alone=True) == settings.calibration(alone=False)
    assert SETTINGS.calibration(alone=True) == Calibration(2.0, (0.5, -0.25))


def test_all_missing_settings_are_named_at_once() -> None:
    values = SETTINGS.to_dict()
    del values["cls_id"], values["name"]
    with pytest.raises(ModelError, match="name, cls_id"):
        Settings.from_dict(values)


def test_a_changed_normaliser_is_another_model() -> None:
    assert replace(SETTINGS, normaliser=Normaliser()) != SETTINGS
