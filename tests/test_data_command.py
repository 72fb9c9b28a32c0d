"""`faqra data`: labels without text and back, splits, checks; and what it says of bad input."""

import json
from pathlib import Path

import pytest

from faqra import cli
from faqra_data.corpus import LabelledArticle, read_corpus, write_corpus

SHARED = Path(__file__).parents[2] / "shared"
ANNOTATIONS = Path(__file__).parents[1] / "data" / "annotations"


def article(number: int) -> LabelledArticle:
    """A page with a sentence of its own and the furniture of its site."""
    words = " ".join(f"كلمة{number}{letter}" for letter in "ابتثجحخدذر")
    return LabelledArticle(
        id=f"a{number}",
        corpus="toys",
        source=f"outlet {number % 4}",
        title=f"عنوان {number}",
        paragraphs=("الرئيسية", words),
        labels=("boilerplate", "factual_report" if number % 2 else "official_quote"),
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "sources" / "corpus.jsonl"
    path.parent.mkdir()
    write_corpus([article(number) for number in range(60)], path)
    return path


def test_text_taken_out_and_put_back_is_the_same_corpus(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    annotations = tmp_path / "annotations" / "all.jsonl"
    assert cli.main(["data", "annotate", str(corpus), "-o", str(annotations)]) == 0
    assert "كلمة" not in annotations.read_text(encoding="utf-8")
    arguments = ["--annotations", str(annotations.parent), "-o", str(tmp_path / "out")]
    assert cli.main(["data", "hydrate", "--sources", str(corpus.parent), *arguments]) == 0
    assert read_corpus([tmp_path / "out" / "all.jsonl"]) == read_corpus([corpus])


def test_missing_text_is_listed_and_what_is_there_is_kept(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "annotations").mkdir()
    cli.main(["data", "annotate", str(corpus), "-o", str(tmp_path / "annotations" / "all.jsonl")])
    lines = corpus.read_text(encoding="utf-8").splitlines()
    altered = lines[3].replace("كلمة3ا", "كلمةٌ3ا")
    corpus.write_text("\n".join([*lines[:3], altered, *lines[4:]]) + "\n", encoding="utf-8")
    capsys.readouterr()
    code = cli.main(
        [
            *("data", "hydrate", "--sources", str(corpus)),
            *("--annotations", str(tmp_path / "annotations"), "-o", str(tmp_path / "out")),
        ]
    )
    said = capsys.readouterr().err
    assert code == 1
    assert "59 of 60 articles" in said
    assert "missing: 1 paragraphs of a3 (toys)" in said
    assert len(read_corpus([tmp_path / "out" / "all.jsonl"])) == 59


def test_a_split_has_no_leaks_and_a_leak_is_told(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn", reason="splitting needs the extra 'train'")
    shares = ["--shares", "train=0.7", "test=0.3"]
    assert cli.main(["data", "split", str(corpus), "-o", str(tmp_path / "parts"), *shares]) == 0
    train, test = (str(tmp_path / "parts" / f"{name}.jsonl") for name in ("train", "test"))
    total = sum(len(read_corpus([part])) for part in (train, test))
    assert total == 60
    assert cli.main(["data", "check", train, test]) == 0
    capsys.readouterr()
    assert cli.main(["data", "check", train, str(corpus)]) == 1
    assert "leaks between parts" in capsys.readouterr().err


def test_a_description_counts(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["data", "describe", str(corpus)]) == 0
    said = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert (said["articles"], said["sources"], said["paragraphs"]) == ("60", "4", "120")
    assert said["boilerplate"] == "60"
    assert len(said["digest"]) == 16


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["describe", "nothing.jsonl"], 1, "nothing.jsonl: no such file"),
        (["hydrate", "--sources", "nothing", "--annotations", "."], 2, "no .jsonl file"),
        (["check", "one.jsonl"], 2, "expected two or more different parts"),
        (["split", "x", "-o", "y", "--shares", "train"], 2, "expected PART=SHARE, got 'train'"),
        ([], 2, "VERB"),
    ],
)
def test_bad_input_is_one_line_and_a_code(
    arguments: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["data", *arguments]) == code
    assert said in capsys.readouterr().err


def test_the_annotations_hold_no_text() -> None:
    for path in ANNOTATIONS.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert "paragraphs" not in row
            assert "title" not in row
            assert len(row["digests"]) == len(row["labels"])


@pytest.mark.skipif(not SHARED.exists(), reason="no local copies of the annotated texts here")
def test_the_real_annotations_are_hydrated_whole(tmp_path: Path) -> None:
    code = cli.main(
        [
            *("data", "hydrate", "--sources", str(SHARED / "annotation"), str(SHARED / "corpora")),
            *("--annotations", str(ANNOTATIONS), "-o", str(tmp_path)),
        ]
    )
    assert code == 0
    for name in ("train.jsonl", "dev.jsonl"):
        hydrated, original = (
            read_corpus([tmp_path / name]),
            read_corpus([SHARED / "annotation" / name]),
        )
        assert [(a.id, a.paragraphs, a.labels) for a in hydrated] == [
            (a.id, a.paragraphs, a.labels) for a in original
        ]
    assert sum(len(a.paragraphs) for a in read_corpus([tmp_path / "silver.jsonl"])) == 121_774


def test_no_result_overwrites_an_input(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = corpus.read_bytes()
    here = str(corpus.parent)
    assert cli.main(["data", "annotate", str(corpus), "-o", str(corpus)]) == 2
    parts = ["--shares", "corpus=0.5", "other=0.5"]
    assert cli.main(["data", "split", str(corpus), "-o", here, *parts]) == 2
    annotations = tmp_path / "annotations"
    annotations.mkdir()
    cli.main(["data", "annotate", str(corpus), "-o", str(annotations / "corpus.jsonl")])
    hydrate = ["data", "hydrate", "--sources", here, "--annotations", str(annotations)]
    assert cli.main([*hydrate, "-o", here]) == 2
    assert cli.main([*hydrate, "-o", str(annotations)]) == 2
    assert corpus.read_bytes() == before
    assert capsys.readouterr().err.count("is an input too") == 4


@pytest.mark.parametrize("share", ["=1", "../a=1", "a=nan", "a=0", "a=-1", "a=2", "a", "a=b"])
def test_a_share_has_a_plain_name_and_a_number(
    share: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["-o", str(tmp_path / "parts"), f"--shares={share}"]
    assert cli.main(["data", "split", str(corpus), *arguments]) == 2
    assert f"got {share!r}" in capsys.readouterr().err
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize("verb", ["annotate", "split"])
def test_a_place_that_cannot_be_written_is_wrong_usage(
    verb: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    output = str(tmp_path / "file" / "below.jsonl")
    assert cli.main(["data", verb, str(corpus), "-o", output]) == 2
    assert capsys.readouterr().err.startswith(f"faqra: -o {output}: ")
