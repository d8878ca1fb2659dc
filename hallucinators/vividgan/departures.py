"""Where the two VividGANs depart from the paper, as `bench list` tells it; docs/training.md has the reasons."""

from __future__ import annotations

_SHARED = (
    "the identity loss is taught by dlib's network, at ten times the paper's weight, and then also by how well the own "
    "photograph is found among the batch's (cross-entropy); the paper's ResNet-50 (--identity FILE) keeps its weight "
    "and letter in vividgan",
    "losses are means where the paper writes sums, so that a weight means the same at every size",
    "heatmaps are learned from the face engine's 68 points where FAN's archive is not in torch's cache",
    "group norm in place of batch norm: a face depends on no other of its batch",
)
VIVIDGAN = (
    "a stage before the paper's teaches the first spatial transformer where the face is, as made pairs know, and a "
    "term of weight 0.3 goes on teaching it: by pixels alone it stays near the identity",
    "the coarse network adds to the LR picture that this transformer has aligned, where the paper's paints on grey "
    "(--no-carry)",
    "three fifths of what the coarse network paints are kept where identity is taught by telling people apart",
    "spatial transformers start as the identity and stay within 60 degrees, a factor of 2 and 0.3 of the side",
    "identity and adversarial terms of the coarse network join at half time: from the start they end in one average "
    "face with noise that pleases the teacher",
    *_SHARED,
    "widths are ours, the paper gives none: preset paper has the sizes of Table IV; compact has a quarter of its "
    "encoder's channels, a fifth of its code and two hourglasses in place of four",
    "in the frames for recognisers (their chips, lr) the LR picture shows through by half: it is recognised better so",
    "by which of the losses the shipped weights were trained, and how long, stands on their cards",
)
FLOW = (
    "the coarse network is not the paper's: picture and features are carried to the front by dense flows, and by flows "
    "to the mirrored place on the face, in place of similarities; it has no norm, no symmetry loss, no discriminator",
    "in the frames for recognisers (their chips, lr) heads turned by less than about 30 degrees are left as they are: "
    "real ones are recognised better so; frontalise=always brings them to the front there too",
    "its flows are taught by the face engine's exact ones in the first third of the training and after",
    "touching-up and fine-integration networks are the paper's, trained on its faces by pixels, identity and heatmaps; "
    "the coarse face is the default output, since it is recognised as well",
    *_SHARED,
)
PAPER_PARAMETERS = "63,698,610 (62.0 M in Table IV), coarse network 26,385,091 (26.5 M)"
"""Of the preset paper for 16 pixels; 54,998,354 and 17,684,835 for 32."""
