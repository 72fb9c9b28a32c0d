"""`faqra export`: a model folder that answers without torch, or that the service can be told of.

This module does not know how a graph is made (`faqra_models.export`), nor what the BentoML store
is (`faqra_models.store`).
"""

import argparse
from pathlib import Path

from faqra.extras import needing, without_warnings
from faqra.voice import say

# As in faqra_models.export, which is slow to import.
QUANTISATIONS = ("int8", "none")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare `faqra export`."""
    parser = subparsers.add_parser(
        "export",
        help="write model.onnx into a model folder, or put it into the BentoML store",
        description="Writes model.onnx into a model folder, checks it against torch and seals the "
        "folder anew. With --bento, copies the folder into the BentoML store instead, where "
        "'faqra serve --model NAME:VERSION' finds it.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="model folder or run folder")
    parser.add_argument(
        "--quantise",
        choices=QUANTISATIONS,
        default="int8",
        help="weights in 8 bits, or as they are (default: int8)",
    )
    parser.add_argument(
        "--half-weights",
        action="store_true",
        help="store the torch weights beside it in bfloat16, half the size",
    )
    parser.add_argument(
        "--bento",
        metavar="NAME",
        help="copy the folder into the BentoML store, as NAME or NAME:VERSION",
    )


def run(args: argparse.Namespace) -> int:
    """Export the model that the command line names."""
    if args.bento is not None:
        from faqra_models import store  # noqa: PLC0415 - other commands wait for none of it

        with without_warnings():
            tag = store.put(args.model, args.bento)
        say(f"{tag}: in the BentoML store; serve it with 'faqra serve --model {tag}'")
        return 0
    with without_warnings():
        with needing("train", "Exporting"):
            from faqra_models.export import (  # noqa: PLC0415 - seconds to import
                export_onnx,
                halve_weights,
            )

        if args.half_weights:
            halve_weights(args.model)
        exported = export_onnx(args.model, args.quantise)
    say(
        f"{exported.path}: {exported.size_bytes / 1e6:.1f} MB; its probabilities differ from "
        f"torch's by {exported.largest_difference:.4f} at most on random tokens"
    )
    return 0
