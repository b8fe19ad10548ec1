"""The PSA's calendar API (`docs/contracts/psa-calendar-api.openapi.yaml`): a typed client."""
