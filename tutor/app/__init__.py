"""The Textual app. It shows what the engine computes, and never imports torch."""

import os

# The maximum frame rate of Textual. At its default of 60, the effect of a key pressed while the
# model runs could appear a sixtieth of a second late.
os.environ.setdefault("TEXTUAL_FPS", "120")
