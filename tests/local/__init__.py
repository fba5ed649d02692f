"""What stands in for AWS on one machine: its events, its gateway, its supervisor, its databases."""
