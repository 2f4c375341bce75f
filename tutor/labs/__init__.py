"""What a learner can do in each lab, and what counts as having done it: no screen, no torch.

Each module is one lab. Its `LAB` says how the lab starts, what an action makes of its state, which
question the state has for the model, and what the answer makes of the state (`tutor.labs.lab`).
The questions are answered in the engine's process (`tutor.workbench`), the state is drawn by a
view (`tutor.app.lab`), and `tutor lint` does the whole lab without either.
"""
