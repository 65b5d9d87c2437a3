"""One file a place. The file name is the registration; the contract is in listener/collect.py."""
