"""`faqra.batch`: columns of predictions for engines that cut their own batches."""

import math
import os
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from datasets.fingerprint import Hasher

import faqra
from faqra_data.errors import InputError, ModelError
from faqra_models.prediction import Prediction
from faqra_serving import columns
from faqra_serving.columns import BatchClassifier

TEXTS = ["قال الوزير إن الحكومة ستجتمع غدا", "اشترك في نشرتنا البريدية", "", "قال الوزير " * 300]
PAGES = [TEXTS[:2], [], [TEXTS[1], TEXTS[0], TEXTS[0]]]
HTML = (
    "<html><title>انقطاع المياه</title><p>قال الوزير إن الحكومة ستجتمع غدا</p><p>اشترك</p></html>"
)


@pytest.fixture(autouse=True)
def cache_of_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    # Dataset.map(num_proc=...) leaves a copy in its place, which nobody else reads.
    monkeypatch.setattr(os, "environ", os.environ)


@pytest.fixture(scope="module")
def label() -> BatchClassifier:
    return faqra.batch(threads=1)


@pytest.fixture(scope="module")
def label_pages() -> BatchClassifier:
    return faqra.batch(context=True, threads=1)


def columns_of(predictions: list[Prediction]) -> dict[str, list[Any]]:
    names = ("label", "confidence", "probabilities", "truncated")
    return {name: [getattr(one, name) for one in predictions] for name in names}


def in_a_new_process(code: str, given: object, cwd: Path) -> str:
    """What the code prints, with `given` unpickled from its standard input."""
    head = "import pickle, sys\ngiven = pickle.load(sys.stdin.buffer)\n"
    line = [sys.executable, "-c", head + code]
    done = subprocess.run(
        line, input=pickle.dumps(given), capture_output=True, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def test_texts_have_the_answers_of_classify(label: BatchClassifier) -> None:
    found = label(TEXTS)
    assert found == columns_of(faqra.load().classify(TEXTS))
    assert list(found["probabilities"][0]) == list(label.labels)


def test_pages_have_the_answers_of_their_context(label_pages: BatchClassifier) -> None:
    text = "\n".join(PAGES[2])
    found = label_pages([PAGES[2], text, HTML])
    for row, page in enumerate([text, text, HTML]):
        wanted = faqra.load().classify_article(page)
        assert found["paragraphs"][row] == [one.text for one in wanted]
        assert found["labels"][row] == [one.label for one in wanted]
        assert found["confidences"][row] == [one.confidence for one in wanted]
        assert found["probabilities"][row] == [one.probabilities for one in wanted]
        assert found["truncated"][row] == [False] * len(wanted)


def test_a_title_is_read_with_its_page(label_pages: BatchClassifier) -> None:
    article = faqra.Article.from_paragraphs("", PAGES[0], title="رأي: متى تستقيل الحكومة؟")
    (wanted,) = faqra.load().classify_articles([article])
    titled = label_pages([PAGES[0], PAGES[0]], titles=[article.title, None])
    assert titled["confidences"][0] == [one.confidence for one in wanted.predictions]
    assert titled["confidences"][1] == label_pages([PAGES[0]])["confidences"][0]
    assert titled["confidences"][0] != titled["confidences"][1]


@pytest.mark.parametrize("missing", [None, math.nan, np.float64("nan")])
def test_a_null_row_is_null_in_each_column(
    missing: object, label: BatchClassifier, label_pages: BatchClassifier
) -> None:
    for each, row in ((label, TEXTS[0]), (label_pages, PAGES[0])):
        alone, among = each([row]), each([missing, row, missing])
        assert among == {name: [None, *values, None] for name, values in alone.items()}


def test_an_empty_page_has_empty_lists_and_an_unreadable_one_is_null(
    label_pages: BatchClassifier,
) -> None:
    pages = [[], (), np.array([], dtype=object), "", " \n ", "<p>" + "<b>" * 100_000]
    for values in label_pages(pages).values():
        assert values == [[], [], [], None, None, None]


def test_no_rows_are_empty_columns(label: BatchClassifier) -> None:
    assert label([]) == {"label": [], "confidence": [], "probabilities": [], "truncated": []}


@pytest.mark.parametrize("kind", [tuple, np.array, pd.Series, iter])
def test_a_column_may_be_any_series_of_texts(kind: Any, label: BatchClassifier) -> None:
    assert label(kind(TEXTS)) == label(TEXTS)


def test_a_batch_of_any_size_is_answered_in_bounded_pieces(
    label: BatchClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = label(TEXTS * 3)
    monkeypatch.setattr(columns, "_ARTICLES_AT_ONCE", 5)
    assert label(TEXTS * 3) == whole


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (7, "row 1 of the batch: expected a text, got a number"),
        (b"text", "row 1 of the batch: expected a text, got bytes"),
        (["text"], r"row 1 of the batch: expected a text, got a list; .*context=True"),
    ],
)
def test_a_row_that_is_no_text_is_named(row: object, reason: str, label: BatchClassifier) -> None:
    with pytest.raises(InputError, match=rf"^{reason}"):
        label(["text", row])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (7, "row 1 of the batch: paragraphs: expected a list of strings, got a number"),
        (
            ["text", None],
            "row 1 of the batch: paragraphs: expected a list of strings, got null at 1",
        ),
    ],
)
def test_a_row_that_is_no_page_is_named(
    row: object, reason: str, label_pages: BatchClassifier
) -> None:
    with pytest.raises(InputError, match=f"^{reason}$"):
        label_pages([["text"], row])


def test_what_is_no_column_is_said_with_the_way_out(label: BatchClassifier) -> None:
    news = datasets.Dataset.from_dict({"text": TEXTS, "id": TEXTS})
    with pytest.raises(TypeError, match=r"got one string: give Dataset\.map batched=True"):
        news.map(label, input_columns="text")
    with pytest.raises(TypeError, match=r"of the columns text, id: name one .* input_columns"):
        news.map(label, batched=True)
    with pytest.raises(TypeError, match=r"got titles too: they need faqra\.batch\(context=True\)"):
        news.map(label, batched=True, input_columns=["text", "id"])


def test_a_model_that_is_not_there_is_said_before_anything_runs() -> None:
    with pytest.raises(ModelError, match="no such model"):
        faqra.batch("nothing")
    with pytest.raises(ModelError, match="expected one of auto, cpu, cuda, got 'tpu'"):
        faqra.batch(device="tpu")


@pytest.mark.parametrize("processes", [None, 2])
def test_a_dataset_gets_its_columns(processes: int | None, label: BatchClassifier) -> None:
    label(TEXTS)  # a forked process must not wait for the threads of this one
    news = datasets.Dataset.from_dict({"text": TEXTS * 5})
    found = news.map(label, batched=True, input_columns="text", num_proc=processes, batch_size=3)
    assert {name: found[name][:] for name in label(TEXTS)} == label(TEXTS * 5)
    assert found.features == label.features(news.features)


@pytest.mark.parametrize("processes", [None, 2])
def test_a_dataset_of_pages_gets_columns_of_lists(
    processes: int | None, label_pages: BatchClassifier
) -> None:
    label_pages(PAGES)
    pages = datasets.Dataset.from_dict({"title": ["عنوان", "", ""] * 2, "paragraphs": PAGES * 2})
    found = pages.map(
        label_pages,
        batched=True,
        input_columns=["paragraphs", "title"],
        num_proc=processes,
        features=label_pages.features(pages.features),
    )
    wanted = label_pages(PAGES * 2, pages["title"])
    assert {name: found[name][:] for name in wanted} == wanted


def test_a_first_batch_of_nulls_needs_the_features(
    label: BatchClassifier, label_pages: BatchClassifier
) -> None:
    for each, given in ((label, [None, TEXTS[0]]), (label_pages, [[], PAGES[0]])):
        rows = datasets.Dataset.from_dict({"given": given})
        found = rows.map(
            each,
            batched=True,
            batch_size=1,
            input_columns="given",
            features=each.features(rows.features),
        )
        assert {name: found[name][:] for name in each(given)} == each(given)


def test_labelled_pages_are_a_labelled_corpus(label_pages: BatchClassifier, tmp_path: Path) -> None:
    from faqra_data.corpus import read_corpus

    pages = datasets.Dataset.from_dict({"id": ["a", "b"], "paragraphs": [PAGES[0], PAGES[2]]})
    found = pages.map(label_pages, batched=True, input_columns="paragraphs")
    found.to_json(tmp_path / "corpus.jsonl", force_ascii=False)
    corpus = read_corpus([tmp_path / "corpus.jsonl"])
    assert [list(article.labels) for article in corpus] == found["labels"][:]


def test_a_copy_answers_in_a_new_process_that_stands_elsewhere(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model_folder.parent)
    label = faqra.batch(tiny_model_folder.name, threads=1)
    code = f"print(given({TEXTS!r})['label'])"
    assert in_a_new_process(code, label, tmp_path) == str(label(TEXTS)["label"])


def test_the_same_settings_have_the_same_fingerprint_in_every_process(
    label: BatchClassifier, tiny_model_folder: Path, tmp_path: Path
) -> None:
    label(TEXTS)
    code = (
        "import faqra\nfrom datasets.fingerprint import Hasher\n"
        "print(Hasher.hash(given), Hasher.hash(faqra.batch(threads=1)))"
    )
    mine = Hasher.hash(label)
    assert in_a_new_process(code, label, tmp_path) == f"{mine} {mine}"
    others = [
        faqra.batch(threads=1, context=True),
        faqra.batch(tiny_model_folder, threads=1),
        replace(label, digest="0" * 16),
    ]
    assert len({mine, *map(Hasher.hash, others)}) == 4


def test_a_process_loads_a_model_once_for_all_copies(
    label: BatchClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []

    def load(reference: str | None, **settings: Any) -> object:
        loaded.append((os.getpid(), settings["threads"]))
        return faqra.load(reference, **settings)

    monkeypatch.setattr(columns, "load_classifier", load)
    fresh = replace(label, threads=3)
    for _ in range(3):
        pickle.loads(pickle.dumps(fresh))(TEXTS)
    assert loaded == [(os.getpid(), 3)]
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as a forked process would say
    fresh(TEXTS)
    assert loaded[1:] == [(-1, 3)]


def test_a_worker_with_another_model_is_refused(label: BatchClassifier) -> None:
    other = replace(label, digest="0123456789abcdef")
    with pytest.raises(ModelError, match=r"bundled model: expected .* 0123456789abcdef, as where"):
        other(TEXTS)


def readme_example() -> Any:
    """The `labelled` of the README's Spark example."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(import faqra.*?)^```", readme, re.DOTALL | re.MULTILINE)
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    return namespace["labelled"]


def test_the_spark_example_of_the_readme_gives_a_frame(
    label: BatchClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_it_is = SimpleNamespace(pandas_udf=lambda _: lambda function: function)
    for name in ("pyspark", "pyspark.sql", "pyspark.sql.functions"):
        monkeypatch.setitem(sys.modules, name, as_it_is)
    frame = readme_example()(pd.Series(TEXTS, index=[7, 5, 3, 1]))
    assert frame["label"].tolist() == label(TEXTS)["label"]
    assert frame["confidence"].dtype == np.float64


@pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java")
@pytest.mark.filterwarnings("ignore::FutureWarning")  # Spark's, of what pandas is newer
def test_spark_gets_its_columns(label: BatchClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is installed by who uses Spark")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    texts = [*TEXTS, None]
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    spark = builder.getOrCreate()
    try:
        news = spark.createDataFrame([(text,) for text in texts], "text string")
        labelled = readme_example()("text")
        rows = news.select(labelled.alias("found")).select("found.*").collect()
    finally:
        spark.stop()
    wanted = label(texts)
    assert [row.label for row in rows] == wanted["label"]
    assert [row.confidence for row in rows] == wanted["confidence"]
