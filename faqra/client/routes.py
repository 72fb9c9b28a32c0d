"""The routes that label something: the JSON that they take, and how their rows are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faqra.client.answers import (
    Json,
    ServiceError,
    error_in,
    paragraph,
    paragraphs_of,
    said,
    understanding,
)
from faqra.client.pieces import Piece
from faqra_models.prediction import ParagraphPrediction


@dataclass(frozen=True)
class Route:
    """A route that takes a list and gives one of the same length, whose rows `read` reads."""

    path: str
    takes: str
    gives: str
    read: Callable[[Json], list[ParagraphPrediction]]

    def body(self, pieces: Sequence[Piece]) -> bytes:
        """The request for these pieces."""
        return b'{"%s":[%s]}' % (self.takes.encode(), b",".join(piece.body for piece in pieces))


def read(where: str, route: Route, piece: Piece, row: Json) -> list[ParagraphPrediction]:
    """The predictions for a piece; an error that stands in their place is raised."""
    error = error_in(row)
    if error:
        name = piece.name
        if piece.load.articles and piece.longest and error["code"] == "paragraph_too_long":
            name += f", {piece.longest}"
        raise ServiceError(
            f"{name}: {said(error)}",
            status=200,
            code=error["code"],
            # As the paragraph was numbered by the caller, not in the request.
            field=piece.longest or error.get("field"),
        )
    with understanding(where, row):
        found = route.read(row)
        asked = piece.load.paragraphs
        if asked and len(found) != asked:  # of a page, the service finds the paragraphs
            raise ValueError(f"{len(found)} answers to {asked} paragraphs")
    return found


CLASSIFY = Route("/v1/classify", "paragraphs", "predictions", lambda row: [paragraph(row)])
ARTICLES = Route("/v1/articles", "articles", "articles", paragraphs_of)
