"""The laws of the store. The memory that stands in for it is trusted because it keeps them too."""
