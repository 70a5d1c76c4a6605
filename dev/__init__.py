"""What is never deployed: simulator, local Functions host, Azurite, demo, doctor, benchmarks, builds."""
