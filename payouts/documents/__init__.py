"""Payout statements as people get them."""
