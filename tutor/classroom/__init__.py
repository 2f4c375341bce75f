"""Support a class of learners, with reports for the teacher and due dates for lessons."""
