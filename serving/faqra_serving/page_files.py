"""The page for people: its parts as files, asked for anew each time."""

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

_PAGE = Path(__file__).parent / "page"
# After an upgrade no browser may put old and new parts together; no other site may frame the page.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class PageFiles(StaticFiles):
    """The page's parts, with their headers."""

    def __init__(self) -> None:
        super().__init__(directory=_PAGE)

    def file_response(self, *args: Any, **options: Any) -> Response:  # noqa: ANN401 - Starlette's
        """One part."""
        response = super().file_response(*args, **options)
        response.headers.update(_HEADERS)
        return response


def front_page() -> FileResponse:
    """The page itself."""
    return FileResponse(_PAGE / "index.html", headers=_HEADERS)
