"""The doctor: checks everything that the app needs and that can be seen from outside, and names the fix."""
