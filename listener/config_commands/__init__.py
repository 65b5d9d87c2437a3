"""One file a command of call-light config; listener/cli_config.py names them all."""
