"""Microsoft Graph, outside our walls: clouds, credentials, the HTTP client, its wire forms and its errors."""
