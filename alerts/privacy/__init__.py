"""The privacy check: what a public reply must not say. check.py decides; the rest is what it looks with."""
