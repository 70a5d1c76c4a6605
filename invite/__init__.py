"""An invitation goes out: the request and its rules, its key, its splitting, its sending."""
