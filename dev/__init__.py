"""The rest of one machine: a small Functions host, Azurite, and the demo. The app itself never imports it."""
