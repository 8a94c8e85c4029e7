"""Benchmarks: ratios to a peer or a floor in the same run. ``python -m benchmarks [NAME…]`` runs them."""
