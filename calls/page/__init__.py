"""The page on which people watch a call: one static file, and the headers it is served with."""
