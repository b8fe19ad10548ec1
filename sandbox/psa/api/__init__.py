"""The calendar API, as its OpenAPI document describes it."""
