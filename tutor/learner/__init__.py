"""The learner: their answers, their place in each lesson, and how these are stored safely.

This package imports neither Textual nor torch. Other packages use `progress`; the modules
`review_log` and `storage` belong to it.
"""
