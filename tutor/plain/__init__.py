"""Plain mode (`tutor --plain`): the whole course as lines of text, without a screen.

Each part of the course, such as the course map, a lesson or a lab, is a `Place`. A place prints
text and offers commands, and a loop (`tutor.plain.loop`) reads lines from the learner and runs the
commands. Nothing here uses Textual. Progress is recorded in the same way as in the app.
"""
