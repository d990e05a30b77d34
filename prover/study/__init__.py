"""A study: members, strategies, shapes, budgets and seeds against each other on one benchmark."""
