"""Who is called next: people are called step by step until somebody joins."""
