"""How the classifier is served."""
