"""Builds a network from a class in a Python file and a state dict; the file is a program, and it is run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.errors import ChangedError, DataError, MissingError, UsageError, one_line
from bench.modules.run_source import run_source
from bench.types import WeightsFile
from bench.weights import load_into, load_state_dict, weights_file

if TYPE_CHECKING:
    from torch import nn


class UserNetwork(NamedTuple):
    """A class in a file, and weights.

    Attributes:
        source: the Python file.
        name: of the class, which is called without arguments.
        weights: its state dict; None for a network that needs none.
        files: name and digest of both files, for the record and for cache keys.
    """

    source: Path
    name: str
    weights: Path | None
    files: tuple[WeightsFile, ...]


def user_network(component: str, module: str, weights: Path | None) -> UserNetwork:
    """Find the files of a network; nothing is run.

    Args:
        component: name of the component, for messages.
        module: ``FILE.py:Class``.
        weights: a state dict, .safetensors or a torch file; None for a network without one.

    Raises:
        UsageError: ``module`` has another form.
        MissingError: a file does not exist.
    """
    path, _, name = module.rpartition(":")
    if not path.endswith(".py") or not name.isidentifier():
        raise UsageError(f"{component}: module is {module!r}; it must be FILE.py:Class, such as net.py:Generator.")
    source = Path(path)
    if not source.is_file():
        raise MissingError(f"{component} needs the Python file {source}, which does not exist.")
    advice = "Give the file of the network's state dict by weights=FILE."
    files = [weights_file(source, wanted_by=component, how_to_get="Give a Python file.")]
    if weights is not None:
        files.append(weights_file(weights, wanted_by=component, how_to_get=advice))
    return UserNetwork(source, name, weights, tuple(files))


def build_user_network(network: UserNetwork) -> nn.Module:
    """Run the file, call the class, load the weights; in evaluation mode, without gradients.

    Raises:
        ChangedError: a file has changed since its digest was taken.
        DataError: the file cannot be run, has no such class, or the weights do not fit.
    """
    from torch import nn

    code, sha256 = network.source.read_bytes(), network.files[0].sha256
    if hashlib.sha256(code).hexdigest() != sha256:
        raise ChangedError(f"{network.source} has changed since this run began. Run again.")
    try:
        built = getattr(run_source(f"bench_user_{sha256[:16]}", network.source, code), network.name)()
    except AttributeError as error:
        raise DataError(
            f"{network.source} has no class {network.name}, or running it failed: {one_line(error)}"
        ) from error
    except Exception as error:  # the user's own program may raise anything
        raise DataError(f"{network.source} cannot be run: {type(error).__name__}: {one_line(error)}") from error
    if not isinstance(built, nn.Module):
        raise DataError(f"{network.name} of {network.source} is a {type(built).__name__}, not a torch module.")
    if network.weights is not None:
        digest = network.files[1].sha256
        load_into(built, load_state_dict(network.weights, sha256=digest), origin=str(network.weights))
    return built.eval().requires_grad_(False)
