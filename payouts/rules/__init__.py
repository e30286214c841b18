"""The arithmetic of commission and of the statements that pay it; pure."""
