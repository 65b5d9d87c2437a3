"""One file a kind of message. The file name is the registration; the contract is in alerts/deliver.py."""
