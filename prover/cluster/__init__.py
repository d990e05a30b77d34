"""A run on many machines with Ray (the extra ray).

Theorems go out from the process that was started, and their results come back to it: it alone writes the store. On
every node there are Lean pools with the searches that use them (lean_pool.py), and on every GPU a copy of a model
(replicas.py). cluster.py places them, hands out the theorems, and sees to nodes that join and nodes that are lost.
Strategies, policies and engines are those of a run on one machine.
"""
