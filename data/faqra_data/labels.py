"""The four labels, in the order of their ids; `GUIDELINES.md` beside this package defines them.

A model may carry another label set; everything reads a model's labels from the model. These
names are the default of what is trained and annotated here.
"""

LABELS = ("factual_report", "official_quote", "editorial_commentary", "boilerplate")
