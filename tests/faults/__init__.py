"""The fault harness: what goes wrong on purpose, what was seen meanwhile, and whether the promises held."""
