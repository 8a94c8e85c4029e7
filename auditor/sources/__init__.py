"""Where models come from: every source gives the same kind of snapshot."""
