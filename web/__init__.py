"""HTTP without the use cases: requests, responses, the error tree, ids in paths, sign-in, health."""
