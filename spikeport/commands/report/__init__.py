"""`spikeport report`: everything that is known of a run or Program, as one HTML file."""
