"""Store a learner's work in labs."""
