"""Decides, tells, acts, reports."""
