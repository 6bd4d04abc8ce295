"""Two authorities with distinct key usages: one for servers, one for agents. Neither vouches for the other's kind."""
