"""SP6..: what may stop a run, a training, Lava or a board."""

from spikeport.errors.base import SpikeportError
from spikeport.errors.inputs import InputError


class SimError(SpikeportError, RuntimeError):
    """A process of a run over several processes was lost.

    Processes that score together wait for each other. When one is killed, for want of memory or by a scheduler, the
    others stop, and the shards that are done are kept.

    Fix: Look at why it ended (memory, time limit), and go on with --resume.

    Example: score: a process was lost (Connection closed by peer); go on with --resume
    """

    code = "SP600"
    exit_code = 1


class OverflowDetected(SimError):
    """A value left its word.

    u and v are 24-bit words on the chip, and under the profile `strict` a value that leaves them stops the run:
    what hardware does then differs between chips and simulators, so the result could not be trusted. Usual causes:
    a decay of 0 with an input that goes on, weights or biases at the top of their range, or more input than the
    network was trained on.

    Fix: `spikeport check NET` tells which layers are proven never to overflow, and its --witness writes an input
    for one that can. Lower weights or biases, add decay, or choose what happens: `--profile lava` wraps as Lava
    does.

    Example: g: v of neuron 0 at step 3 (12483592) leaves 24 bits; lower the weights, or name the profile 'lava' to
    run as Lava does
    """

    code = "SP601"


class ShardsMissing(SimError):
    """Shards of a score are missing at the end.

    Several processes wrote to a folder, and some of their files cannot be seen. Usual cause: hosts with different
    folders under one path.

    Fix: Let all hosts write to one shared folder, and go on with --resume.

    Example: out: shards (0, 1) are missing; let all hosts write to one folder, and go on with --resume
    """

    code = "SP602"


class SessionOver(InputError):
    """A session has ended and takes no more steps.

    After an error in the middle of a step, or at the end of a run of fixed length, a step more would have no
    certain meaning.

    Fix: `reset()` begins another run; `Session.load` goes on with a saved one.

    Example: session: is closed; reset() begins another run, Session.load goes on with a saved one
    """

    code = "SP603"


class TrainingStopped(SpikeportError, RuntimeError):
    """A signal ended a training run, which can be resumed.

    Ctrl-C or SIGTERM lets the step in work end and writes a checkpoint. Resumed, the run gives the same bits as one
    that was never stopped, on a CPU.

    Fix: `spikeport train --resume -o RUN`.

    Example: run: stopped after epoch 1; go on with: spikeport train --resume -o run
    """

    code = "SP610"
    exit_code = 130


class WorkerError(SpikeportError, RuntimeError):
    """A helper process failed.

    Lava, the chip's compiler and peers in benchmarks run in processes of their own, with their own Python. The last
    line of what the process said stands in brackets; nothing of it is left behind. Usual causes: no network while
    its packages are fetched, want of memory, or a defect of Lava.

    Fix: Read what is in brackets; try with fewer samples. `spikeport doctor` checks the environment.

    Example: lava worker: failed (out of memory) with exit code 3
    """

    code = "SP620"
    exit_code = 1
    said = ""
    """All that it wrote to standard error."""


class WorkerTimeout(WorkerError):
    """A helper process did not end in time.

    Lava's runtime waits for ever when one of its processes fails, and a job for a board waits in a queue while
    others hold it. So there is a limit, and all processes of the helper are ended with it.

    Fix: Raise --timeout, run fewer steps or samples. For a board: `sinfo` shows whether it is busy.

    Example: lava worker: time (0.1 s) is up; raise the time limit, or run fewer samples
    """

    code = "SP621"


class LavaMissing(WorkerError):
    """There is no interpreter on which Lava can run.

    Lava runs on Python 3.10, and with some care on 3.11 and 3.12, in an environment apart from this one. uv makes
    it once; SPIKEPORT_LAVA_PYTHON names an interpreter that has Lava already.

    Fix: Install the extra `lava`, which brings uv, or name an interpreter in SPIKEPORT_LAVA_PYTHON. `spikeport doctor`
    says what it finds, and the command that installs.

    Example: SPIKEPORT_LAVA_PYTHON: interpreter (/nowhere/python) is not Python 3.10 to 3.12
    """

    code = "SP622"
    exit_code = 2


class BoardMissing(LavaMissing):
    """Something that a Loihi board needs is missing.

    Running on a board takes Intel's lava-loihi, which members of its research community get, a Python 3.10 that has
    it, the generation in LOIHI_GEN, and a board: NXSDKHOST, or a SLURM partition that is up.

    Fix: `spikeport doctor` lists all of it, and how to get it. --dry-run needs no board.

    Example: backend loihi: Python 3.10 for the chip (-) is missing; name the interpreter that has lava-loihi in
    SPIKEPORT_LAVA_PYTHON; 'spikeport doctor' lists all that a chip needs
    """

    code = "SP623"


class BoardTaken(WorkerError):
    """A board could not be had in the time that was given for it.

    A board runs one network at a time. Another run has it, SLURM has no free node in the partition, or the board's
    host does not answer; in brackets is what srun or the host said. Nothing has run, and nothing was written.

    Fix: Wait longer with --wait, end the run that has the board, or name another in PARTITION, BOARD or NXSDKHOST.

    Example: board: was not given (no answer in 600 s); 'squeue' shows who has it: wait longer with --wait, or set
    PARTITION or BOARD to one that sinfo lists
    """

    code = "SP624"
