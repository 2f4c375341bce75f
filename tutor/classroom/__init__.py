"""Support a class of learners: reports for the teacher, and lessons that are due."""
