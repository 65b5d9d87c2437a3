"""Reads: text in, Reading out. Only read.py touches the database."""
