"""The Textual app. It shows what the other layers compute, and never imports torch."""

import os

# Textual's highest frame rate. At its default of 60, a key pressed while the model runs could wait
# a sixtieth of a second before its effect is painted.
os.environ.setdefault("TEXTUAL_FPS", "120")
