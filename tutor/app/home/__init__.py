"""The course map, the tour, and reading the course in the background."""
