"""The verbs of the command `armonica`, by subject: what makes runs, what shows them."""
