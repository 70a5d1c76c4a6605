"""A local Functions host: runs the app on one machine, its triggers as they behave in Azure."""
