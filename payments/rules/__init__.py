"""The arithmetic of money in: how it is spread and which money settles what; pure."""
