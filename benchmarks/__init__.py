"""What rnnshape costs to run, as ratios to what a person would run instead."""
