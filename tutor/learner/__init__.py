"""Store and read a learner's data: answers, the place in each lesson, and settings.

This package imports neither Textual nor torch. Other packages read and save progress through
`progress`; the modules `review_log` and `storage` are internal.
"""
