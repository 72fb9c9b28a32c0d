"""What is learned and how it answers: model folders, encoding, backends, the classifier."""
