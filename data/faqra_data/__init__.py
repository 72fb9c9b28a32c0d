"""What is read: pages, their paragraphs, labelled corpora, splits and annotations."""
