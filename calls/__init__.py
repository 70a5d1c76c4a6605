"""The call itself: started or joined, kept alive, listed, watched on its page, and ended."""
