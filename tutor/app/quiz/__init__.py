"""The quiz screens, and a widget for each type of answer."""
