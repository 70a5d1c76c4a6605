"""The demo: Azurite, a simulated Microsoft Graph and the app, and the documented uses of inviting played on them."""
