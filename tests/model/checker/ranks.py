"""Whose turn it is, once nothing goes wrong any more: of all steps of a state the fair one is of the lowest rank.

The host ends what it began, the server takes up what was said, the mail goes round, a lease ends only where no answer
came, and the next contact comes when all is quiet. What is neither needed nor certain is nobody's turn: a person's
wish, a message that comes twice or late, a tool that might apply before it is ended, a fault.
"""

from enum import IntEnum


class Rank(IntEnum):
    HOST = 0
    LEARN = 1
    ANSWER = 2
    LAY_OUT = 3
    FETCH = 4
    JOB = 5
    LEASE = 6
    BEGIN = 7
    CONTACT = 8
    NOBODY = 9
