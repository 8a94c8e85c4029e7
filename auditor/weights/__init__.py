"""Tensor tables out of weight-file headers, and which files of a repository would be loaded."""
