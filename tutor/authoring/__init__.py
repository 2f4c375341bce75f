"""Check what an author's lesson says about the model.

    claims       the claims of a lesson, and the findings about them
    ask          the model's answers, computed in exact arithmetic
    measured     numbers from many prompts, a formula, or a recorded run
    attempt      completing a lab with its solution, using the stepper's code
    kept_answers the stored answers of earlier runs
    rounding     whether a quoted number matches the computed number

This package uses the stepper of the app, but not its screen. It imports torch only when there is
something to compute.
"""
