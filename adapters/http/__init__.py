"""What all HTTP speakers share: small connection pools, failure classes, serving an app."""
