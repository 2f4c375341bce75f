"""The "Why this token?" lab, which splits a logit into the parts that produced it."""
