"""The tests; transcripts.py runs what the documentation shows."""
