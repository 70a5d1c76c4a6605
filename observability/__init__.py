"""What operators see of the app: events, spans and metrics, with secrets and personal data removed."""
