"""Who is called next: people are called step by step until a person joins."""
