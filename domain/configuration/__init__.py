"""What each part of the configuration must be: pure functions of the environment, which collect every fault."""
