"""The account centre of customers and their teams."""
