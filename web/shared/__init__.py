"""What the surfaces are made of; it knows none of them."""
