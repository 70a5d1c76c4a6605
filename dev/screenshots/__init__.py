"""Pictures of the page on which people watch a call: example calls, a server that shows them, and a browser."""
