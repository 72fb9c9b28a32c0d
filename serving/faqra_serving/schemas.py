"""What goes over the wire, as pydantic models: requests checked strictly, answers typed.

Field names and shapes are the contract with callers. This module does not know the model.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(strict=True)]
# The first mistake is told; to look for a million more would take a minute of everybody's time.
Texts = Annotated[list[Text], Field(fail_fast=True)]


class _Request(BaseModel):
    """Strict: a number is no text, and a misspelt field is told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _one_unknown(cls, given: Any) -> Any:  # noqa: ANN401 - whatever came
        """What came, with no more than one of the fields that there are not."""
        if not isinstance(given, dict):
            return given
        unknown = [name for name in given if name not in cls.model_fields]
        return {
            name: given[name] for name in given if name in cls.model_fields or name in unknown[:1]
        }


class ClassifyRequest(_Request):
    """Paragraphs, each by itself or, with `context`, as one article in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "paragraphs": [
                        "وقال وزير الموارد المائية إن الإصلاحات ستنتهي خلال أسبوع.",
                        "اقرأ أيضًا: أسعار صرف العملات اليوم",
                    ],
                    "context": False,
                }
            ]
        }
    )
    paragraphs: Texts
    context: bool = False


_PAGE_TYPES = {"text": "string", "html": "string", "paragraphs": "array"}


class ArticleRequest(_Request):
    """One page: its text, its HTML or its paragraphs, one of the three."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": [given],
                    "properties": {
                        name: {"type": kind if name == given else "null"}
                        for name, kind in _PAGE_TYPES.items()
                    },
                }
                for given in _PAGE_TYPES
            ]
        }
    )
    id: Text | None = None
    title: Text = ""
    text: Text | None = None
    html: Text | None = None
    paragraphs: Texts | None = None

    @model_validator(mode="after")
    def _one_of_three(self) -> "ArticleRequest":
        given = [name for name in _PAGE_TYPES if getattr(self, name) is not None]
        if len(given) != 1:
            came = " and ".join(given) or "none"
            raise ValueError(f"expected one of text, html and paragraphs, got {came}")
        return self


class ArticlesRequest(_Request):
    """Pages, each judged as a whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "articles": [
                        {
                            "id": "1",
                            "text": "انقطعت المياه عن أحياء المدينة منذ فجر أمس.\n"
                            "وقال وزير الموارد المائية إن الإصلاحات ستنتهي خلال أسبوع.",
                        }
                    ]
                }
            ]
        }
    )
    articles: Annotated[list[ArticleRequest], Field(fail_fast=True)]


class PredictRequest(BaseModel):
    """The shape of text-embeddings-inference; what else its clients send is ignored.

    Two strings are two texts, never a pair.
    """

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={"examples": [{"inputs": ["اقرأ أيضًا: أسعار صرف العملات اليوم"]}]},
    )
    inputs: Text | Texts
    raw_scores: bool = False
    truncate: bool | None = None


class InfinityRequest(BaseModel):
    """The shape of infinity; what else its clients send is ignored."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={"examples": [{"input": ["اقرأ أيضًا: أسعار صرف العملات اليوم"]}]},
    )
    input: Texts
    model: Text = ""
    raw_scores: bool = False


class ErrorDetail(BaseModel):
    """A word for programs, a sentence for people, and the field that is at fault."""

    code: str
    message: str
    field: str | None = Field(default=None, exclude_if=lambda value: value is None)


class ErrorAnswer(BaseModel):
    """Every error of the service."""

    error: ErrorDetail


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    digest: str
    labels: list[str]


class PredictionAnswer(BaseModel):
    """What one paragraph is."""

    label: str
    confidence: float
    probabilities: dict[str, float]
    truncated: bool


class ParagraphAnswer(PredictionAnswer):
    """A paragraph of a page; offsets point into `text`, or the visible text of `html`."""

    index: int
    start: int | None
    end: int | None
    text: str


class ClassifyAnswer(BaseModel):
    """A prediction or an error for each paragraph, in the order of the request."""

    model: ModelName
    predictions: list[PredictionAnswer | ErrorAnswer]


class ArticleAnswer(BaseModel):
    """The paragraphs of one page."""

    id: str
    paragraphs: list[ParagraphAnswer]


class ArticleError(ErrorAnswer):
    """Why one page has no answer."""

    id: str


class ArticlesAnswer(BaseModel):
    """The pages in the order of the request."""

    model: ModelName
    articles: list[ArticleAnswer | ArticleError]


class LabelScore(BaseModel):
    """One label and its score."""

    label: str
    score: float


class Usage(BaseModel):
    """Tokens that the model read."""

    prompt_tokens: int
    total_tokens: int


class InfinityAnswer(BaseModel):
    """infinity's answer: for each text all labels, the likeliest first."""

    object: Literal["classify"] = "classify"
    data: list[list[LabelScore]]
    model: str
    usage: Usage
    id: str
    created: int


class LimitsAnswer(BaseModel):
    """What one request may ask."""

    body_bytes: int
    paragraphs: int
    articles: int
    characters: int
    paragraph_characters: int
    deadline_s: int


class ModelAnswer(ModelName):
    """All that is known of the model."""

    faqra: str
    max_tokens: int
    context: bool
    temperature: float
    limits: LimitsAnswer
    scores: dict[str, Any]
    history: dict[str, Any]
