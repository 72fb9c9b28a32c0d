"""The numbers of a run, in one TOML file read into one frozen value.

Every mistake of a recipe is reported at once, before anything is loaded. This module knows
which values are possible, not what is done with them.
"""

import difflib
import tomllib
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin, get_type_hints

from faqra_data.errors import ModelError, RecipeError
from faqra_data.labels import LABELS
from faqra_data.normaliser import Normaliser


def _default_normaliser() -> dict[str, bool]:
    return Normaliser().to_dict()


@dataclass(frozen=True, kw_only=True)
class _Recipe:
    """What both kinds of recipe share: reading, overriding and checking."""

    name: str
    seed: int = 1
    normaliser: Mapping[str, bool] = field(default_factory=_default_normaliser)

    @classmethod
    def read(cls, path: Path, overrides: Sequence[str] = ()) -> Self:
        """The recipe in a TOML file; `overrides` are `key=value`, the value in TOML's form.

        Raises RecipeError with one line for each mistake.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RecipeError(f"{path}: no such recipe; expected a TOML file") from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise RecipeError(f"{path}: not readable as TOML: {error}") from error
        mistakes: list[str] = []
        for override in overrides:
            key, equals, raw = override.partition("=")
            if not equals or not key.strip():
                mistakes.append(f"--set {override}: expected key=value")
                continue
            values[key.strip()] = _toml_value(raw.strip())
        return cls._checked(values, mistakes, where=str(path))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The recipe that `to_dict` wrote; raises RecipeError like `read`."""
        return cls._checked(dict(values), [], where="recipe")

    @classmethod
    def _checked(cls, values: dict[str, Any], mistakes: list[str], where: str) -> Self:
        hints = get_type_hints(cls)
        known = {f.name: f for f in fields(cls)}
        for key in sorted(values.keys() - known.keys()):
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            mistakes.append(f"{key}: no such setting{hint}")
        for name, spec in known.items():
            required = spec.default is MISSING and spec.default_factory is MISSING
            if name not in values:
                if required:
                    mistakes.append(f"{name}: missing; expected {_described(hints[name])}")
            elif not _fits(values[name], hints[name]):
                came = f"{values[name]!r} ({type(values[name]).__name__})"
                mistakes.append(f"{name}: expected {_described(hints[name])}, got {came}")
        usable = {k: v for k, v in values.items() if k in known and _fits(v, hints[k])}
        mistakes += cls._range_mistakes(usable)
        if mistakes:
            count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
            raise RecipeError("\n".join([f"{where}: {count}", *(f"  {m}" for m in mistakes)]))
        frozen: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in usable.items()
        }
        return cls(**frozen)

    @classmethod
    def _range_mistakes(cls, values: Mapping[str, Any]) -> list[str]:
        mistakes = []
        for name, (low, high) in _RANGES.items():
            value = values.get(name)
            if value is not None and not low <= value <= high:
                mistakes.append(f"{name}: expected {low} to {high}, got {value!r}")
        for name in _NOT_EMPTY:
            if name in values and len(values[name]) == 0:
                mistakes.append(f"{name}: expected at least one, got none")
        if "normaliser" in values:
            try:
                Normaliser.from_dict({**_default_normaliser(), **values["normaliser"]})
            except ModelError as error:
                mistakes.append(str(error))
        if values.get("unlabelled") and not values.get("teachers"):
            mistakes.append(
                "unlabelled: expected teachers that tell what these pages are, got none"
            )
        labels = values.get("labels", LABELS)
        if len(set(labels)) != len(labels) or len(labels) < 2:
            mistakes.append(f"labels: expected two or more different names, got {list(labels)}")
        return mistakes

    def make_normaliser(self) -> Normaliser:
        """The normaliser, what the recipe leaves out by default."""
        return Normaliser.from_dict({**_default_normaliser(), **self.normaliser})

    def to_dict(self) -> dict[str, Any]:
        """The settings by name, fit for JSON."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class TrainingRecipe(_Recipe):
    """How a classifier is fine-tuned.

    `encoder` is a folder or a hub id that `AutoModel` loads. `train` and `dev` are files or
    globs of labelled articles; without `dev`, `dev_share` of the paragraphs of `train` are set
    apart for it. Paths are relative to the working directory. One epoch reads every article
    once; `context_dropout` is the share of articles that an epoch reads paragraph by paragraph
    instead of as a page, so that the same weights serve single paragraphs. `batch_tokens` counts
    the padded tokens of a step on one device. `patience` counts evaluations without a better
    macro-F1 on `dev`. `dropout` replaces what the encoder's configuration says. `leaks` says what
    becomes of train articles that share text with `dev`. `notes` is a text file that the model's
    card ends with.

    `teachers` are model folders or globs of them: what they answer, in context and in the mean,
    counts for `teachers_share` of each paragraph's label (Hinton et al. 2015). From
    `unlabelled_pages` pages of `unlabelled`, Parquet or JSON Lines with `title` and `text`, the
    model learns what the teachers say alone (self-training; Xie et al. 2020).
    """

    encoder: str
    train: tuple[str, ...]
    dev: tuple[str, ...] = ()
    dev_share: float = 0.1
    labels: tuple[str, ...] = LABELS
    text_column: str = "text"
    label_column: str = "label"
    context: bool = True
    context_dropout: float = 0.3
    max_tokens: int = 512
    epochs: int = 10
    batch_tokens: int = 4096
    gradient_accumulation: int = 1
    learning_rate: float = 3e-5
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    dropout: float | None = None
    leaks: Literal["refuse", "drop"] = "refuse"
    teachers: tuple[str, ...] = ()
    teachers_share: float = 0.5
    unlabelled: tuple[str, ...] = ()
    unlabelled_pages: int = 20_000
    class_weights: Literal["none", "balanced", "square_root"] = "square_root"
    evaluations_per_epoch: int = 1
    patience: int = 3
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    notes: str = ""


@dataclass(frozen=True, kw_only=True)
class PretrainingRecipe(_Recipe):
    """How an encoder is pretrained from nothing on Parquet or JSON Lines with `title` and `text`.

    `exclude` names labelled corpora whose paragraphs no pretraining page may hold. `tokenizer` is a
    folder that holds one; without it one is trained on the corpora. `embeddings` is where the token
    embeddings start: random, or co-occurrence vectors. The learning rate rises over `warmup_steps`,
    stays, and falls to zero over the last `decay_share` of the steps. `compile` has torch compile
    the encoder, which pays on a GPU.
    """

    corpora: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    tokenizer: str = ""
    vocabulary_size: int = 20_000
    layers: int = 4
    width: int = 256
    heads: int = 4
    feed_forward: int = 512
    global_attention_every: int = 3
    max_positions: int = 1024
    embeddings: Literal["cooccurrence", "random"] = "cooccurrence"
    window_tokens: int = 256
    masking_rate: float = 0.3
    batch_size: int = 16
    steps: int = 3000
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    decay_share: float = 1.0
    weight_decay: float = 0.01
    save_steps: int = 250
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compile: bool = False

    @property
    def tokens(self) -> int:
        """All tokens that are read, repeats counted."""
        return self.steps * self.batch_size * self.window_tokens

    def rate_share(self, step: int) -> float:
        """The share of `learning_rate` at a step, 0 to 1."""
        rise = step / self.warmup_steps if self.warmup_steps else 1.0
        fall = (self.steps - step) / (self.steps * self.decay_share)
        return max(0.0, min(rise, 1.0, fall))


_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**31 - 1),
    "dev_share": (0.01, 0.5),
    "context_dropout": (0.0, 1.0),
    "max_tokens": (16, 8192),
    "epochs": (1, 1000),
    "batch_size": (1, 4096),
    "batch_tokens": (16, 10_000_000),
    "gradient_accumulation": (1, 4096),
    "learning_rate": (1e-8, 1.0),
    "warmup_share": (0.0, 1.0),
    "weight_decay": (0.0, 1.0),
    "label_smoothing": (0.0, 0.5),
    "dropout": (0.0, 0.9),
    "teachers_share": (0.0, 1.0),
    "unlabelled_pages": (1, 100_000_000),
    "evaluations_per_epoch": (1, 1000),
    "patience": (1, 1000),
    "vocabulary_size": (100, 65_535),
    "layers": (1, 48),
    "width": (16, 4096),
    "heads": (1, 64),
    "feed_forward": (16, 16_384),
    "global_attention_every": (1, 48),
    "max_positions": (16, 65_536),
    "window_tokens": (16, 8192),
    "masking_rate": (0.01, 0.9),
    "steps": (1, 100_000_000),
    "warmup_steps": (0, 1_000_000),
    "decay_share": (0.001, 1.0),
    "save_steps": (1, 1_000_000),
}
_NOT_EMPTY = ("name", "encoder", "train", "corpora")


def _toml_value(raw: str) -> Any:  # noqa: ANN401 - TOML's values are of any type
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw  # --set name=trial needs no quotes


def _fits(value: object, hint: Any) -> bool:  # noqa: ANN401 - a type hint
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        item = get_args(hint)[0]
        return isinstance(value, list | tuple) and all(_fits(v, item) for v in value)
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is not None:
        return isinstance(value, Mapping)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def _described(hint: Any) -> str:  # noqa: ANN401 - a type hint
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(repr, get_args(hint)))
    if get_origin(hint) is tuple:
        return f"a list of {get_args(hint)[0].__name__}"
    names = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(hint, "a table")
