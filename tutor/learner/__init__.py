"""Store a learner's data: answers, the position in each lesson, and settings.

Other packages read and save progress through the `progress` module. The modules `review_log` and
`storage` are internal. This package imports neither Textual nor torch.
"""
