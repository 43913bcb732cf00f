"""What is said of a result, in which words: the only home of words, whatever the format."""
