"""Real Linux servers on one machine, for tests and the demo, without a container engine.

A host of the lab has a copy-on-write root over the machine's own, its own hostname, accounts, processes, memory limit
and network, real systemd as process 1, and a firewall that lets nothing in. It boots in about a second. A lab is a
folder: its path gives the lab's names, so labs of two folders never meet.

`lab.Lab` is the place to begin; `python -m tests.lab` is the same for people.
"""
