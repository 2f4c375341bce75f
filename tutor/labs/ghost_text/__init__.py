"""The lab "Ghost text", an editor in which the model completes lines of code."""
