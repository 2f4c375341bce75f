"""The files with a learner's work in labs."""
