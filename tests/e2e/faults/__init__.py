"""Faults on the real process tree: each experiment breaks one thing at one moment of a reset, heals it, and then checks
that no password was lost, that nothing shown is untrue, and that nothing is left open.

    experiment.py     what an experiment is: a fault, a place, a process, and what it does
    catalogue.py      all of them, and the sample that the tests run
    ground.py         one installation for all of them, and how it is healed
    failpoints.py     the steps named in the code, made to kill, stop, fail
    wires.py front.py what lies between two processes: cut, slow, silent, or answering in the server's place
    trial.py          one account, what was asked for it and what came of that
    invariants.py     what must hold afterwards

`python -m tests.e2e.faults` runs them and prints a table.
"""
