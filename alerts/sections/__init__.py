"""One file a section of the weekly summary. The file name is the registration; the contract is in alerts/report.py."""
