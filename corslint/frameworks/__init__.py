"""What the calls of libraries mean: one YAML descriptor per library, and the loader that checks them."""
