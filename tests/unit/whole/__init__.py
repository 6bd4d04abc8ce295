"""Gateway, scheduler, bundler and agent, the real code, in one process on twins."""
