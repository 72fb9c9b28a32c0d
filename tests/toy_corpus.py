"""Labelled articles of a few words a label, which a tiny model learns in a second."""

import json
from pathlib import Path
from typing import Any

import numpy as np

LABELS = ("factual_report", "official_quote", "editorial_commentary", "boilerplate")
# A paragraph is words of its label's own and some that all share.
WORDS = {
    "factual_report": ("وقع", "انفجار", "مدينة", "أمس", "قتلى", "حريق"),
    "official_quote": ("قال", "الوزير", "أكد", "تصريح", "مضيفا", "أعلن"),
    "editorial_commentary": ("ينبغي", "أرى", "ربما", "مؤسف", "رأينا", "خطأ"),
    "boilerplate": ("اقرأ", "شارك", "حقوق", "محفوظة", "القائمة", "تابعنا"),
}
SHARED = tuple(f"{stem}{ending}" for stem in ("كتاب", "عمل", "يوم", "بلد") for ending in ("", "ات"))


def toy_article(number: int) -> dict[str, Any]:
    """A page of six paragraphs, a function of its number."""
    chance = np.random.default_rng(number)
    labels = [str(label) for label in chance.choice(LABELS, size=6)]
    paragraphs = [
        " ".join(
            str(word)
            for word in chance.permutation(
                [*chance.choice(WORDS[label], size=4), *chance.choice(SHARED, size=2)]
            )
        )
        for label in labels
    ]
    return {"id": f"toy-{number}", "paragraphs": paragraphs, "labels": labels}


def write_toys(path: Path, numbers: range) -> Path:
    """Toy articles as JSON Lines."""
    lines = [json.dumps(toy_article(number), ensure_ascii=False) for number in numbers]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
