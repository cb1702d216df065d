"""The command line: what each command is told. Parts are imported inside the commands, so `--help` is quick."""


def main() -> None:
    """Runs a command; from here on Ctrl-C is one line and 130, also while the command line itself is imported."""
    try:
        from spikeport.cli.app import main as run

        run()
    except KeyboardInterrupt:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one has nothing to end
        from spikeport.cli.ending import Interrupted, end

        end(Interrupted("spikeport", "interrupted"))
