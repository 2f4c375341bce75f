"""Check the statements about the model in an author's lesson.

    claims       finds the statements of a lesson, and reports the wrong ones
    ask          computes the model's answers in exact arithmetic
    measured     computes numbers from many prompts, a formula, or a recorded run
    attempt      runs a lab's solution with the stepper's code
    kept_answers stores the answers of earlier runs
    rounding     decides whether a quoted number matches the computed number

This package uses the stepper of the app without its screen. It imports torch only if there is
something to compute.
"""
