"""`python -m core`: the commands of the terminal."""
