"""What is true: frozen nouns. Imports nothing of ours."""
