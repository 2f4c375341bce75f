"""What every lab is built with, and what several labs share."""
