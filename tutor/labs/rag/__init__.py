"""The lab "Ask about this course"."""
