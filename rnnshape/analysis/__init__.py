"""What is done with layers once they are described: comparing them, expecting things of them."""
