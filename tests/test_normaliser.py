"""The normaliser: once is enough, and what it is told to leave it leaves."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faqra_data.errors import ModelError
from faqra_data.normaliser import Normaliser

FIELDS = tuple(Normaliser().to_dict())
NORMALISERS = st.builds(Normaliser, **dict.fromkeys(FIELDS, st.booleans()))
# Letters that join with marks, presentation forms, spaces and what is not seen.
ARABIC = st.text(
    "اأآىةهﷺﻻﳁـًٌّٕٓٔ\u0670\u06df \n\t\xa0\x85\x1c\u200f\u200d\ufeff\ufe0f\ud800\ue000\ufffd"
)


@given(st.one_of(ARABIC, st.text(st.characters())), NORMALISERS)
@settings(max_examples=60, deadline=None)
def test_normalising_twice_is_normalising_once(text: str, normaliser: Normaliser) -> None:
    once = normaliser.normalise(text)
    assert normaliser.normalise(once) == once


@given(NORMALISERS)
@settings(max_examples=30, deadline=None)
def test_what_is_written_reads_back_the_same(normaliser: Normaliser) -> None:
    assert Normaliser.from_dict(normaliser.to_dict()) == normaliser


@given(st.text(st.characters()))
@settings(max_examples=40, deadline=None)
def test_a_normaliser_with_nothing_to_do_does_nothing(text: str) -> None:
    assert Normaliser(**dict.fromkeys(FIELDS, False)).normalise(text) == text


@given(ARABIC)
@settings(max_examples=40, deadline=None)
def test_nothing_is_left_at_the_edges_or_doubled(text: str) -> None:
    normal = Normaliser().normalise(text)
    assert normal == " ".join(normal.split())


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("مُحَمَّدٌ", "محمد"),
        ("فـــــاضح", "فاضح"),
        ("ﻻ ﷲ", "لا الله"),
        ("\ufeffقال\u200f \xa0 نعم\n", "قال نعم"),
        ("إلى مدرسة أحمد", "إلى مدرسة أحمد"),
        ("\ud800\ufffd\u200b ", ""),
        ("", ""),
    ],
)
def test_text_is_brought_to_what_the_encoder_was_trained_on(text: str, normal: str) -> None:
    assert Normaliser().normalise(text) == normal


def test_letters_are_folded_where_asked() -> None:
    folding = Normaliser(fold_alef=True, fold_alef_maqsura=True, fold_teh_marbuta=True)
    assert folding.normalise("إلى مدرسة أحمد") == "الي مدرسه احمد"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fold_hamza": True}, "unknown: ['fold_hamza']"),
        ({"nfkc": 1}, "not true or false: ['nfkc']"),
        ({"nfkc": None}, "not true or false: ['nfkc']"),
    ],
)
def test_a_decision_is_never_guessed(change: dict[str, object], told: str) -> None:
    with pytest.raises(ModelError) as caught:
        Normaliser.from_dict({**Normaliser().to_dict(), **change})
    assert told in str(caught.value)


@pytest.mark.parametrize("missing", FIELDS)
def test_a_missing_decision_is_named(missing: str) -> None:
    values = dict(
        itertools.filterfalse(lambda item: item[0] == missing, Normaliser().to_dict().items())
    )
    with pytest.raises(ModelError, match=rf"missing: \['{missing}'\]"):
        Normaliser.from_dict(values)
