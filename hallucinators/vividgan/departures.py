"""Differences of both VividGANs from the paper, as shown by `bench list`; docs/training.md has the reasons."""

from __future__ import annotations

_SHARED = (
    "identity loss: the teacher is dlib's network, with ten times the paper's weight and the cross-entropy of "
    "identifying the person's photograph in the batch; the paper's ResNet-50 (--identity FILE) has the paper's weight "
    "and formula in vividgan",
    "losses are means where the paper has sums, so that a weight has the same effect at every size",
    "targets of heatmaps are the face engine's 68 points if FAN's archive is not in torch's cache",
    "group norm in place of batch norm: a face depends on no other face of its batch",
)
VIVIDGAN = (
    "a stage before the paper's trains the first spatial transformer with the true location of the face, which "
    "generated pairs have, and a term of weight 0.3 continues this: with pixels alone it stays near the identity",
    "the coarse network adds a residual to the LR image that this transformer has aligned; the paper's generates the "
    "whole face (--no-carry)",
    "the residual of the coarse network is scaled by 0.6 if the identity loss includes identification in the batch",
    "spatial transformers start as the identity and stay within 60 degrees, a factor of 2 and 0.3 of the side",
    "identity and adversarial terms of the coarse network are used from half time on: from the start they lead to one "
    "average face with noise that lowers the identity loss",
    *_SHARED,
    "widths are ours, the paper gives none: preset paper has the sizes of Table IV; compact has a quarter of its "
    "encoder's channels, a fifth of its code and two hourglasses in place of four",
    "in the frames of recognisers (their chips, lr) the face has an opacity of one half over the LR image: recognition "
    "is better so",
    "the losses and the length of the training of the shipped weights are on their cards",
)
FLOW = (
    "the coarse network is not the paper's: image and features are warped to the frontal face by dense flows, and by "
    "flows from the opposite point of the face, in place of similarities; no norm, symmetry loss or discriminator",
    "in the frames of recognisers (their chips, lr) heads turned by less than about 30 degrees keep their pose: "
    "recognition of real photographs is better so; frontalise=always frontalises them there too",
    "its flows are trained with the face engine's exact flows, in the first third of the training and after",
    "touching-up and fine-integration networks are the paper's, trained on its faces with pixels, identity and "
    "heatmaps; the coarse face is the default output, since recognition is as good",
    *_SHARED,
)
PAPER_PARAMETERS = "63,698,610 (62.0 M in Table IV), coarse network 26,385,091 (26.5 M)"
"""Of the preset paper for 16 pixels; 54,998,354 and 17,684,835 for 32."""
