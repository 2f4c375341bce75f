"""The screen: a Textual app that shows what the other layers know. It never imports torch."""
