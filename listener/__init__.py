"""Hears and keeps: collectors, mentions, the clock, and the commands."""
