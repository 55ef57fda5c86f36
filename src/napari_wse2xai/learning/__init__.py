"""Networks and their rivals, validation on maps, and the verdict: arrays in, scikit-learn's conventions."""
