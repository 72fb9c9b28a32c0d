"""The archive: what comes back is the local engine's, and a stopped run goes on where it was."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from faqra_data.article import Article, Rejected
from faqra_data.errors import InputError
from faqra_models.loading import load_classifier
from faqra_models.prediction import ArticlePredictions
from faqra_serving import archive
from faqra_serving import journal as journal_module
from faqra_serving.archive import classify_archive
from faqra_serving.job import Answered, Job, Place, cut_parts, read_part
from faqra_serving.journal import Journal
from faqra_serving.worker import Worker


class Alone:
    """The workers of a cluster in this very process; `stops_after` so many items."""

    def __init__(self, stops_after: int | None = None) -> None:
        self.classifier = load_classifier()
        self.stops_after = stops_after
        self.places: list[Place] = []

    def classify(self, job: Job, *, after: Place) -> Iterator[Answered]:
        return islice(self._classify(job, after), self.stops_after)

    def _classify(self, job: Job, after: Place) -> Iterator[Answered]:
        worker = Worker(self.classifier, context=job.context)
        for part in cut_parts(job.inputs, after=after):
            for item in read_part(part, text_column=job.text_column, after=after):
                self.places.append(item.place)
                if isinstance(item.content, Article):
                    (ready,) = worker.prepare([item.content])
                    yield Answered(item, worker.answers([ready])[0], ready.emptied)
                else:
                    yield Answered.without_paragraphs(item, len(self.classifier.labels))


class StoppedError(Exception):
    pass


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Three files, one of them missing; a row that is left out; a paragraph of nothing."""
    monkeypatch.setattr(archive, "_BLOCK", 3)
    monkeypatch.setattr(journal_module, "_WORTH_KEEPING", 1)
    for name, pages in (("one", 7), ("two", 5)):
        rows = [
            {"id": f"{name}{n}", "paragraphs": [f"قال الوزير {n}", "\u200b", "اقرأ أيضا"]}
            for n in range(pages)
        ]
        lines = [json.dumps(row) for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join([*lines[:4], "broken", *lines[4:]]))
    names = ("one.jsonl", "missing.jsonl", "two.jsonl")
    return Job(tuple(str(tmp_path / name) for name in names))


def run(job: Job, workers: Alone, journal: Path) -> list[ArticlePredictions | Rejected]:
    with Journal(journal) as kept:
        results = list(classify_archive(workers, job, kept))
        if workers.stops_after is not None:
            raise StoppedError
    return results


def test_articles_come_in_order_with_what_was_left_out(job: Job) -> None:
    read: list[int] = []
    results = list(classify_archive(Alone(), job, on_bytes=read.append))
    ids = [r.article.id if isinstance(r, ArticlePredictions) else r.input for r in results]
    one, missing, two = job.inputs
    assert ids == [
        *("one0 one1 one2 one3".split()), one, *("one4 one5 one6".split()), missing,
        *("two0 two1 two2 two3".split()), two, "two4",
    ]  # fmt: skip
    assert sum(read) <= sum(Path(name).stat().st_size for name in (one, two))
    local = load_classifier().classify_articles(
        [r.article for r in results if isinstance(r, ArticlePredictions)]
    )
    assert [r for r in results if isinstance(r, ArticlePredictions)] == list(local)
    assert all(r.emptied == (1,) for r in results if isinstance(r, ArticlePredictions))


@pytest.mark.parametrize("items", [0, 2, 5, 8, 11, 14])
def test_a_stopped_run_goes_on_to_the_same_results(job: Job, tmp_path: Path, items: int) -> None:
    whole = list(classify_archive(Alone(), job))
    with pytest.raises(StoppedError):
        run(job, Alone(stops_after=items), tmp_path / "journal")
    workers = Alone()
    assert run(job, workers, tmp_path / "journal") == whole
    # Blocks of three articles are kept; what was answered and kept is asked of nobody.
    assert len(workers.places) <= len(whole) - items + 3
    assert not (tmp_path / "journal").exists()


def test_changed_inputs_are_told(job: Job, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run(job, Alone(stops_after=8), tmp_path / "journal")
    (tmp_path / "one.jsonl").write_text('{"id": "one0", "text": "نص آخر"}\n')
    with pytest.raises(InputError, match="inputs are not what they were"):
        run(job, Alone(), tmp_path / "journal")
    assert (tmp_path / "journal").exists()
