"""The command palette, which finds an action, screen, lesson, lab or term by its name."""
