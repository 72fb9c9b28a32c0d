"""What the command says beside its results: one line at a time, on stderr.

Nothing here goes to stdout, which belongs to the results.
"""

import re
import sys

# A file name may hold line ends and what steers a terminal; so may a value from a row.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def say(message: str, *details: str) -> None:
    """Print one line for the user, and a line for each of its details below it.

    Whatever a file name or a row brings along stays inside its line and steers no terminal.
    """
    encoding = sys.stderr.encoding or "utf-8"
    for line in (f"faqra: {message}", *details):
        printable = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], line)
        printable = printable.encode("utf-8", "backslashreplace").decode("utf-8")
        printable = printable.encode(encoding, "backslashreplace").decode(encoding)
        print(printable, file=sys.stderr)  # noqa: T201 - the command's voice
