"""The words: plain values and message contracts that every other part of the product speaks.

Nothing in here imports anything else of ours.
"""
