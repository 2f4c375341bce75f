"""The labs, one package each, and the kit that they share.

A lab's `lab.py` defines its state, its actions and its goals, and imports neither torch nor
Textual. Its `backend.py` runs in the engine's process and answers the lab's requests with the
model. Its `view.py` draws the state and handles keys.
"""
