"""Every error that spikeport raises on purpose: a class for each cause, with a stable code.

    SpikeportError
    ├── InputError          (ValueError)    SP2..  an argument, an array or a recipe is not what was asked for
    │   └── FileError                       SP1..  a file is missing, damaged, or of another kind
    ├── ExportError         (TypeError)     SP3..  a module that has no NIR form
    ├── DeployError         (ValueError)    SP4..  a graph that cannot become a Program
    ├── ProgramError        (ValueError)    SP5..  integers that no Loihi core can hold
    ├── SimError            (RuntimeError)  SP6..  a simulation that cannot go on
    ├── TrainingStopped     (RuntimeError)  SP6..  a signal ended a training run, which can be resumed
    └── WorkerError         (RuntimeError)  SP6..  a helper process hung, crashed, or cannot be had

Each family has one file, and each cause is a class there. Its docstring is its entry in the catalogue (`catalogue.py`):
what, why, how to mend it, and an example. `spikeport explain CODE` prints it.
"""

from spikeport.errors.base import SpikeportError as SpikeportError
from spikeport.errors.files import DataSetDamaged as DataSetDamaged
from spikeport.errors.files import DataSetMissing as DataSetMissing
from spikeport.errors.files import DescriptionInvalid as DescriptionInvalid
from spikeport.errors.files import DownloadFailed as DownloadFailed
from spikeport.errors.files import FileDamaged as FileDamaged
from spikeport.errors.files import FileError as FileError
from spikeport.errors.files import FileInUse as FileInUse
from spikeport.errors.files import FileKind as FileKind
from spikeport.errors.files import FileMismatch as FileMismatch
from spikeport.errors.files import FileMissing as FileMissing
from spikeport.errors.files import FileTooLarge as FileTooLarge
from spikeport.errors.files import FileUnreadable as FileUnreadable
from spikeport.errors.files import FileUnwritable as FileUnwritable
from spikeport.errors.files import FileVersion as FileVersion
from spikeport.errors.files import NotRecorded as NotRecorded
from spikeport.errors.files import PathTaken as PathTaken
from spikeport.errors.files import no_file as no_file
from spikeport.errors.graphs import CompileOption as CompileOption
from spikeport.errors.graphs import DelayInvalid as DelayInvalid
from spikeport.errors.graphs import DeployError as DeployError
from spikeport.errors.graphs import FieldInvalid as FieldInvalid
from spikeport.errors.graphs import GraphBroken as GraphBroken
from spikeport.errors.graphs import GraphTooLarge as GraphTooLarge
from spikeport.errors.graphs import ImageLayer as ImageLayer
from spikeport.errors.graphs import LoopInvalid as LoopInvalid
from spikeport.errors.graphs import NetxRange as NetxRange
from spikeport.errors.graphs import NetxUnsupported as NetxUnsupported
from spikeport.errors.graphs import NeuronUnlowered as NeuronUnlowered
from spikeport.errors.graphs import NodeShape as NodeShape
from spikeport.errors.graphs import NoLavaForm as NoLavaForm
from spikeport.errors.graphs import NoNetxForm as NoNetxForm
from spikeport.errors.graphs import NumberTooLarge as NumberTooLarge
from spikeport.errors.graphs import PartsTooMany as PartsTooMany
from spikeport.errors.graphs import PassError as PassError
from spikeport.errors.graphs import RuleError as RuleError
from spikeport.errors.graphs import UnknownConvention as UnknownConvention
from spikeport.errors.graphs import UnsupportedNode as UnsupportedNode
from spikeport.errors.inputs import ArraysDiffer as ArraysDiffer
from spikeport.errors.inputs import BackendUnsuited as BackendUnsuited
from spikeport.errors.inputs import BundleInvalid as BundleInvalid
from spikeport.errors.inputs import EventInvalid as EventInvalid
from spikeport.errors.inputs import InputError as InputError
from spikeport.errors.inputs import LabelsInvalid as LabelsInvalid
from spikeport.errors.inputs import OptionMisused as OptionMisused
from spikeport.errors.inputs import PackageMissing as PackageMissing
from spikeport.errors.inputs import PartMissing as PartMissing
from spikeport.errors.inputs import PriceMissing as PriceMissing
from spikeport.errors.inputs import RecipeInvalid as RecipeInvalid
from spikeport.errors.inputs import RunDiffers as RunDiffers
from spikeport.errors.inputs import StateMismatch as StateMismatch
from spikeport.errors.inputs import UnknownName as UnknownName
from spikeport.errors.inputs import UsageInvalid as UsageInvalid
from spikeport.errors.inputs import ValueOutside as ValueOutside
from spikeport.errors.inputs import WrongShape as WrongShape
from spikeport.errors.inputs import WrongType as WrongType
from spikeport.errors.modules import ExportError as ExportError
from spikeport.errors.modules import ExportOption as ExportOption
from spikeport.errors.modules import HostInLoop as HostInLoop
from spikeport.errors.modules import MixedResets as MixedResets
from spikeport.errors.modules import ModuleOrder as ModuleOrder
from spikeport.errors.modules import ModuleSetting as ModuleSetting
from spikeport.errors.modules import ModuleShape as ModuleShape
from spikeport.errors.modules import NetworkUnwritten as NetworkUnwritten
from spikeport.errors.modules import OffGrid as OffGrid
from spikeport.errors.modules import ProgramTiming as ProgramTiming
from spikeport.errors.modules import ProgramUntrainable as ProgramUntrainable
from spikeport.errors.programs import ProfileUnsuited as ProfileUnsuited
from spikeport.errors.programs import ProgramError as ProgramError
from spikeport.errors.programs import ProgramName as ProgramName
from spikeport.errors.programs import ProgramShape as ProgramShape
from spikeport.errors.programs import ProgramType as ProgramType
from spikeport.errors.programs import ProgramWiring as ProgramWiring
from spikeport.errors.programs import WeightsUnheld as WeightsUnheld
from spikeport.errors.runs import BoardMissing as BoardMissing
from spikeport.errors.runs import BoardTaken as BoardTaken
from spikeport.errors.runs import LavaMissing as LavaMissing
from spikeport.errors.runs import OverflowDetected as OverflowDetected
from spikeport.errors.runs import SessionOver as SessionOver
from spikeport.errors.runs import ShardsMissing as ShardsMissing
from spikeport.errors.runs import SimError as SimError
from spikeport.errors.runs import TrainingStopped as TrainingStopped
from spikeport.errors.runs import WorkerError as WorkerError
from spikeport.errors.runs import WorkerTimeout as WorkerTimeout
from spikeport.errors.training import AugmentInvalid as AugmentInvalid
from spikeport.errors.training import DeviceMissing as DeviceMissing
from spikeport.errors.training import LayerInvalid as LayerInvalid
from spikeport.errors.training import LossNotFinite as LossNotFinite
from spikeport.errors.training import MeasureUndefined as MeasureUndefined
from spikeport.errors.training import ModelInvalid as ModelInvalid
from spikeport.errors.training import NormUnfoldable as NormUnfoldable
