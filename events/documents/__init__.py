"""The contracts as documents for those who have never seen this code: generated from the models, and committed.

Only for development: nothing else in the product imports this.
"""
