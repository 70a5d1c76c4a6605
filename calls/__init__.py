"""The call itself: started or joined, kept alive, watched, and ended."""
