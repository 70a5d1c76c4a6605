"""A report comes in: token validation, the payload's meaning, applying it to what is known of the call."""
