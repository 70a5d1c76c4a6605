"""The demo: Azurite, a simulated Microsoft Graph and the app, and uses of both played on them."""
