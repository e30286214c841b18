"""A gateway for demonstrations and tests that behaves like a real one but moves no money.

`adapter` is our side. `company` plays the other company's: its orders, its cards, its messages.
"""
