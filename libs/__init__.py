"""What services, agent and command share; imports go down only."""
