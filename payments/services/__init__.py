"""What can be done with money: pay, receive, apply, reverse, and listen to gateways."""
