"""How results leave the command: one module a format behind one Protocol.

Writers put bytes on an open stream; they know nothing of files, models or the command line.
"""
