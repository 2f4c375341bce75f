"""The "Training" lab, in which a small GPT is trained."""
