"""SP1..: files and folders that are read or written."""

from pathlib import Path

from spikeport.errors.inputs import InputError


class FileError(InputError):
    """A file's contents are not what its kind of file holds.

    The file could be read and is of the right kind, but an array or a key is missing, has another shape or type, or
    holds a value that is out of range. Usual causes: a file written by hand or by another tool, or edited
    afterwards.

    Fix: Write the file again with the command or function that the line names. For inputs, `spikeport run --help`
    tells the layout: arrays of integers, time first, `(T, B, *shape)`, each named like an input of the Program.

    Example: x.npz: holds no integers (spikes); see 'spikeport run --help' for its layout
    """

    code = "SP100"


class FileMissing(FileError):
    """There is no such file or folder.

    A path counts from the folder in which the command runs. Usual causes: a misspelled name, another current
    folder, or the step that writes the file has not been run. A folder that lacks one of its files is named here
    too.

    Fix: Look at the path with `ls`. Make what is missing: `spikeport export RUN -o net.nir` writes a graph,
    `spikeport compile net.nir` a Program, `spikeport train RECIPE -o RUN` a run.

    Example: net.h5: no such file
    """

    code = "SP101"


def no_file(path: Path, do: str = "") -> FileError:
    """What is said of a path that names no file: nothing is there, or a folder is."""
    if path.is_dir():
        return FileKind(str(path), "is a folder", do=do or "name a file in it")
    return FileMissing(str(path), "no such file", do=do)


class FileUnwritable(FileError):
    """A file or folder cannot be written.

    The operating system refused it; its own reason stands in brackets. Files are written under another name and
    renamed when they are whole, so an older file is still there, and nothing half-written is.

    Fix: Make room on the disk, or choose a folder that exists and that you may write to. Temporary files go to the
    folder that the variable TMPDIR names.

    Example: missing/net.h5: cannot be written (No such file or directory); choose a folder that you may write to
    """

    code = "SP102"


class FileUnreadable(FileError):
    """A file cannot be read as what it should be.

    Its bytes are not the format that its name or place promises, or they end too early. Usual causes: a download or
    copy that was cut, a text file with a wrong ending, or a file that Git LFS has left as a pointer. Files are
    never unpickled and nothing in them is executed, so arrays of Python objects are refused here too.

    Fix: Compare size and checksum with where it comes from, and copy or write it again.

    Example: net.nir: is not a readable NIR file (Unable to synchronously open file (file signature not found));
    export it again
    """

    code = "SP103"


class FileDamaged(FileError):
    """A file is not as it was written: its checksum differs.

    Programs, bundles, states and shards carry a SHA-256 of what they hold. One changed bit could change a weight
    without any other sign, so such a file is not used at all. Usual causes: a bad disk or copy, or an edit by hand.

    Fix: Copy it again from where it is whole, or make it again. Do not edit it: change what it was made from.

    Example: net.h5: is damaged; compile it again, or copy it again
    """

    code = "SP104"


class FileKind(FileError):
    """A file is of another kind than the command takes.

    Inputs, states, recorded runs and bundles are all zip files, and Programs and long runs are HDF5 files, so an
    ending tells little. Usual causes: arguments in the wrong order, or a Program where its input is wanted.

    Fix: Name the file that the line asks for; it says which command makes one.

    Example: x.h5: is not a spikeport Program; make one with: spikeport compile net.nir
    """

    code = "SP105"


class FileVersion(FileError):
    """A file has the format of another version of spikeport.

    The format changed between the version that wrote the file and this one. Nothing is converted in silence: how a
    field is meant decides spikes.

    Fix: Make the file again with this version, from the NIR file or the run, or use the version that wrote it.

    Example: net.h5: format version (999) is not 2; compile it again
    """

    code = "SP106"


class PathTaken(FileError):
    """A file or folder that is to be written holds something already.

    Runs and scores are hours of work, and files that a command reads are its proof, so none is overwritten.

    Fix: Name a new folder or file; or, to go on with what is there, say --resume.

    Example: out: is no folder; name a new one
    """

    code = "SP107"


class FileInUse(FileError):
    """Another process works in the folder.

    Two processes in one run's or score's folder would mix their files. The line names the process that holds the
    lock and its machine. A process on another machine cannot be seen from here, so its lock counts until it is
    deleted.

    Fix: Wait for that process or end it. Where one on another machine is surely gone, delete the lock file that the
    line names.

    Example: run: is in use by (process 1234 on host); wait for it, or name another folder
    """

    code = "SP108"


class FileMismatch(FileError):
    """Files that do not belong together.

    A recorded run, a state, a shard or a part of a bundle carries the fingerprint of the Program or run that made
    it. With another one its numbers would mean nothing. Usual cause: a Program that was compiled again after the
    run.

    Fix: Name the files of one run. Where the Program has changed, run it again.

    Example: state.npz: is a state of another Program; use the Program that it came from
    """

    code = "SP109"


class FileTooLarge(FileError):
    """A file is larger than spikeport reads, or claims to be.

    Sizes are checked before memory is taken, so that a damaged or hostile file cannot fill the machine. A NIR file
    may hold 256 MiB of arrays.

    Fix: Check that it is the right file. Cut the network or the samples into several files.

    Example: net.nir: file (268435457 bytes) exceeds 268435456; make it less
    """

    code = "SP110"


class NotRecorded(FileError):
    """A run holds no recording of what is asked for.

    A run's file keeps the outputs alone unless it is told to keep more: recording every neuron's spikes or v takes
    much room.

    Fix: Run it again with `--record all`, or `--record GROUP` for the groups that are wanted.

    Example: y.npz: holds no recorded groups; record them with 'spikeport run --record all'
    """

    code = "SP111"


class DescriptionInvalid(FileError):
    """A description in TOML of a network or of prices is wrong.

    Every key is checked: an unknown one is a misspelled one, and a missing one would silently be 0 in the sum.

    Fix: Correct the key or value that the line names. The documentation's page on energy lists all keys, and the
    shipped descriptions show complete files.

    Example: net.toml: layer has no tables; give a [[layer]] for each layer
    """

    code = "SP112"


class DownloadFailed(FileError):
    """What is published elsewhere cannot be fetched, or is not what was published.

    `spikeport conformance` replays recordings from a wheel of lava-dl, which pip fetches. Its SHA-256 is checked.

    Fix: Check the network, or fetch the wheel on another machine and name it with --wheel.

    Example: lava-dl==0.6.0: cannot be fetched (pip: failed (no network) with exit code 1); name a copy: --wheel
    PATH
    """

    code = "SP113"


class DataSetMissing(FileError):
    """The files of a data set are not there.

    spikeport downloads no data. Small digits come with scikit-learn; most other sets are read from a folder that
    you name.

    Fix: Get the set from its publisher, unpack it, and name its folder with --data DIR.

    Example: data cifar10: the folder is not given; name the folder that torchvision, tonic or npm keeps it in
    """

    code = "SP120"


class DataSetDamaged(FileError):
    """A file of a data set is not as its publisher made it.

    Sizes, counts, shapes and ranges are checked, so that a cut download is an error and not a lower accuracy.
    Nothing in the files is run: CIFAR's pickles are listed, not loaded.

    Fix: Download and unpack that file again.

    Example: labels.gz: is not whole gzip data (Not a gzipped file (b'no')); the file is damaged or of another kind:
    fetch it again
    """

    code = "SP121"
