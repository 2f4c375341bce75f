"""The "Adviser" lab, which ranks ways to solve a task by the learner's needs."""
