"""Servers on loopback that speak the protocols of X, Reddit and Slack, with their limits and errors."""
