"""One pass, one file; `spikeport.deploy.pipeline` names their order."""
