"""What is done with described layers: comparing, checking, fitting them to a budget."""
