"""How faqra's models are learned: recipes, training, evaluation, baselines, pretraining."""
