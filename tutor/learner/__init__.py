"""The learner: what was answered, where they are, and how it is kept safe on disk.

Knows nothing of Textual or torch. `progress` is the door; `review_log` and `storage` are behind it.
"""
