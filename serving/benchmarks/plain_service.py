"""The service that a user writes after BentoML's tutorial, with the same weights in torch.

What `pipeline("text-classification")` does with one text, or with a list: tokenise, pad, run.
The model judges tokens, so a paragraph's logits are their mean.
"""

import os

import bentoml
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer


class _Classifier:
    """The tutorial's pipeline."""

    def __init__(self, folder: str) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModelForTokenClassification.from_pretrained(folder, dtype=torch.float32)
        self._model.eval()

    def __call__(self, texts: list[str]) -> list[dict[str, float]]:
        """The probabilities of each text."""
        inputs = self._tokenizer(
            texts, padding=True, truncation=True, max_length=512, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = self._model(**inputs).logits
        mask = inputs["attention_mask"].unsqueeze(-1)
        means = (logits * mask).sum(1) / mask.sum(1)
        names = self._model.config.id2label
        return [
            {names[number]: value for number, value in enumerate(row)}
            for row in means.softmax(-1).tolist()
        ]


@bentoml.service(name="plain")
class Plain:
    """One text a request: one at a time, or made into batches by BentoML."""

    def __init__(self) -> None:
        self._classify = _Classifier(os.environ["PLAIN_MODEL"])

    @bentoml.api
    def classify(self, text: str) -> dict[str, float]:
        """The probabilities of a text."""
        return self._classify([text])[0]

    @bentoml.api(batchable=True)
    def classify_batched(self, texts: list[str]) -> list[dict[str, float]]:
        """The probabilities of each text; the texts of other callers are among them."""
        return self._classify(texts)
