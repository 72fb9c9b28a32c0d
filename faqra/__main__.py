"""`python -m faqra` is the command `faqra`."""

import sys

from faqra.cli import main

if __name__ == "__main__":
    sys.exit(main())
