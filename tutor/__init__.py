"""tutor: learn what a large language model is by taking a real one apart, in a terminal."""

__version__ = "0.1.0"
