"""The whole course as lines of text, without a screen: `tutor --plain`.

Each place of the course (`place`) says where the learner is and has commands, and one loop (`loop`)
reads lines and runs them. Nothing here uses Textual. Progress is recorded as the app records it.
"""
