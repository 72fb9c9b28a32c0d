"""What the command says beside its results: one line at a time, on stderr.

Nothing here goes to stdout, which belongs to the results.
"""

import sys


def say(message: str) -> None:
    """Print one line for the user; a file name with bytes that are no text does not stop it."""
    printable = message.encode("utf-8", "backslashreplace").decode("utf-8")
    encoding = sys.stderr.encoding or "utf-8"
    printable = printable.encode(encoding, "backslashreplace").decode(encoding)
    print(f"faqra: {printable}", file=sys.stderr)  # noqa: T201 - the command's voice
