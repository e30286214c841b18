"""What programs wait for."""
