"""A command called in a way that cannot work: exit code 2, as for argparse's own complaints.

This module does not know which commands there are.
"""

from faqra_data.errors import FaqraError


class UsageError(FaqraError):
    """The command line asks for something impossible; nothing was done."""
