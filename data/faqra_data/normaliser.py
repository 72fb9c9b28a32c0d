"""What is done to a text before a tokenizer sees it, as one value saved with each model.

The defaults follow what CAMeLBERT was pretrained on (CAMeL-Lab/CAMeLBERT, 2021): diacritics
and tatweel removed, whitespace collapsed, letters left as they are. Folding alef, alef
maqsura or teh marbuta would move the text away from that, so it is off by default; a model
that was trained on folded text turns it on here. This module does not know what a
paragraph, a page or a model is.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property

from faqra_data.errors import ModelError

# Harakat, tanwin, shadda, sukun and superscript alef (CAMeL Tools' dediac_ar), with the
# Quranic annotation signs that religious pages add. The combining maddah and hamza
# (U+0653 to U+0655) stay: they are parts of letters.
_DIACRITICS = (
    "\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
)
_TATWEEL = "\u0640"
# Soft hyphen, zero-width and bidi controls, byte-order mark, variation selectors, interlinear
# marks, lone surrogates, private use, U+FFFD (what is left of a broken byte), tags.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U000e0000-\U0010ffff"
)
# \s knows the Unicode spaces and \x1c-\x1f; the other control characters part words too.
_WHITESPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_ALEF = str.maketrans("أإآٱ", "اااا")


@dataclass(frozen=True)
class Normaliser:
    """Each decision is a field; calling `normalise` twice gives the same as calling it once."""

    nfkc: bool = True
    remove_diacritics: bool = True
    remove_tatweel: bool = True
    remove_invisible: bool = True
    collapse_whitespace: bool = True
    fold_alef: bool = False
    fold_alef_maqsura: bool = False
    fold_teh_marbuta: bool = False

    def normalise(self, text: str) -> str:
        """The text as the tokenizer reads it; empty where nothing of the text is left."""
        # Taking a mark away can bring two characters together that NFKC joins, and NFKC can
        # bring new marks: so until nothing changes (one pass and a check for usual text).
        while (changed := self._pass(text)) != text:
            text = changed
        return text

    def _pass(self, text: str) -> str:
        if self._removed is not None:
            text = self._removed.sub("", text)
        if self.nfkc:
            text = unicodedata.normalize("NFKC", text)
        if self.fold_alef:
            text = text.translate(_ALEF)
        if self.fold_alef_maqsura:
            text = text.replace("ى", "ي")
        if self.fold_teh_marbuta:
            text = text.replace("ة", "ه")
        if self.collapse_whitespace:
            text = _WHITESPACE.sub(" ", text).strip()
        return text

    @cached_property
    def _removed(self) -> re.Pattern[str] | None:
        kinds = (
            (self.remove_diacritics, _DIACRITICS),
            (self.remove_tatweel, _TATWEEL),
            (self.remove_invisible, _INVISIBLE),
        )
        characters = "".join(those for wanted, those in kinds if wanted)
        return re.compile(f"[{characters}]+") if characters else None

    def to_dict(self) -> dict[str, bool]:
        """The fields by name, as they stand in a model's `faqra.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> "Normaliser":
        """The normaliser that `to_dict` wrote.

        Raises ModelError where a field is unknown, missing or no boolean: a decision that is
        guessed would make a model read other text than it was trained on.
        """
        names = {field.name for field in fields(cls)}
        unknown, missing = sorted(values.keys() - names), sorted(names - values.keys())
        wrong = sorted(name for name, value in values.items() if not isinstance(value, bool))
        if unknown or missing or wrong:
            raise ModelError(
                f"normaliser: expected true or false for each of {', '.join(sorted(names))}; "
                f"unknown: {unknown or 'none'}, missing: {missing or 'none'}, "
                f"not true or false: {wrong or 'none'}"
            )
        return cls(**{name: bool(value) for name, value in values.items()})
