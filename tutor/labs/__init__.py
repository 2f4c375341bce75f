"""Contains the labs, one package each, and the kit that they are built with.

A lab's `lab.py` defines its state, actions and goals, and needs neither a screen nor torch. Its
`backend.py` responds to the lab's requests in the engine's process. Its `view.py` draws the state.
"""
