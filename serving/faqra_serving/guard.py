"""What stands before the routes: who may ask, how much, in what form, and who is told of it.

An ASGI middleware. It reads the whole body, no more of it than allowed, before a route is
called, so that a slow or broken sender takes a connection and nothing else. Logs hold ids,
sizes and times, never a text.
"""

import asyncio
import hmac
import json
import logging
import re
import time
import uuid
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from faqra_serving.errors import RequestError
from faqra_serving.limits import Limits
from faqra_serving.metrics import Metrics

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REQUEST_ID = "X-Request-ID"
_logger = logging.getLogger("faqra.serving")
_OPEN_PATHS = frozenset({"/", "/docs.json"})
_STATIC = "/static/"
_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class Guard:
    """Wraps an application; see the head of this module."""

    def __init__(
        self,
        app: Application,
        *,
        limits: Limits,
        metrics: Callable[[], Metrics | None],
        methods_of: Callable[[str], set[str]],
        admit: Callable[[str, bytes], None] = lambda _path, _body: None,
        api_key: str = "",
    ) -> None:
        """`metrics` gives them once there are any; without `api_key` anybody may ask.

        `methods_of` a path are those that it has a route for; what else is posted is not read.
        `admit` raises RequestError where a body need not be looked at, as all are too busy.
        """
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._methods_of = methods_of
        self._admit = admit
        self._key = api_key.strip().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            self._check_key(scope, headers)
            if scope["method"] == "POST" and "POST" in self._methods_of(scope["path"]):
                body = await self._body(headers, receive)
                self._admit(scope["path"], body)
                receive = _replayed(body, receive)
        except RequestError as error:
            self.reject(error)
            await error_response(error)(scope, receive, noting)
        else:
            await self._app(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - began
            self._note(scope, request_id, status, seconds)

    def reject(self, error: RequestError) -> None:
        """Count an error that a caller is told."""
        metrics = self._metrics()
        if metrics is not None:
            metrics.count_rejected(error.code)

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        path = scope["path"]
        if not self._key or path in _OPEN_PATHS or path.startswith(_STATIC):
            return
        scheme, _, key = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(key.strip().encode(), self._key):
            raise RequestError(
                401,
                "unauthorized",
                "expected the header 'Authorization: Bearer KEY' with the service's key",
            )

    async def _body(self, headers: Headers, receive: Receive) -> bytes:
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise RequestError(
                415,
                "unsupported_media_type",
                f"expected Content-Type application/json, got {kind or 'none'}",
            )
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            raise RequestError(
                415,
                "unsupported_encoding",
                f"expected Content-Encoding gzip or none, got {encoding}",
            )
        try:
            async with asyncio.timeout(self._limits.deadline_s):
                body = await self._read(headers, receive)
        except TimeoutError as error:
            raise RequestError(
                400, "incomplete_body", f"the body did not come within {self._limits.deadline_s} s"
            ) from error
        return self._unpacked(body) if encoding == "gzip" else body

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        said = headers.get("Content-Length", "")
        if said.isdigit() and int(said) > self._limits.body_bytes:
            raise self._too_large()
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestError(400, "incomplete_body", "the connection ended within the body")
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > self._limits.body_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return b"".join(pieces)

    def _unpacked(self, body: bytes) -> bytes:
        reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            unpacked = reader.decompress(body, self._limits.body_bytes + 1)
        except zlib.error as error:
            raise RequestError(400, "broken_gzip", f"the body is no gzip: {error}") from error
        if len(unpacked) > self._limits.body_bytes:
            raise self._too_large()
        if not reader.eof:
            raise RequestError(400, "broken_gzip", "the gzip body breaks off")
        return unpacked

    def _too_large(self) -> RequestError:
        return RequestError(
            413,
            "body_too_large",
            f"expected a body of at most {self._limits.body_bytes:,} bytes; send it in parts",
        )

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        metrics = self._metrics()
        if metrics is not None:
            metrics.count_request(route, status, seconds)
        entry = {
            "event": "request",
            "id": request_id,
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            **scope.get("state", {}).get("noted", {}),
        }
        _logger.info(json.dumps(entry))


def error_response(error: RequestError) -> JSONResponse:
    """An error as the answer that a caller gets."""
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error.body(), error.status, headers)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A channel that gives the body that was read, and then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
