"""What operators see: events, spans, metrics, and the redaction of all of them."""
