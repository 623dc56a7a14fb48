"""How long an epoch of MNIST takes: a DigitClassifier beside torch.nn, autograd and torch.optim.SGD, on one thread.

Both see batches of 32 of 60,000 images of 784 pixels (of noise: no time depends on what they show), through
784-512-512-512-10. Turns of a few steps alternate; told are seconds of the processor an epoch of 1875 steps, which are
those of the clock where nothing else runs.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from measuring import asked, seconds, table

from classical.digits import DigitClassifier
from classical.digits.order import Order
from encoding.digits import Digits

STEPS, EPOCH, RATE = 60, 1875, 1e-4
ACTIVATIONS = ("relu", "binary")


class Straight(torch.autograd.Function):
    """The sign, with the slope of a hard tanh."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, *grad):
        (x,) = ctx.saved_tensors
        return grad[0] * (x.abs() < 1)


class Step(torch.nn.Module):
    """A layer of steps."""

    def forward(self, x):
        return Straight.apply(x)


def plain(digits: Digits, activation: str) -> Callable[[], object]:
    """The usual loop: a module, a loss, an optimiser; inputs in memory, rescaled before."""
    sizes = (784, 512, 512, 512, 10)
    layers: list[torch.nn.Module] = []
    for n, m in pairwise(sizes):
        linear = torch.nn.Linear(n, m, bias=False)
        torch.nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        layers += [linear, torch.nn.ReLU() if activation == "relu" else Step()]
    module = torch.nn.Sequential(*layers[:-1])
    sgd = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)
    cost = torch.nn.MultiMarginLoss(p=2, margin=10)
    inputs, labels = torch.from_numpy(digits.images / np.float32(127.5) - 1), torch.from_numpy(digits.labels.copy())
    order, made = Order(len(labels), 32), 0

    def steps() -> None:
        nonlocal made
        for _ in range(STEPS):
            images = torch.from_numpy(order.images(0, 0, made))
            sgd.zero_grad()
            loss = cost(module(inputs[images]), labels[images])
            loss.backward()
            sgd.step()
            loss.item()  # as ours, it tells what it saw
            made += 1

    return steps


def main() -> None:
    """The table."""
    said = asked(__doc__, ACTIVATIONS, turns=9)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (60000, 784), np.uint8), rng.integers(0, 10, 60000)
    digits, rows = Digits(pixels, labels, pixels[:10], labels[:10]), []
    for activation in said.only:
        all_three: dict[str, Callable[[], object]] = {"torch.nn": plain(digits, activation)}
        for kernel in ("plain", "fast"):
            ours = DigitClassifier(digits, activation=activation, kernel=kernel)
            all_three[kernel] = lambda ours=ours: ours.step(RATE, STEPS)
        found = seconds(all_three, said.turns, clock=time.process_time)
        epoch = [found[name] * EPOCH / STEPS for name in ("fast", "plain", "torch.nn")]
        rows.append((activation, *epoch, epoch[2] / epoch[0]))
    heads = ("activation", "fast", "plain", "torch.nn", "torch.nn / fast")
    table("Seconds of the processor an epoch, 784-512-512-512-10, batch 32", heads, rows)


if __name__ == "__main__":
    main()
