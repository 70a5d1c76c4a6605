"""Pure state and its transitions: no input, no output, standard library only."""
