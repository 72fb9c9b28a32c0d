"""Pretraining: what is read, how it is packed and masked, and that a run can go on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch", reason="pretraining needs the extra 'train'")
from safetensors.numpy import load_file
from transformers import AutoModel, AutoTokenizer

from faqra_data.errors import RecipeError
from faqra_data.normaliser import Normaliser
from faqra_training import pretraining
from faqra_training.embeddings import token_vectors
from faqra_training.masking import Masker
from faqra_training.packing import read_pages
from faqra_training.recipe import PretrainingRecipe

VERBS = ("أعلن", "قال", "ذكر", "نفى", "أكد")
NOUNS = ("الوزير", "المدير", "الرئيس", "الناطق", "المدرب")
PLACES = ("دمشق", "القاهرة", "تونس", "بغداد", "مسقط")


def page(number: int) -> str:
    chance = np.random.default_rng(number)
    sentences = [
        f"{chance.choice(VERBS)} {chance.choice(NOUNS)} في {chance.choice(PLACES)} خبر {number}"
        for _ in range(6)
    ]
    return "\n".join(sentences)


@pytest.fixture
def recipe(tmp_path: Path) -> PretrainingRecipe:
    texts = [page(number) for number in range(120)]
    table = pa.table({"title": ["عنوان"] * len(texts), "text": texts})
    pq.write_table(table, tmp_path / "news.parquet")
    return PretrainingRecipe(
        name="toy",
        corpora=(str(tmp_path / "news.parquet"),),
        vocabulary_size=200,
        layers=1,
        width=16,
        heads=2,
        feed_forward=32,
        max_positions=64,
        window_tokens=32,
        batch_size=4,
        steps=6,
        warmup_steps=1,
        save_steps=3,
    )


def test_pages_are_normalised_and_exact_repeats_left_out(tmp_path: Path) -> None:
    rows = ["أعْلَنَ الوزيــر\nثم غادر", "أعلن الوزير\nثم غادر", "خبر آخر"]
    pq.write_table(
        pa.table({"title": ["", None, "خبر آخر"], "text": rows}), tmp_path / "small.parquet"
    )
    pages = read_pages([str(tmp_path / "small.parquet")], Normaliser())
    assert list(pages) == [["أعلن الوزير", "ثم غادر"], ["خبر آخر"]]


def test_pages_with_an_excluded_paragraph_are_left_out(tmp_path: Path) -> None:
    secret = "هذه فقرة طويلة من صفحة نختار عليها النموذج ولا نتعلم منها"
    table = pa.table({"title": ["", ""], "text": [f"مقدمة\n{secret}", "قصيرة\nباقية"]})
    pq.write_table(table, tmp_path / "small.parquet")
    path = str(tmp_path / "small.parquet")
    pages = read_pages([path], Normaliser(), exclude=[secret, "قصيرة"])
    assert list(pages) == [["قصيرة", "باقية"]]


def test_an_encoder_reads_no_page_of_the_excluded_files(
    recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    secret = "هذه فقرة طويلة من صفحة نختار عليها النموذج ولا نتعلم منها"
    labelled = {"id": "d", "paragraphs": [secret, "قصيرة"], "labels": ["x", "x"]}
    path = tmp_path / "dev.jsonl"
    path.write_text(json.dumps(labelled) + "\n", encoding="utf-8")
    page = tmp_path / "page.parquet"
    pq.write_table(pa.table({"title": [""], "text": [f"مقدمة\n{secret}"]}), page)
    corpora = (*recipe.corpora, str(page))
    read = []
    for name, exclude in (("all", ()), ("fewer", (str(path),))):
        run = replace(recipe, corpora=corpora, exclude=exclude)
        pretraining.pretrain(run, tmp_path / name)
        read.append(len(np.load(tmp_path / name / "stream.npy")))
    assert read[0] > read[1] > 1000


def test_a_run_leaves_an_encoder_that_transformers_loads(
    recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    encoder = pretraining.pretrain(recipe, tmp_path / "run")
    model = AutoModel.from_pretrained(encoder)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    assert model.config.hidden_size == 16
    assert tokenizer.tokenize("أعلن الوزير") != ["[UNK]", "[UNK]"]
    history = json.loads((encoder / "pretraining.json").read_text(encoding="utf-8"))
    assert history["recipe"]["steps"] == 6
    assert any("eval_loss" in entry for entry in history["log"])


def test_a_run_tells_its_losses_and_its_speed(recipe: PretrainingRecipe, tmp_path: Path) -> None:
    told: list[str] = []
    encoder = pretraining.pretrain(recipe, tmp_path / "run", tell=told.append)
    assert "768 tokens to read" in told[0]
    assert told[1].startswith("step 3 of 6: ")
    assert "perplexity" in told[1]
    speed = json.loads((encoder / "pretraining.json").read_text(encoding="utf-8"))["speed"]
    assert speed["tokens_per_second"] > 0
    assert 0 < speed["share_of_matrix_rate"] < 1
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_goes_on_with_more_steps_but_not_as_another_one(
    recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    pretraining.pretrain(recipe, tmp_path / "run")
    longer = replace(recipe, steps=8)
    encoder = pretraining.pretrain(longer, tmp_path / "run")
    log = json.loads((encoder / "pretraining.json").read_text(encoding="utf-8"))["log"]
    assert [entry["step"] for entry in log if "eval_loss" in entry] == [3, 6, 8]
    with pytest.raises(RecipeError, match="another recipe or other data, different in width"):
        pretraining.pretrain(replace(longer, width=32), tmp_path / "run")


def test_the_rate_rises_stays_and_falls_to_zero(recipe: PretrainingRecipe) -> None:
    plan = replace(recipe, steps=100, warmup_steps=10, decay_share=0.2)
    assert [plan.rate_share(step) for step in (0, 5, 10, 80, 90, 100)] == [0, 0.5, 1, 1, 0.5, 0]
    assert replace(plan, decay_share=1.0).rate_share(50) == 0.5


def test_pages_are_read_from_json_lines_too(tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text('{"title": "خبر", "text": "أعلن\\nثم غادر"}\n', encoding="utf-8")
    assert list(read_pages([str(path)], Normaliser())) == [["خبر", "أعلن", "ثم غادر"]]


def test_corpora_that_are_not_there_or_broken_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file: nowhere"):
        list(read_pages(["nowhere/*.parquet"], Normaliser()))
    path = tmp_path / "broken.jsonl"
    path.write_text('{"text": "سليم"}\n{"text": \n', encoding="utf-8")
    with pytest.raises(RecipeError, match=r"broken\.jsonl, row 2: expected a JSON object"):
        list(read_pages([str(path)], Normaliser()))


def test_a_run_that_was_stopped_ends_at_the_same_weights(
    recipe: PretrainingRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tokenizer's trainer breaks ties by chance: both runs have the same one.
    pretraining._tokenizer(recipe, tmp_path / "tokenizer")
    recipe = replace(recipe, tokenizer=str(tmp_path / "tokenizer"))
    unbroken = pretraining.pretrain(recipe, tmp_path / "unbroken")
    broken = tmp_path / "broken"
    mask = Masker.__call__

    def mask_until_a_checkpoint(self: Masker, rows: list[dict[str, Any]]) -> Any:
        if (broken / "checkpoints" / "checkpoint-3" / "trainer_state.json").exists():
            raise KeyboardInterrupt
        return mask(self, rows)

    monkeypatch.setattr(Masker, "__call__", mask_until_a_checkpoint)
    with pytest.raises(KeyboardInterrupt):
        pretraining.pretrain(recipe, broken)
    monkeypatch.undo()
    resumed = pretraining.pretrain(recipe, broken)
    expected = load_file(unbroken / "model.safetensors")
    found = load_file(resumed / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


def test_masking_hides_a_share_and_never_a_special_token(
    recipe: PretrainingRecipe, tmp_path: Path
) -> None:
    tokenizer = pretraining._tokenizer(recipe, tmp_path / "tokenizer")
    masker = Masker(tokenizer, rate=0.3, seed=1)
    ids = np.full((8, 256), 50)
    ids[:, 0] = tokenizer.cls_token_id
    rows = [{"input_ids": row, "index": number} for number, row in enumerate(ids)]
    batch = masker(rows)
    chosen = batch["labels"].numpy() != -100
    assert not chosen[:, 0].any()
    assert 0.25 < chosen[:, 1:].mean() < 0.35
    hidden = batch["input_ids"].numpy()[chosen] == tokenizer.mask_token_id
    assert 0.7 < hidden.mean() < 0.9
    assert (batch["input_ids"].numpy()[~chosen] == ids[~chosen]).all()
    assert all((masker(rows)[name] == batch[name]).all() for name in batch)


def test_words_used_alike_get_vectors_alike() -> None:
    chance = np.random.default_rng(0)
    # Tokens 5 and 6 stand between the same neighbours, 7 between others.
    stream = np.concatenate(
        [
            [chance.integers(10, 14), token, chance.integers(10, 14)]
            if token < 7
            else [chance.integers(14, 18), token, chance.integers(14, 18)]
            for token in chance.integers(5, 8, 4000)
        ]
    )
    vectors = token_vectors(stream, vocabulary_size=20, width=4, reach=1, ignored_ids=(0,))
    assert vectors.shape == (20, 4)
    assert not vectors[0].any()
    unit = vectors[5:8] / np.linalg.norm(vectors[5:8], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.9 > unit[0] @ unit[2]
