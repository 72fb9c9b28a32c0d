"""The authored corpus: enough of everything to train from, in the form of a corpus."""

from collections import Counter
from pathlib import Path

import pytest

from faqra_data.corpus import LabelledArticle, corpus_digest, read_corpus
from faqra_data.labels import LABELS
from faqra_data.normaliser import Normaliser
from faqra_data.splits import check_leaks, split

AUTHORED = Path(__file__).parents[1] / "data" / "authored"
TRAINED_ON = AUTHORED / "*.jsonl"
HELD_OUT = AUTHORED / "held-out" / "pages.jsonl"


@pytest.fixture(scope="module")
def articles() -> list[LabelledArticle]:
    return read_corpus([TRAINED_ON, HELD_OUT])


def test_there_are_enough_pages_and_paragraphs(articles: list[LabelledArticle]) -> None:
    assert len(articles) >= 150
    assert sum(len(article.paragraphs) for article in articles) >= 2000
    assert len({article.source for article in articles}) >= 20


def test_every_label_has_enough_paragraphs(articles: list[LabelledArticle]) -> None:
    counts = Counter(label for article in articles for label in article.labels)
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= 350


def test_boilerplate_is_as_varied_as_on_real_sites(articles: list[LabelledArticle]) -> None:
    normaliser = Normaliser()
    lines = {
        normaliser.normalise(text)
        for article in articles
        for text, label in zip(article.paragraphs, article.labels, strict=True)
        if label == "boilerplate"
    }
    assert len(lines) >= 600


def test_every_page_names_its_origin_and_has_text(articles: list[LabelledArticle]) -> None:
    for article in articles:
        assert article.source, article.id
        assert article.title, article.id
        assert ".example/" in article.url, article.id
        assert all(text == text.strip() != "" for text in article.paragraphs), article.id


def test_it_can_be_split_without_leaks(articles: list[LabelledArticle]) -> None:
    parts = split(articles, {"train": 0.8, "dev": 0.2}, by_source=True)
    check_leaks(parts)
    for part in parts.values():
        assert {label for article in part for label in article.labels} == set(LABELS)


def test_no_outlet_and_no_text_of_the_held_out_part_is_trained_on() -> None:
    parts = {"trained on": read_corpus([TRAINED_ON]), "held out": read_corpus([HELD_OUT])}
    check_leaks(parts)
    sources = [{article.source for article in part} for part in parts.values()]
    assert not sources[0] & sources[1]


@pytest.mark.parametrize("part", [TRAINED_ON, HELD_OUT], ids=["trained on", "held out"])
def test_its_card_states_its_digests(part: Path) -> None:
    card = (AUTHORED.parent / "README.md").read_text(encoding="utf-8")
    assert corpus_digest(read_corpus([part])) in card
