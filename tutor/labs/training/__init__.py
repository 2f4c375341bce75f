"""The lab "Training", in which a small GPT is trained."""
