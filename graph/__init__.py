"""Microsoft Graph and Entra ID: the HTTP client, credentials, JSON forms, errors, and the keys of callbacks."""
