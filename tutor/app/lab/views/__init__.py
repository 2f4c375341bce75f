"""What each lab looks like. The module has the name of the lab's; its `VIEW` is the widget."""
