"""The subcommands of `faqra`, one module each; `faqra.cli` lists them."""
