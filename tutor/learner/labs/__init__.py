"""What a learner did in labs."""
