"""What admins edit (five TOML files) and the code that checks it."""
