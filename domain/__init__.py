"""Pure state and its transitions, and what the configuration must be: no input, no output, standard library only."""
