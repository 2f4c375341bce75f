"""Check with the model what an author's lesson says about it.

    claims       the claims of a lesson, and findings about the model's answers
    ask          the answers, computed with the model in exact arithmetic
    measured     figures over many prompts, by a formula, or from a recorded run
    attempt      a lab done by its solution, with the code of the stepper
    kept_answers the answers of earlier runs
    rounding     whether a number that a text quotes is the number that was computed

This package is above the app, whose stepper it uses (but not its screen), and imports torch only
when there is something to compute.
"""
