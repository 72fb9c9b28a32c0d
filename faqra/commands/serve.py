"""`faqra serve`: the prediction service on this machine.

Hands over to BentoML's own server; this module does not know what it serves
(`faqra_serving.service`).
"""

import argparse
import os
import sys

from faqra.extras import needing, without_warnings

_EXAMPLES = """\
examples:
  faqra serve                                        the bundled model on port 3000
  faqra serve --model runs/trial --port 8080
  faqra serve --model my-model:v2 --workers 4        a model of the BentoML store

Then open http://localhost:3000, or
  curl localhost:3000/v1/classify -H 'Content-Type: application/json' -d '{"paragraphs": ["..."]}'

Set FAQRA_API_KEY to have callers send it as 'Authorization: Bearer KEY'.
"""
_SERVICE = "faqra_serving.service:FaqraService"
_LONGEST_STOP_S = 60


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra serve`."""
    parser = subparsers.add_parser(
        "serve",
        help="answer over HTTP, with a page for people",
        description="Serves a model with BentoML until it is stopped; what was accepted is "
        "finished first.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", metavar="REF", help="model folder, hub id or Bento tag (default: bundled)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=3000, help="port (default: %(default)s)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")


def run(args: argparse.Namespace) -> int:
    """Become the server."""
    from faqra_models.loading import load_classifier  # noqa: PLC0415 - other commands wait for none of it

    # What is missing or wrong is said here, once, not by each worker again and again: a package,
    # a limit in the environment, a model that cannot be served.
    with without_warnings(), needing("serve", "Serving"):
        import faqra_serving.service  # noqa: F401, PLC0415
    load_classifier(args.model)
    environment = {**os.environ, "BENTOML_DO_NOT_TRACK": "True"}
    if args.model is not None:
        environment["FAQRA_MODEL"] = args.model
    if args.workers is not None:
        environment["FAQRA_WORKERS"] = str(args.workers)
    command = [sys.executable, "-m", "bentoml", "serve", _SERVICE]
    options = {"--host": args.host, "--port": args.port}
    options["--timeout-graceful-shutdown"] = _LONGEST_STOP_S
    words = [str(word) for option in options.items() for word in option]
    os.execve(sys.executable, [*command, *words], environment)
