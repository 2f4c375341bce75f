"""The "Adviser" lab, which ranks options for a task by how well they meet the learner's needs."""
