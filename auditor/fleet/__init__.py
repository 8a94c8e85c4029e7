"""Many models: the fleet file, scanning, the store, and what it all adds up to."""
