"""The batch: many flakes at once, while the window stays free."""
