"""What the doctor looks at on Graph's side; each check returns findings and raises nothing that it can explain."""
