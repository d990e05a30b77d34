"""Where tactics come from."""
