"""Training batches: laid out beforehand, every paragraph once an epoch, pooled as users' are."""

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra 'train'")

from faqra_models.encoding import Layout, pool, tally  # noqa: E402
from faqra_training.batches import (  # noqa: E402
    EncodedArticle,
    TrainingBatches,
    class_weights,
    pooled_logits,
)

LAYOUT = Layout(max_tokens=24, cls_id=2, sep_id=3, pad_id=0)
LABELS = 3


def articles(count: int) -> list[EncodedArticle]:
    """Pages whose token ids say place and article, and whose labels say the place."""
    chance = np.random.default_rng(0)
    lengths = [chance.integers(1, 9, size=chance.integers(1, 7)) for _ in range(count)]
    return [
        EncodedArticle(
            title=[],
            paragraphs=[[4 + i, *[10 + number] * int(length)] for i, length in enumerate(each)],
            labels=np.arange(len(each)) % LABELS,
        )
        for number, each in enumerate(lengths)
    ]


def batches(
    *, epochs: int = 2, context: bool = True, context_dropout: float = 0.3, seed: int = 1
) -> TrainingBatches:
    return TrainingBatches(
        articles(20),
        LAYOUT,
        epochs=epochs,
        batch_tokens=96,
        context=context,
        context_dropout=context_dropout,
        seed=seed,
    )


def tokens_of(batch: dict[str, "torch.Tensor"]) -> Counter[int]:
    """How often each article's token votes."""
    voting = batch["owners"] >= 0
    words = batch["input_ids"][voting & (batch["input_ids"] >= 10)]
    return Counter(words.tolist())


def test_same_seed_same_batches() -> None:
    first, second, other = batches(), batches(), batches(seed=2)
    assert len(first) == len(second)
    for index in range(len(first)):
        for name, tensor in first[index].items():
            assert torch.equal(tensor, second[index][name])
    assert any(
        first[index]["input_ids"].tolist() != other[index]["input_ids"].tolist()
        for index in range(min(len(first), len(other)))
    )


@pytest.mark.parametrize("context", [True, False])
def test_an_epoch_reads_every_token_once(context: bool) -> None:
    made = batches(epochs=3, context=context)
    read: Counter[int] = Counter()
    for index in range(len(made)):
        read += tokens_of(made[index])
    wanted = Counter[int]()
    for one in articles(20):
        wanted.update(3 * [token for tokens in one.paragraphs for token in tokens if token >= 10])
    assert read == wanted


def test_owners_count_the_paragraphs_that_have_a_label() -> None:
    made = batches()
    for index in range(len(made)):
        batch = made[index]
        owned = set(batch["owners"].flatten().tolist()) - {-1}
        assert owned == set(range(len(batch["labels"])))


def test_a_batch_stays_in_its_budget() -> None:
    made = batches()
    assert max(made[index]["input_ids"].numel() for index in range(len(made))) <= 96


def test_context_dropout_reads_all_or_no_articles_as_pages() -> None:
    together, alone = batches(context_dropout=0.0), batches(context_dropout=1.0)
    paragraphs = sum(len(one.labels) for one in articles(20))
    rows = sum(alone[index]["input_ids"].shape[0] for index in range(len(alone)))
    assert rows == 2 * paragraphs  # none is longer than a window, and there are two epochs
    assert sum(together[index]["input_ids"].shape[0] for index in range(len(together))) < rows


def test_a_copy_is_read_on_its_page_only() -> None:
    page = EncodedArticle(title=[], paragraphs=[[7, 8], [9], [7, 8]], labels=np.arange(3))
    learned = {}
    for context in (True, False):
        made = TrainingBatches(
            [page], LAYOUT, epochs=1, batch_tokens=96, context=context, context_dropout=0, seed=1
        )
        learned[context] = sorted(made[0]["labels"].tolist())
    assert learned == {True: [0, 1, 2], False: [0, 1]}


def test_probabilities_to_learn_go_with_their_paragraphs() -> None:
    shares = np.random.default_rng(0).dirichlet([1.0] * LABELS, size=3).astype(np.float32)
    page = EncodedArticle(title=[], paragraphs=[[7, 8], [9] * 40, [10]], labels=shares)
    made = TrainingBatches(
        [page], LAYOUT, epochs=1, batch_tokens=24, context=True, context_dropout=0, seed=1
    )
    for index in range(len(made)):
        batch = made[index]
        assert batch["labels"].dtype == torch.float32
        for token, paragraph in ((7, 0), (9, 1), (10, 2)):
            owners = set(batch["owners"][batch["input_ids"] == token].tolist()) - {-1}
            for owner in owners:
                assert batch["labels"][owner].tolist() == shares[paragraph].tolist()


def test_logits_are_pooled_as_the_classifier_pools_them() -> None:
    page = [[11] * 7, [12] * 30, [], [13] * 5]
    windows = LAYOUT.windows(page, context=False)
    ids, _ = LAYOUT.batch(windows)
    logits = np.random.default_rng(0).normal(size=(*ids.shape, LABELS)).astype(np.float32)
    owners = np.full_like(ids, -1)
    for row, window in enumerate(windows):
        owners[row, : len(window)] = window.owners
    pooled = pooled_logits(torch.from_numpy(logits), torch.from_numpy(owners), len(page))
    votes = [tally(window, row) for window, row in zip(windows, logits, strict=True)]
    assert pooled.numpy() == pytest.approx(pool(windows, votes, len(page)), abs=1e-5)


def test_rare_labels_weigh_more_and_the_mean_weight_is_one() -> None:
    gold = np.array([0] * 80 + [1] * 20)
    balanced = class_weights(gold, 3, "balanced")
    gentle = class_weights(gold, 3, "square_root")
    assert balanced is not None
    assert gentle is not None
    assert balanced[1] / balanced[0] == pytest.approx(4)
    assert gentle[1] / gentle[0] == pytest.approx(2)
    assert balanced[gold].mean() == pytest.approx(1)
    assert balanced[2] == 0  # it never occurs
    assert class_weights(gold, 3, "none") is None
