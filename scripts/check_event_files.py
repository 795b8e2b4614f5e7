"""Reads event files with TensorBoard's own reader and prints what it finds.

    pip install tensorboard
    node -e "import('typetorch').then(torch => { … new torch.utils.tensorboard.SummaryWriter('runs/x') … })"
    python scripts/check_event_files.py runs/x
"""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

for folder in sys.argv[1:]:
    run = EventAccumulator(folder, size_guidance={"images": 0, "histograms": 0, "tensors": 0, "audio": 0})
    run.Reload()
    for kind, tags in run.Tags().items():
        print(kind, len(tags) if isinstance(tags, list) else tags)
    for tag in run.Tags()["scalars"]:
        print("scalar", tag, [(e.step, e.value) for e in run.Scalars(tag)])
    for tag in run.Tags()["histograms"]:
        print("histogram", tag, [(e.step, e.histogram_value.num, len(e.histogram_value.bucket)) for e in run.Histograms(tag)])
    for tag in run.Tags()["images"]:
        print("image", tag, [(e.step, e.width, e.height, len(e.encoded_image_string)) for e in run.Images(tag)])
    for tag in run.Tags()["audio"]:
        print("audio", tag, [(e.step, e.sample_rate, e.length_frames) for e in run.Audio(tag)])
    for tag in run.Tags()["tensors"]:
        print("tensor", tag, [(e.step, list(e.tensor_proto.string_val) or "values") for e in run.Tensors(tag)])
    for plugin in ["hparams", "text", "pr_curves", "custom_scalars"]:
        try:
            print(plugin, sorted(run.PluginTagToContent(plugin)))
        except KeyError:
            pass
    if run.Tags()["graph"]:
        print("graph", len(run.Graph().node), "nodes")
