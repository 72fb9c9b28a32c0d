"""Paragraphs a second: the bundled model reading pages, and a BERT-base in a plain pipeline.

    python tests/benchmarks/page_mode.py

The BERT has CAMeLBERT's shape (12 layers of 768, vocabulary 30,000) and random weights: speed
does not depend on what they hold. It reads paragraph by paragraph, eight at a time, truncated
at 512 tokens, as `pipeline("text-classification")` does out of the box with a batch size.
Both read the authored pages, in turns, and the medians are compared. On two cores, say; the
number of threads is what the libraries choose.
"""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    pipeline,
)

import faqra
from faqra_data.article import Article
from faqra_data.corpus import read_corpus

ROOT = Path(__file__).parents[2]
AUTHORED = str(ROOT / "data" / "authored" / "*.jsonl")
BUNDLED = ROOT / "models" / "faqra_models" / "bundled"
ROUNDS = 7
PAGES = 96  # one round of the bundled model
BERT_PARAGRAPHS = 48  # one round of the BERT: about as long
BATCH = 8


def bert_pipeline() -> Callable[[Sequence[str]], object]:
    """A text classification pipeline around a BERT of CAMeLBERT's shape."""
    config = BertConfig(vocab_size=30_000, num_labels=4)
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED, model_max_length=512)
    return pipeline(
        "text-classification",
        model=BertForSequenceClassification(config),
        tokenizer=tokenizer,
        batch_size=BATCH,
        truncation=True,
    )


def main() -> None:
    """Measure, and print one line for each and their ratio."""
    corpus = read_corpus([AUTHORED])
    articles: list[Article] = [labelled.article() for labelled in corpus[:PAGES]]
    paragraphs = [p.text for article in articles for p in article.paragraphs]
    stride = len(paragraphs) // BERT_PARAGRAPHS
    sample = paragraphs[::stride][:BERT_PARAGRAPHS]  # of all kinds and lengths
    classifier, bert = faqra.load(), bert_pipeline()
    works: dict[str, tuple[int, Callable[[], object]]] = {
        "bundled model, pages": (
            len(paragraphs),
            lambda: list(classifier.classify_articles(articles)),
        ),
        "bundled model, alone": (
            len(paragraphs),
            lambda: list(classifier.classify_articles(articles, context=False)),
        ),
        "BERT-base in a pipeline": (len(sample), lambda: bert(sample)),
    }
    rates: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(ROUNDS + 1):
        for name, (count, work) in works.items():
            began = time.perf_counter()
            work()
            if turn:  # the first one warms up
                rates[name].append(count / (time.perf_counter() - began))
    print(f"{os.cpu_count()} cores, median of {ROUNDS} rounds, paragraphs/s")
    base = statistics.median(rates["BERT-base in a pipeline"])
    for name, each in rates.items():
        middle = statistics.median(each)
        span = f"{min(each):,.1f} to {max(each):,.1f}"
        print(f"{name:<24} {middle:>9,.1f}  ({span})  {middle / base:>6.1f}x")


if __name__ == "__main__":
    main()
