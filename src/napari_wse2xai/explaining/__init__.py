"""What a fitted model makes of its inputs: arrays in, scikit-learn's names where it has them."""
