"""The command palette, which finds any action, screen, lesson, lab or term by its name."""
