"""`faqra data`: labelled corpora put back together, described, split and checked.

Each verb is a thin door to the data room; this module knows options and words only.
"""

import argparse
from collections import Counter
from pathlib import Path

from faqra.output import refuse_overlap
from faqra.usage import UsageError
from faqra.voice import say

_ANNOTATIONS = "data/annotations"
_HYDRATED = "hydrated"
# Articles that are named one by one where text is missing; the others are counted.
_NAMED = 10


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra data` and its verbs."""
    parser = subparsers.add_parser(
        "data",
        help="hydrate, annotate, describe, split and check labelled corpora",
        description="Works on labelled corpora: JSON Lines of id, paragraphs, labels.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    hydrate = verbs.add_parser(
        "hydrate",
        help="put the text back to the labels, from local copies of the sources",
        description="Finds the text of every annotated paragraph by its digest in the .jsonl and "
        ".parquet files below the sources, and writes one labelled corpus for each annotation "
        "file. Exit code 1 where text is missing; what is missing is listed.",
    )
    hydrate.add_argument("--sources", nargs="+", required=True, type=Path, metavar="DIR")
    hydrate.add_argument(
        "--annotations",
        type=Path,
        default=Path(_ANNOTATIONS),
        metavar="DIR",
        help=f"folder of annotation files (default: {_ANNOTATIONS})",
    )
    hydrate.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(_HYDRATED),
        metavar="DIR",
        help=f"folder to write to (default: {_HYDRATED})",
    )

    annotate = verbs.add_parser("annotate", help="take the text out of a corpus, keep the labels")
    annotate.add_argument("corpus", nargs="+", metavar="CORPUS")
    annotate.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")

    describe = verbs.add_parser("describe", help="count a corpus and print its digest")
    describe.add_argument("corpus", nargs="+", metavar="CORPUS")

    split = verbs.add_parser("split", help="split a corpus so that no text stands in two parts")
    split.add_argument("corpus", nargs="+", metavar="CORPUS")
    split.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    split.add_argument(
        "--shares",
        nargs="+",
        type=_share,
        default=[("train", 0.8), ("dev", 0.1), ("test", 0.1)],
        metavar="PART=SHARE",
        help="parts and their share of the paragraphs (default: train=0.8 dev=0.1 test=0.1)",
    )
    split.add_argument("--by-source", action="store_true", help="keep each outlet in one part")
    split.add_argument("--seed", type=int, default=0)

    check = verbs.add_parser(
        "check", help="fail where parts share an article, a paragraph or a near-duplicate"
    )
    check.add_argument("parts", nargs="+", metavar="PART", help="two or more corpus files")


def run(args: argparse.Namespace) -> int:
    """Do what the verb says."""
    verbs = {
        "hydrate": _hydrate,
        "annotate": _annotate,
        "describe": _describe,
        "split": _split,
        "check": _check,
    }
    return verbs[args.verb](args)


def _hydrate(args: argparse.Namespace) -> int:
    from faqra_data.corpus import write_corpus  # noqa: PLC0415 - other commands wait for none of these
    from faqra_data.standoff import hydrate, read_annotations  # noqa: PLC0415

    files = sorted(args.annotations.glob("*.jsonl"))
    if not files:
        raise UsageError(f"--annotations {args.annotations}: no .jsonl file of annotations in it")
    annotations = {file.name: read_annotations(file) for file in files}
    sources = [source / file.name for source in args.sources for file in files]
    _prepare_folder(args.output, list(annotations), [*map(str, files), *map(str, sources)])
    hydrated = hydrate([one for each in annotations.values() for one in each], args.sources)
    found = {article.id: article for article in hydrated.articles}
    for name, wanted in annotations.items():
        articles = [found[one.id] for one in wanted if one.id in found]
        write_corpus(articles, args.output / name)
        paragraphs = sum(len(article.paragraphs) for article in articles)
        say(
            f"{args.output / name}: {len(articles):,} of {len(wanted):,} articles, "
            f"{paragraphs:,} paragraphs, every digest verified"
        )
    origin = {one.id: one.corpus for each in annotations.values() for one in each}
    for rejected in hydrated.unread:
        row = "" if rejected.row is None else f", row {rejected.row}"
        say(f"could not read {rejected.input}{row}: {rejected.reason}")
    for id_, indexes in list(hydrated.missing.items())[:_NAMED]:
        say(f"missing: {len(indexes)} paragraphs of {id_} ({origin[id_]})")
    if hydrated.missing:
        by_corpus = Counter(origin[id_] for id_ in hydrated.missing)
        listed = ", ".join(f"{name} {count:,}" for name, count in sorted(by_corpus.items()))
        say(f"articles left out because of missing text, by corpus: {listed}")
    return 1 if hydrated.missing else 0


def _annotate(args: argparse.Namespace) -> int:
    from faqra_data.corpus import read_corpus  # noqa: PLC0415 - as above
    from faqra_data.standoff import annotate, write_annotations  # noqa: PLC0415

    refuse_overlap(args.output, args.corpus)  # the text would be lost
    if not args.output.parent.is_dir():
        raise UsageError(
            f"-o {args.output}: there is no folder {args.output.parent}; make it first"
        )
    annotations = [annotate(article) for article in read_corpus(args.corpus)]
    write_annotations(annotations, args.output)
    paragraphs = sum(len(one.labels) for one in annotations)
    say(f"{args.output}: {len(annotations):,} articles, {paragraphs:,} paragraphs, no text")
    return 0


def _describe(args: argparse.Namespace) -> int:
    from faqra_data.corpus import corpus_digest, read_corpus  # noqa: PLC0415 - as above

    articles = read_corpus(args.corpus)
    labels = Counter(label for article in articles for label in article.labels)
    rows = [
        ("articles", f"{len(articles):,}"),
        ("sources", f"{len({article.source for article in articles}):,}"),
        ("paragraphs", f"{labels.total():,}"),
        *((label, f"{count:,}") for label, count in labels.most_common()),
        ("digest", corpus_digest(articles)),
    ]
    for name, value in rows:
        print(f"{name:<21} {value:>16}")  # noqa: T201 - the command's result
    return 0


def _split(args: argparse.Namespace) -> int:
    from faqra_data.corpus import read_corpus, write_corpus  # noqa: PLC0415 - as above
    from faqra_data.splits import split  # noqa: PLC0415

    shares = dict(args.shares)
    if len(shares) != len(args.shares):
        raise UsageError("--shares: a part is named twice")
    corpus = read_corpus(args.corpus)
    _prepare_folder(args.output, [f"{name}.jsonl" for name in shares], args.corpus)
    parts = split(corpus, shares, by_source=args.by_source, seed=args.seed)
    for name, articles in parts.items():
        write_corpus(articles, args.output / f"{name}.jsonl")
        paragraphs = sum(len(article.paragraphs) for article in articles)
        say(f"{args.output / name}.jsonl: {len(articles):,} articles, {paragraphs:,} paragraphs")
    return 0


def _check(args: argparse.Namespace) -> int:
    from faqra_data.corpus import read_corpus  # noqa: PLC0415 - as above
    from faqra_data.splits import check_leaks  # noqa: PLC0415

    if len(set(args.parts)) < 2:
        raise UsageError(f"expected two or more different parts to compare, got {args.parts}")
    check_leaks({part: read_corpus([part]) for part in args.parts})
    say("no article, paragraph or near-duplicate stands in two parts")
    return 0


def _prepare_folder(folder: Path, names: list[str], inputs: list[str]) -> None:
    """Make the folder of results before the long work; no result may overwrite an input."""
    for name in names:
        refuse_overlap(folder / name, inputs)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"-o {folder}: cannot be made a folder: {error.strerror}") from error


def _share(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        share = float(number)
    except ValueError:
        share = 0.0
    # A part becomes the name of a file; not above 0 is also what is no number.
    if not name or name != Path(name).name or not 0 < share <= 1:
        raise argparse.ArgumentTypeError(
            f"expected PART=SHARE, got {text!r}; PART a plain name, SHARE above 0, up to 1"
        )
    return name, share
