"""What is said about a result, and in which words, whatever the format."""
