from bench.api.arrays import Evaluation as Evaluation
from bench.api.arrays import evaluate as evaluate
from bench.api.comparison import Comparison as Comparison
from bench.api.comparison import compare as compare
from bench.api.components import list_components as list
from bench.api.faces import HallucinatedFace as HallucinatedFace
from bench.api.faces import hallucinate as hallucinate
from bench.api.runs import Run as Run
from bench.api.runs import RunOptions as RunOptions
from bench.api.runs import run as run
from bench.errors import BenchError as BenchError
from bench.errors import ContractError as ContractError
from bench.errors import DataError as DataError
from bench.errors import MissingError as MissingError
from bench.errors import UsageError as UsageError
from bench.results import Figure as Figure

__version__: str
__all__ = [
    "__version__",
    "Comparison",
    "Evaluation",
    "Figure",
    "HallucinatedFace",
    "Run",
    "RunOptions",
    "BenchError",
    "ContractError",
    "DataError",
    "MissingError",
    "UsageError",
    "compare",
    "evaluate",
    "hallucinate",
    "list",
    "run",
]
