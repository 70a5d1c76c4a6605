"""What invitations and notifications share: state as pure functions, its Table Storage, how a flow waits."""
