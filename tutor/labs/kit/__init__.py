"""The framework that every lab is built with, and code that several labs share."""
