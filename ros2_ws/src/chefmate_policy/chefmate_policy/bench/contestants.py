"""The ways to run a model, side by side on the same device, weights and noise."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch

from chefmate_policy.bench.stages import Stage, packed_stages, reference_stages
from chefmate_policy.bench.subject import Subject, twin
from chefmate_policy.engine.cuda_graph import GraphRunner
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.engine.runner import Encoded, PackedRunner, ReferenceRunner, Runner
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.profile import Profile


@dataclass(frozen=True)
class Contestant:
    """One way to run the model."""

    runner: Runner
    weights: object  # what holds them
    stages: Callable[[], Mapping[str, Stage]]
    graphs: bool = False  # whether each stage is a CUDA graph


class Contestants:
    """Builds them; those that have the same weights share them."""

    def __init__(self, subject: Subject, encoded: Encoded) -> None:
        self._subject, self._encoded = subject, encoded

    @cached_property
    def reference_runner(self) -> ReferenceRunner:
        """What the others are compared with."""
        return self._reference(self._subject.model).runner  # type: ignore[return-value]

    def build(self, name: str) -> Contestant:
        """Return one of `config.BACKENDS`."""
        return BUILDERS[name](self)

    def reference(self) -> Contestant:
        """The model as it is written."""
        return self._reference(self._subject.model)

    def compiled_reference(self) -> Contestant:
        """The same model, its two halves compiled."""
        torch._logging.set_logs(dynamo=logging.ERROR)  # it breaks its graph, and says where
        model = twin(self._subject.model, self._subject.device)
        model.backbone.compile(dynamic=False)
        head = model.action_head
        head.sample = torch.compile(head.sample, dynamic=False)  # type: ignore[method-assign]
        return self._reference(model)

    def packed(self) -> Contestant:
        """The engine's model, step by step."""
        return self._packed(self._exact, PackedRunner(self._exact, self._profile))

    def graph(self) -> Contestant:
        """The engine as it is on a GPU."""
        runner = GraphRunner(self._exact, self._profile)
        return self._packed(self._exact, runner, graphs=True)

    def compiled_graph(self) -> Contestant:
        """The same, what lies between its GEMMs fused by torch.compile."""
        runner = GraphRunner(self._exact, self._profile, compiled=True)
        return self._packed(self._exact, runner, graphs=True, compiled=True)

    def fp8(self) -> Contestant:
        """The engine with weights in fp8: a CUDA graph on a GPU."""
        subject = self._subject
        model = PackedGroot(subject.model, subject.slot, subject.device, subject.dtype, fp8=True)
        if subject.device.type == 'cuda':
            return self._packed(model, GraphRunner(model, self._profile), graphs=True)
        return self._packed(model, PackedRunner(model, self._profile))

    @property
    def _profile(self) -> Profile:
        return self._subject.processor.profile

    @cached_property
    def _exact(self) -> PackedGroot:
        subject = self._subject
        return PackedGroot(subject.model, subject.slot, subject.device, subject.dtype)

    def _reference(self, model: Groot) -> Contestant:
        slot, device, profile = self._subject.slot, self._subject.device, self._profile
        return Contestant(
            ReferenceRunner(model, slot, profile, device),
            model,
            lambda: reference_stages(model, slot, profile, device, self._encoded),
        )

    def _packed(
        self, model: PackedGroot, runner: Runner, graphs: bool = False, compiled: bool = False
    ) -> Contestant:
        return Contestant(
            runner,
            model,
            lambda: packed_stages(model, self._profile, self._encoded, compiled),
            graphs,
        )


BUILDERS: dict[str, Callable[[Contestants], Contestant]] = {
    'reference': Contestants.reference,
    'compile': Contestants.compiled_reference,
    'packed': Contestants.packed,
    'graph': Contestants.graph,
    'graph-compiled': Contestants.compiled_graph,
    'fp8': Contestants.fp8,
}
