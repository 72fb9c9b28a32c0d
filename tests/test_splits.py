"""Splits: nothing stands in two parts, shares are met, and leaks do not pass the check."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.corpus import LabelledArticle
from faqra_data.duplicates import clusters, shared_paragraphs
from faqra_data.errors import CorpusError
from faqra_data.labels import LABELS
from faqra_data.splits import check_leaks, folds, split, without_leaks

WORDS = "قال أعلن وزير رئيس مدرسة مدينة كتاب عمل يوم سنة بحر جبل شارع بيت سوق خبر طريق نهر".split()
SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def sentence(number: int, words: int = 12) -> str:
    """Words that no other number gives."""
    chance = random.Random(number)
    return " ".join(f"{chance.choice(WORDS)}{number}" for _ in range(words))


def article(number: int, *texts: str, source: str = "") -> LabelledArticle:
    """An article of its own and, where given, of shared sentences."""
    own = (sentence(number), "اقرأ أيضا", *texts)
    labels = tuple(LABELS[(number + i) % len(LABELS)] for i in range(len(own)))
    return LabelledArticle(f"a{number}", own, labels, source=source)


def near(text: str) -> str:
    """The text with a word more and another spelling."""
    return f"{text.replace('ا', 'اـ')} ثم"


@given(links=st.lists(st.integers(0, 59), max_size=12), seed=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_a_split_leaks_nothing_and_loses_nothing(links: list[int], seed: int) -> None:
    shared = sentence(1000)
    articles = [
        article(number, *[shared, near(shared)][number % 2 :][:1] * (number in links))
        for number in range(60)
    ]
    parts = split(articles, SHARES, seed=seed)
    check_leaks(parts)
    assert list(parts) == list(SHARES)
    assert all(parts.values())
    for part in parts.values():
        assert part == [a for a in articles if a in part]  # in order
    assert sorted(a.id for part in parts.values() for a in part) == sorted(a.id for a in articles)
    assert parts == split(articles, SHARES, seed=seed)


def test_shares_are_met() -> None:
    articles = [article(number) for number in range(200)]
    parts = split(articles, SHARES)
    assert [round(len(part) / 200, 1) for part in parts.values()] == [0.8, 0.1, 0.1]
    assert split(articles, SHARES, seed=1) != parts


def test_a_source_stands_in_one_part_where_asked() -> None:
    articles = [article(number, source=f"s{number % 30}") for number in range(90)]
    parts = split(articles, SHARES, by_source=True)
    sources = [{a.source for a in part} for part in parts.values()]
    assert sum(map(len, sources)) == len(set().union(*sources)) == 30


def test_linked_articles_share_a_fold() -> None:
    shared = sentence(1000)
    articles = [article(n, *[shared] * (n in (3, 7)), source=f"s{n % 20}") for n in range(40)]
    fold_of = folds(articles, 5, by_source=True)
    assert fold_of[3] == fold_of[7] == fold_of[23] == fold_of[27]
    assert set(fold_of) == set(range(5))


def test_a_rare_label_does_not_stop_a_split() -> None:
    articles = [LabelledArticle(f"a{n}", (sentence(n),), (LABELS[n == 0],)) for n in range(40)]
    check_leaks(split(articles, SHARES))


@pytest.mark.parametrize(
    ("shares", "count", "told"),
    [
        ({}, 60, "expected parts above 0"),
        ({"train": 0.5, "dev": 0.4}, 60, "sum to 1"),
        ({"train": 1.5, "dev": -0.5}, 60, "above 0"),
        (SHARES, 5, "5 groups of articles cannot fill 20 folds"),
        (SHARES, 0, "0 groups of articles cannot fill 20 folds"),
        (SHARES, 24, "12 paragraphs of the most frequent label"),
    ],
)
def test_what_cannot_be_split_is_said(shares: dict[str, float], count: int, told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        split([article(number) for number in range(count)], shares)


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda text: text, "the same paragraph"),
        (lambda text: f"\u200f{text.replace(' ', '  ')}\n", "the same paragraph"),
        (near, "a near-duplicate"),
    ],
)
def test_a_leak_fails_loudly(change: Callable[[str], str], how: str) -> None:
    shared = sentence(1000, words=30)
    parts = {"train": [article(1), article(2, shared)], "dev": [article(3, change(shared))]}
    with pytest.raises(CorpusError, match=rf"(?s)^1 leaks.*train a2 and dev a3 share {how}: "):
        check_leaks(parts)


def test_an_id_in_two_parts_is_a_leak() -> None:
    twice = LabelledArticle("a", ("نص",), LABELS[:1])
    with pytest.raises(CorpusError, match="article a stands in train and in test"):
        check_leaks({"train": [twice], "test": [twice]})


def test_what_shares_text_with_held_out_articles_can_be_left_out() -> None:
    shared = sentence(1000)
    held_out = [article(1, shared), article(2)]
    articles = [article(2), article(3), article(4, near(shared)), article(5, near(shared))]
    kept = without_leaks(articles, held_out)
    assert [one.id for one in kept] == ["a3"]
    check_leaks({"train": kept, "dev": held_out})


def test_many_leaks_are_counted() -> None:
    articles = [article(number) for number in range(30)]
    with pytest.raises(CorpusError, match=r"(?s)^60 leaks.*and 50 more$"):
        check_leaks({"train": articles, "dev": articles})


def test_formulas_and_repetitions_inside_an_article_are_no_duplicates() -> None:
    shared = sentence(1000)
    articles = [article(1, shared, shared, near(shared)), article(2, "اقرأ أيضا: أخبار اليوم")]
    assert list(shared_paragraphs(articles)) == []
    assert clusters(articles) == [0, 1]


def test_clusters_are_chains_of_shared_paragraphs() -> None:
    first, second = sentence(1000), sentence(1001)
    articles = [article(0, first), article(1), article(2, second), article(3, second, first)]
    assert clusters(articles) == [0, 1, 0, 0]
