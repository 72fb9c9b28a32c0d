"""`faqra classify` with a classifier of a few lines: what is read, kept, written and told."""

import gzip
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faqra import cli
from faqra.commands import classify
from faqra.commands.classify import ClassifyOptions, run_classify
from faqra.engines import LocalEngine
from faqra.output import choose_format, open_output
from faqra.usage import UsageError
from faqra_data.article import Article
from faqra_data.errors import ModelError, OutputError
from faqra_data.readers import Rejected
from faqra_models.loading import BUNDLED
from faqra_models.prediction import ArticlePredictions, ParagraphPrediction

LABELS = ("short", "long")
SAMPLE = str(Path(__file__).parent / "pages" / "sample.html")


class ByLength:
    """Calls a paragraph of more than four characters long; surer the longer it is."""

    labels = LABELS

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.context: bool | None = None

    def classify_articles(
        self, articles: Iterable[Article], *, context: bool = True
    ) -> Iterator[ArticlePredictions]:
        self.context = context
        for article in articles:
            self.seen.append(article.id)
            predictions = tuple(
                ParagraphPrediction(
                    _probabilities(paragraph.text), False, paragraph.text, paragraph.index
                )
                for paragraph in article.paragraphs
            )
            emptied = tuple(p.index for p in article.paragraphs if not p.text.strip())
            yield ArticlePredictions(article, predictions, emptied)


def _probabilities(text: str) -> dict[str, float]:
    sure = min(0.5 + len(text) / 20, 1.0)
    return {"short": 1 - sure, "long": sure} if len(text) > 4 else {"short": 0.9, "long": 0.1}


def read_toy(
    options: ClassifyOptions, on_bytes: Callable[[int], None]
) -> Iterator[Article | Rejected]:
    """An input is a file of lines; a line is an article of its words, "!" a broken row."""
    for name in options.inputs:
        for row, line in enumerate(Path(name).read_text(encoding="utf-8").splitlines(), start=1):
            on_bytes(len(line.encode()) + 1)
            if line == "!":
                yield Rejected(name, row, "expected words, got '!'")
            else:
                yield Article.from_paragraphs(f"{Path(name).name}:{row}", line.split("|"))


def classify_toy(options: ClassifyOptions, classifier: ByLength | None = None) -> int:
    chosen = classifier or ByLength()
    engine = LocalEngine(
        chosen, lambda on_bytes: read_toy(options, on_bytes), context=options.context
    )
    return run_classify(options, lambda: nullcontext(engine))


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def datasets_of(path: str) -> list[dict[str, Any]]:
    """The rows of a file as `datasets` reads them."""
    import datasets

    form = Path(path).suffix.replace(".jsonl", ".json").removeprefix(".")
    cache = f"{path}.cache"
    return list(datasets.load_dataset(form, data_files=path, split="train", cache_dir=cache))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.lines"
    path.write_text("abc|abcdef\n!\nabcdefghij|x\n", encoding="utf-8")
    return path


@pytest.fixture
def options(source: Path, tmp_path: Path) -> ClassifyOptions:
    return ClassifyOptions(inputs=(str(source),), output=tmp_path / "out.jsonl")


def test_rows_come_in_the_order_of_the_input(options: ClassifyOptions, tmp_path: Path) -> None:
    assert classify_toy(options) == 1
    found = rows_of(tmp_path / "out.jsonl")
    assert [(row["article"], row["index"], row["text"]) for row in found] == [
        ("in.lines:1", 0, "abc"),
        ("in.lines:1", 1, "abcdef"),
        ("in.lines:3", 0, "abcdefghij"),
        ("in.lines:3", 1, "x"),
    ]
    assert list(found[0]) == [
        *("article", "index", "start", "end", "text", "label"),
        *("confidence", "probabilities", "truncated"),
    ]


def test_what_is_left_out_is_told_and_kept(
    options: ClassifyOptions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert classify_toy(options) == 1
    name = str(tmp_path / "in.lines")
    assert capsys.readouterr().err == f"faqra: left out {name}, row 2: expected words, got '!'\n"
    kept = {"input": name, "row": 2, "reason": "expected words, got '!'"}
    assert rows_of(tmp_path / "out.jsonl.rejected.jsonl") == [kept]


def test_a_clean_run_takes_away_the_rejections_of_an_earlier_one(
    options: ClassifyOptions, source: Path, tmp_path: Path
) -> None:
    classify_toy(options)
    source.write_text("abc\n", encoding="utf-8")
    assert classify_toy(options) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.lines", "out.jsonl"]


def test_only_and_min_confidence_filter_rows(options: ClassifyOptions, tmp_path: Path) -> None:
    classify_toy(replace(options, only=("long",)))
    assert [row["text"] for row in rows_of(tmp_path / "out.jsonl")] == ["abcdef", "abcdefghij"]
    classify_toy(replace(options, min_confidence=0.9))
    assert [row["text"] for row in rows_of(tmp_path / "out.jsonl")] == ["abc", "abcdefghij", "x"]


def test_a_row_may_be_an_article_of_what_is_kept(options: ClassifyOptions, tmp_path: Path) -> None:
    by_article = replace(options, by_article=True)
    classify_toy(by_article)
    first, second = rows_of(tmp_path / "out.jsonl")
    assert (first["id"], first["paragraphs"]) == ("in.lines:1", ["abc", "abcdef"])
    assert (first["labels"], second["labels"]) == (["short", "long"], ["long", "short"])
    classify_toy(replace(by_article, only=("long",)))
    assert [row["text"] for row in rows_of(tmp_path / "out.jsonl")] == ["abcdef", "abcdefghij"]
    classify_toy(replace(by_article, only=("long",), min_confidence=0.9))
    assert [row["id"] for row in rows_of(tmp_path / "out.jsonl")] == ["in.lines:3"]


@pytest.mark.parametrize("name", ["out.csv", "out.html", "out.csv.gz"])
def test_a_format_without_lists_has_no_rows_of_articles(
    name: str, options: ClassifyOptions, tmp_path: Path
) -> None:
    classifier = ByLength()
    with pytest.raises(UsageError, match="--rows article: expected the format jsonl or parquet"):
        classify_toy(replace(options, by_article=True, output=tmp_path / name), classifier)
    assert classifier.seen == []


@pytest.mark.parametrize("terminal", [True, False])
def test_articles_go_to_stdout_as_json_lines(
    terminal: bool,
    options: ClassifyOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    classify_toy(replace(options, by_article=True, output=None))
    lines = capsysbinary.readouterr().out.decode("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["abc\n\nabcdef", "abcdefghij\n\nx"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_rows_of_articles_are_a_corpus_and_an_input_again(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, again, cleaned = (str(tmp_path / f"{part}{name}") for part in ("", "again-", "cleaned-"))
    only = ("--only", "factual_report", "official_quote")
    by_article = ("--rows", "article")
    assert cli.main(["classify", SAMPLE, *by_article, "-o", first]) == 0
    assert cli.main(["evaluate", str(BUNDLED), first, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert (scores["macro_f1"], scores["accuracy"]) == (1.0, 1.0)
    assert cli.main(["data", "describe", first]) == 0
    assert cli.main(["classify", first, *by_article, "-o", again]) == 0
    assert datasets_of(again) == datasets_of(first)
    assert cli.main(["classify", SAMPLE, *by_article, *only, "-o", cleaned]) == 0
    for row, whole in zip(datasets_of(cleaned), datasets_of(first), strict=True):
        pairs = zip(whole["paragraphs"], whole["labels"], strict=True)
        kept = [text for text, label in pairs if label in only]
        assert (row["paragraphs"], row["text"]) == (kept, "\n\n".join(kept))


def test_an_unknown_label_names_the_models_labels(options: ClassifyOptions, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--only lnog: .* expected some of short, long"):
        classify_toy(replace(options, only=("lnog", "short")))
    assert [path.name for path in tmp_path.iterdir()] == ["in.lines"]


def test_context_is_passed_on(options: ClassifyOptions) -> None:
    classifier = ByLength()
    classify_toy(replace(options, context=False), classifier)
    assert classifier.context is False


def test_emptied_paragraphs_are_counted_in_one_line(
    options: ClassifyOptions, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source.write_text(" | | |abc\n |abc\n", encoding="utf-8")
    assert classify_toy(options) == 0
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no readable text in them: 4 (in.lines:1 paragraph 0, " in said
    assert "in.lines:1 paragraph 2, ...)" in said


def test_reading_and_writing_go_hand_in_hand(
    options: ClassifyOptions, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.write_text("abc\n" * 50, encoding="utf-8")
    classifier = ByLength()
    ahead: list[int] = []

    class Slow:
        written = 0

        def write(self, result: ArticlePredictions) -> None:
            self.written += 1
            ahead.append(len(classifier.seen) - self.written)

        def close(self) -> None:
            pass

    monkeypatch.setattr("faqra.writers.writer.open_writer", lambda *_, **__: Slow())
    classify_toy(options, classifier)
    assert len(ahead) == 50
    assert max(ahead) == 0


def test_a_failed_run_leaves_what_stood_there(options: ClassifyOptions, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text("earlier", encoding="utf-8")

    class Breaking(ByLength):
        def classify_articles(
            self, articles: Iterable[Article], *, context: bool = True
        ) -> Iterator[ArticlePredictions]:
            yield from super().classify_articles(articles, context=context)
            raise ModelError("the model broke")

    with pytest.raises(ModelError):
        classify_toy(options, Breaking())
    assert output.read_text(encoding="utf-8") == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.lines", "out.jsonl"]


def test_the_output_appears_only_at_the_end(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with open_output(output) as stream:
        stream.write(b"half")
        stream.flush()
        assert not output.exists()
    assert output.read_bytes() == b"half"


def test_an_output_in_gz_is_compressed(options: ClassifyOptions, tmp_path: Path) -> None:
    classify_toy(replace(options, output=tmp_path / "out.jsonl.gz"))
    with gzip.open(tmp_path / "out.jsonl.gz", "rt", encoding="utf-8") as lines:
        assert len([json.loads(line) for line in lines]) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/null is POSIX's")
def test_a_device_is_written_and_not_replaced(options: ClassifyOptions) -> None:
    assert classify_toy(replace(options, output=Path(os.devnull), to="jsonl")) == 1
    assert Path(os.devnull).is_char_device()
    assert not Path(f"{os.devnull}.rejected.jsonl").exists()


def test_a_link_stays_a_link(options: ClassifyOptions, tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to("real.jsonl")
    classify_toy(replace(options, output=tmp_path / "link.jsonl"))
    assert (tmp_path / "link.jsonl").is_symlink()
    assert len(rows_of(tmp_path / "real.jsonl")) == 4


@pytest.mark.parametrize(
    "choose",
    [
        lambda folder: folder / "in.lines",
        lambda folder: folder / "." / "in.lines",
        lambda folder: folder / "missing" / "out.jsonl",
        lambda folder: folder / "in.lines" / "out.jsonl",
        lambda folder: folder,
        lambda folder: folder / "out.docx",
        lambda folder: folder / "out",
        lambda folder: folder / "out.parquet.gz",
    ],
)
def test_an_impossible_output_is_wrong_usage(
    choose: Callable[[Path], Path], options: ClassifyOptions, tmp_path: Path
) -> None:
    before = (tmp_path / "in.lines").read_bytes()
    classifier = ByLength()
    with pytest.raises(UsageError, match=r"^-o "):
        classify_toy(replace(options, output=choose(tmp_path)), classifier)
    assert classifier.seen == []
    assert (tmp_path / "in.lines").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["in.lines"]


@pytest.mark.skipif(sys.platform == "win32", reason="/dev/full is Linux's")
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.parquet"])
def test_a_full_disk_is_said_with_the_name(
    name: str, options: ClassifyOptions, tmp_path: Path
) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(OutputError, match=f"^-o .*{name}: cannot be written: No space left"):
        classify_toy(replace(options, output=tmp_path / name))


def test_a_name_may_be_as_long_as_the_disk_allows(options: ClassifyOptions, tmp_path: Path) -> None:
    room_for_the_rejections = len(".rejected.jsonl")
    output = tmp_path / ("n" * (255 - room_for_the_rejections - len(".jsonl")) + ".jsonl")
    assert classify_toy(replace(options, output=output)) == 1
    assert len(rows_of(output)) == 4
    assert len(rows_of(Path(f"{output}.rejected.jsonl"))) == 1


@pytest.mark.parametrize("length", [245, 300])
def test_a_name_that_is_too_long_is_wrong_usage_and_not_lost_work(
    length: int, options: ClassifyOptions, tmp_path: Path
) -> None:
    classifier = ByLength()
    with pytest.raises(UsageError, match=r"^-o .*File name too long"):
        classify_toy(replace(options, output=tmp_path / f"{'n' * length}.jsonl"), classifier)
    assert classifier.seen == []
    assert [path.name for path in tmp_path.iterdir()] == ["in.lines"]


def test_rejections_of_an_earlier_run_are_not_read_and_overwritten(
    options: ClassifyOptions, source: Path, tmp_path: Path
) -> None:
    earlier = source.rename(tmp_path / "out.jsonl.rejected.jsonl")
    with pytest.raises(UsageError, match="would overwrite the input"):
        classify_toy(replace(options, inputs=(str(earlier),)))
    assert earlier.exists()


def test_a_folder_in_the_place_of_the_rejections_is_noticed_before_the_work(
    options: ClassifyOptions, tmp_path: Path
) -> None:
    (tmp_path / "out.jsonl.rejected.jsonl").mkdir()
    with pytest.raises(UsageError, match=r"out\.jsonl\.rejected\.jsonl is a folder"):
        classify_toy(options)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("name", [".", "*.jsonl"])
def test_an_output_that_would_be_read_next_time_is_refused(
    name: str, options: ClassifyOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"name (another file|a file outside)"):
        classify_toy(replace(options, inputs=(name,), output=Path("out.jsonl")))


@pytest.mark.parametrize(
    ("wanted", "output", "terminal", "chosen"),
    [
        (None, None, True, "table"),
        (None, None, False, "jsonl"),
        ("html", None, False, "html"),
        (None, "a.csv", True, "csv"),
        (None, "a.JSONL.gz", True, "jsonl"),
        ("table", "a.txt", False, "table"),
        ("csv", "a.html", False, "csv"),
        (None, "a.parquet", False, "parquet"),
    ],
)
def test_the_format_is_what_was_asked_or_suits(
    wanted: str | None, output: str | None, terminal: bool, chosen: str
) -> None:
    path = Path(output) if output else None
    assert choose_format(wanted, path, terminal=terminal) == chosen


def test_parquet_is_not_put_on_a_stream() -> None:
    with pytest.raises(UsageError, match=r"add -o FILE\.parquet"):
        choose_format("parquet", None, terminal=False)


@pytest.mark.parametrize("value", ["1.5", "-0.1", "nan", "half"])
def test_a_confidence_outside_0_to_1_is_wrong_usage(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["classify", "x", f"--min-confidence={value}"]) == 2
    assert f"expected a number from 0 to 1, got '{value}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[""], ["x", "-o", ""], ["x", "--model="], ["x", "--text-column="]]
)
def test_an_empty_name_is_wrong_usage_and_not_this_folder(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["classify", *arguments]) == 2
    assert "expected a name, got an empty one" in capsys.readouterr().err


def test_inputs_behind_only_are_missed_aloud(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert cli.main(["classify", "--only", "boilerplate", "page.html"]) == 2
    assert "--only boilerplate page.html: no INPUT is left" in capsys.readouterr().err


def test_a_closed_stdout_is_said(
    options: ClassifyOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(UsageError, match="standard output is closed; name a file with -o"):
        classify_toy(replace(options, output=None))
    assert classify_toy(options) == 1
    assert len(rows_of(tmp_path / "out.jsonl")) == 4


def test_a_name_with_line_ends_is_told_in_one_line(
    options: ClassifyOptions, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = source.rename(source.with_name("a\nfaqra: all is well\x1b[2J"))
    assert classify_toy(replace(options, inputs=(str(forged),))) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "a\\nfaqra: all is well\\x1b[2J, row 2: " in said


def test_without_inputs_a_terminal_gets_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert cli.main(["classify"]) == 0
    assert capsys.readouterr().out.startswith("usage: faqra classify")


def test_without_inputs_a_pipe_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[ClassifyOptions] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)

    def note(options: ClassifyOptions, *_: object) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(classify, "run_classify", note)
    assert cli.main(["classify"]) == 0
    assert seen[0].inputs == ("-",)


def test_results_go_to_stdout_as_json_lines_into_a_pipe(
    options: ClassifyOptions, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert classify_toy(replace(options, output=None)) == 1
    lines = capsysbinary.readouterr().out.decode("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["abc", "abcdef", "abcdefghij", "x"]


def test_progress_is_drawn_for_a_person_and_only_for_long_work(
    options: ClassifyOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Slow(ByLength):
        """Gives nothing until the bar is there, or would be."""

        def classify_articles(
            self, articles: Iterable[Article], *, context: bool = True
        ) -> Iterator[ArticlePredictions]:
            for thread in threading.enumerate():
                if isinstance(thread, threading.Timer) and thread.interval == 0:
                    thread.join()
            yield from super().classify_articles(articles, context=context)

    def drawn(options: ClassifyOptions) -> bool:
        classify_toy(options, Slow())
        return "4 paragraphs" in capsys.readouterr().err

    monkeypatch.setattr("faqra.progress._PATIENCE_S", 0.0)
    assert not drawn(options)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert drawn(options)
    assert drawn(replace(options, output=None))  # into a pipe
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert not drawn(replace(options, output=None, to="jsonl"))  # would run into the results
    monkeypatch.setattr("faqra.progress._PATIENCE_S", 60.0)
    assert not drawn(options)


def test_long_work_says_what_it_did(
    options: ClassifyOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    classify_toy(options)
    assert "paragraphs in" not in capsys.readouterr().err
    monkeypatch.setattr("faqra.progress._WORTH_TELLING_S", 0.0)
    classify_toy(options)
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("faqra: 4 paragraphs in ")
    assert told.endswith("short 50%, long 50%")
