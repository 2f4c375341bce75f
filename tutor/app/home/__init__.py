"""The course map, the tour, and the background task that reads the course."""
