"""One file an action. The file name is the registration; the contract is in alerts/act.py."""
