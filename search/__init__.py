"""Search strategies. Knows nothing of Lean or torch: it is given an engine session and a policy."""
