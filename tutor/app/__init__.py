"""The screen: a Textual app that shows what the other layers know. It never imports torch."""

import os

# Textual paints at most so many times a second. While the model runs, a key would wait for up to a
# sixtieth of a second until its turn comes.
os.environ.setdefault("TEXTUAL_FPS", "120")
