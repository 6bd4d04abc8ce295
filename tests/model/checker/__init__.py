"""A checker that walks every state which one account, one host and an unreliable network can come to.

Each decision is the product's own function: the table of `libs.domain` for the scheduler, `moves` for the agent,
`answers` and `said_by` between them. `rules` names them all, and a variant replaces one by a weaker one, which the
checker must catch. What is modelled around them is what a function cannot decide: which message comes when, and what
goes wrong.

A message that was sent may arrive any number of times, in any order, or never: that one rule covers loss, duplication,
reordering, redelivery by the broker and lost acknowledgements. A password is a name; a generation is the product's own.
Nothing is drawn at random and nothing is sampled: `explore` goes breadth first through everything, so what it prints is
a shortest way to what must never be.
"""
