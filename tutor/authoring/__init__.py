"""What an author's lesson says about the model, asked of the model itself.

    claims      what is to be asked about a lesson, and what there is to say about the answers
    ask         the answers, computed with the model in exact arithmetic
    measured    figures over many prompts, by a formula, or from a recorded run
    attempt     a lab done as its solution says, by the same code that the stepper is made of
    memory      the answers of earlier runs
    rounding    whether a number that a text quotes is the number that was computed

Stands above the app, whose stepper it uses (not its screen), and imports torch only once there is
something to compute.
"""
