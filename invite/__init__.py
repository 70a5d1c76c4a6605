"""An invitation goes out: its request and rules, its key, its splitting, its sending, the flows that wait."""
