"""Run the whole course as lines of text, without a screen: `tutor --plain`.

The course is a set of places (`place`), such as the course map, a lesson or a lab. Each place
prints text and offers commands, and one loop (`loop`) reads lines and runs the commands. Nothing
here uses Textual. Progress is recorded in the same way as in the app.
"""
