"""The journal: a stopped run goes on to the same answers, and another run is told apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from toys import WordBackend, toy_classifier

from faqra_data.article import Article
from faqra_data.errors import InputError
from faqra_models.prediction import ArticlePredictions
from faqra_serving import journal as journal_module
from faqra_serving import stream, worker
from faqra_serving.journal import Journal, key_of
from faqra_serving.stream import StreamClassifier

ARTICLES = [
    Article.from_paragraphs(str(number), ["خبر " * (number % 5 + 1), "قال"], title=f"رأي {number}")
    for number in range(60)
]


class KilledError(BaseException):
    """What a kill is for a test that goes on in the same process."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_FIRST_TOKENS", 16)
    monkeypatch.setattr(stream, "_MOST_TOKENS", 64)
    monkeypatch.setattr(stream, "_ARTICLES_PER_CALL", 2)
    monkeypatch.setattr(worker, "_REMEMBERED", 0)
    monkeypatch.setattr(journal_module, "_WORTH_KEEPING", 4)


def classified(
    path: Path, articles: list[Article] = ARTICLES, *, stop_after: int = 1000, context: bool = True
) -> tuple[list[ArticlePredictions], WordBackend]:
    """The answers of a run with a journal that is killed after so many articles."""
    classifier, backend = toy_classifier()
    found = []
    with Journal(path) as journal:
        answers: Iterator[ArticlePredictions] = StreamClassifier(
            classifier, journal
        ).classify_articles(articles, context=context)
        for one in answers:
            found.append(one)
            if len(found) == stop_after:
                raise KilledError
    return found, backend


def stopped(path: Path, after: int) -> None:
    with pytest.raises(KilledError):
        classified(path, stop_after=after)


def windows(backend: WordBackend) -> int:
    return sum(count for count, _ in backend.shapes)


@pytest.mark.parametrize("after", [10, 30, 59])
def test_a_stopped_run_goes_on_to_the_same_answers(tmp_path: Path, after: int) -> None:
    whole, backend = classified(tmp_path / "whole")
    stopped(tmp_path / "journal", after)
    resumed, again = classified(tmp_path / "journal")
    assert resumed == whole
    assert windows(again) < windows(backend)
    assert not list(tmp_path.iterdir())  # nothing is left of a run that ended well


def test_a_run_may_be_stopped_many_times(tmp_path: Path) -> None:
    for after in (5, 12, 20, 33, 48):
        stopped(tmp_path / "journal", after)
    assert classified(tmp_path / "journal")[0] == classified(tmp_path / "whole")[0]


@pytest.mark.parametrize("cut", [1, 7, 40, 200])
def test_a_record_that_was_being_written_is_made_anew(tmp_path: Path, cut: int) -> None:
    stopped(tmp_path / "journal", 40)
    written = (tmp_path / "journal").read_bytes()
    (tmp_path / "journal").write_bytes(written[:-cut])
    assert classified(tmp_path / "journal")[0] == classified(tmp_path / "whole")[0]


def test_a_record_whose_bytes_changed_is_made_anew(tmp_path: Path) -> None:
    stopped(tmp_path / "journal", 40)
    written = bytearray((tmp_path / "journal").read_bytes())
    written[-3] ^= 1
    (tmp_path / "journal").write_bytes(written)
    assert classified(tmp_path / "journal")[0] == classified(tmp_path / "whole")[0]


@pytest.mark.parametrize(
    "others",
    [
        ARTICLES[1:],
        [Article.from_paragraphs("0", ["غريب"]), *ARTICLES[1:]],
        ARTICLES[:10],
    ],
    ids=["one less", "another text", "the end is missing"],
)
def test_inputs_that_changed_are_told_and_nothing_is_lost(
    tmp_path: Path, others: list[Article]
) -> None:
    stopped(tmp_path / "journal", 40)
    written = (tmp_path / "journal").read_bytes()
    with pytest.raises(InputError, match=r"inputs are not what they were.*journal"):
        classified(tmp_path / "journal", others)
    assert (tmp_path / "journal").read_bytes() == written


def test_another_way_of_classifying_is_another_run(tmp_path: Path) -> None:
    stopped(tmp_path / "journal", 40)
    with pytest.raises(InputError, match="another model or in another way"):
        classified(tmp_path / "journal", context=False)


def test_a_short_run_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_WORTH_KEEPING", 1000)
    stopped(tmp_path / "journal", 40)
    assert not list(tmp_path.iterdir())


def test_keys_tell_texts_and_their_borders_apart() -> None:
    given = [[["ab", "c"]], [["a", "bc"]], [["ab"], ["c"]], [["ab", "c", ""]], [["\ud800"]]]
    pages = [[Article.from_paragraphs("x", texts) for texts in some] for some in given]
    assert len({key_of(some) for some in pages}) == len(given)
