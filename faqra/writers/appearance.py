"""How labels look to a person: their tones and their Arabic names.

The terminal and the report give each tone its own colour. A model's other labels get a tone
by their place, and keep their name.
"""

from collections.abc import Sequence

ARABIC_NAMES = {
    "factual_report": "تقرير خبري",
    "official_quote": "تصريح رسمي",
    "editorial_commentary": "رأي وتعليق",
    "boilerplate": "نص نمطي",
}
_TONES = {
    "factual_report": "report",
    "official_quote": "quote",
    "editorial_commentary": "opinion",
    "boilerplate": "noise",
}
_OTHER_TONES = ("other-1", "other-2", "other-3", "other-4")


def tones(labels: Sequence[str]) -> dict[str, str]:
    """A tone for each label, the same wherever a model's labels are shown."""
    others = [label for label in labels if label not in _TONES]
    places = {label: _OTHER_TONES[i % len(_OTHER_TONES)] for i, label in enumerate(others)}
    return {label: _TONES.get(label) or places[label] for label in labels}


def percent(confidence: float) -> str:
    """A confidence as a person reads it; never rounded up to certainty."""
    return f"{min(confidence, 0.99) if confidence < 1 else confidence:.0%}"
