"""The Textual app. It displays what the engine computes, and never imports torch."""

import os

# This sets Textual's maximum frame rate. At the default of 60 frames per second, the screen could
# respond to a key one sixtieth of a second late while the model runs.
os.environ.setdefault("TEXTUAL_FPS", "120")
