"""The lab "Why this token?", which splits a logit into the parts that produced it."""
