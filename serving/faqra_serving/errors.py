"""What a caller did wrong, or what the service cannot do now, as HTTP says it.

Every error of the service is one object, `{"error": {"code", "message", "field"?}}`.
"""

from typing import Any

from faqra_data.errors import FaqraError


class RequestError(FaqraError):
    """A request that is not answered; `status` is HTTP's, `code` a word for programs.

    `field` names the part of the request that is at fault, `retry_after_s` says when to ask again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field
        self.retry_after_s = retry_after_s

    def body(self) -> dict[str, Any]:
        """The one shape of errors."""
        error = {"code": self.code, "message": str(self)}
        if self.field is not None:
            error["field"] = self.field
        return {"error": error}


def too_busy(retry_after_s: int) -> RequestError:
    """The queue is full."""
    return RequestError(
        429,
        "too_busy",
        f"the service has more to do than it can queue; ask again in {retry_after_s} s",
        retry_after_s=retry_after_s,
    )


def stopping() -> RequestError:
    """The service takes no more work."""
    return RequestError(503, "stopping", "the service is stopping; ask another one")


def too_late(deadline_s: float) -> RequestError:
    """The answer was not ready in time."""
    return RequestError(
        503,
        "deadline",
        f"no answer within {deadline_s:g} s; ask again or ask for less",
        retry_after_s=1,
    )
