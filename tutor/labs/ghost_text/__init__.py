"""The "Ghost text" lab, an editor in which the model completes lines of code."""
