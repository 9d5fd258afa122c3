"""A HyenaDNA-shaped model with random weights: writes it as a file, and runs and times the same file in PyTorch.

usage: hyena_model.py make FOLDER [--length L] [--width D] [--layers N]      model.safetensors, config.json, ids.safetensors
       hyena_model.py run FOLDER --length L [--logits OURS.safetensors]      JSON: tokens/s in PyTorch; relative difference of our logits from
                                                                              PyTorch's in float32

PyTorch runs as the published code does: float16 autocast, residual stream in float32, convolutions by torch.fft in float32, filters made by their
MLP in every forward pass ("filters made") and, for comparison, made once ("filters kept", spectra kept too).
"""
import argparse
import json
import math
import os
import struct

import numpy as np

VOCABULARY, FEATURES, ORDER, SHORT, SHIFT = 16, 5, 64, 3, 0.05


def save(path, tensors):
    header, offset, parts = {}, 0, []
    names = {"float32": "F32", "int64": "I64"}
    for name, value in tensors.items():
        header[name] = {"dtype": names[str(value.dtype)], "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
        parts.append(value.tobytes())
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def load(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header, data = json.loads(file.read(size)), file.read()
    types = {"F32": np.float32, "I64": np.int64}
    header.pop("__metadata__", None)
    return {name: np.frombuffer(data[t["data_offsets"][0]:t["data_offsets"][1]], types[t["dtype"]]).reshape(t["shape"]) for name, t in header.items()}


def make(folder, length, width, layers):
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(1)

    def normal(*shape, scale=1.0):
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    tensors = {"backbone.embeddings.word_embeddings.weight": normal(VOCABULARY, width, scale=0.5)}

    def linear(name, out, inner, bias=True):
        tensors[name + ".weight"] = normal(out, inner, scale=1 / math.sqrt(inner))
        if bias:
            tensors[name + ".bias"] = normal(out, scale=0.1)

    def norm(name):
        tensors[name + ".weight"] = 1 + normal(width, scale=0.1)
        tensors[name + ".bias"] = normal(width, scale=0.1)

    for layer in range(layers):
        base = f"backbone.layers.{layer}."
        linear(base + "mixer.in_proj", 3 * width, width)
        linear(base + "mixer.out_proj", width, width)
        tensors[base + "mixer.short_filter.weight"] = normal(3 * width, 1, SHORT, scale=0.5)
        tensors[base + "mixer.short_filter.bias"] = normal(3 * width, scale=0.1)
        tensors[base + "mixer.filter_fn.bias"] = normal(width)
        implicit = base + "mixer.filter_fn.implicit_filter."
        for index, inner in ((0, FEATURES), (2, ORDER), (4, ORDER)):
            linear(f"{implicit}{index}", ORDER, inner)
            tensors[f"{implicit}{index + 1}.freq"] = np.full((1, ORDER), 10, np.float32)
        # Scaled so that the convolution's output is of the order of its input at any length.
        tensors[implicit + "6.weight"] = normal(width, ORDER, scale=1 / math.sqrt(ORDER) / math.sqrt(length) * 8)
        linear(base + "mlp.fc1", 4 * width, width)
        linear(base + "mlp.fc2", width, 4 * width)
        norm(base + "norm1")
        norm(base + "norm2")
    norm("backbone.ln_f")
    tensors["lm_head.weight"] = normal(VOCABULARY, width, scale=1 / math.sqrt(width))
    save(os.path.join(folder, "model.safetensors"), tensors)
    config = {
        "d_model": width, "n_layer": layers, "d_inner": 4 * width, "vocab_size": 12, "pad_vocab_size_multiple": 8, "residual_in_fp32": True,
        "layer": {"_name_": "hyena", "emb_dim": FEATURES, "filter_order": ORDER, "short_filter_order": SHORT, "l_max": length + 2, "modulate": True, "w": 10},
    }
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(config, file)
    save(os.path.join(folder, "ids.safetensors"), {"input_ids": rng.integers(7, 12, (1, length)).astype(np.int64)})


def run(folder, length, logits_path):
    import torch
    import torch.nn.functional as F

    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    width, layers, taps = config["d_model"], config["n_layer"], config["layer"]["l_max"]
    w = {name: torch.from_numpy(value.copy()).cuda() for name, value in load(os.path.join(folder, "model.safetensors")).items()}
    ids = torch.from_numpy(load(os.path.join(folder, "ids.safetensors"))["input_ids"][:, :length].copy()).cuda()

    time = torch.linspace(0, 1, taps, device="cuda", dtype=torch.float64)
    angle = 2 * math.pi * torch.arange(taps, device="cuda", dtype=torch.float64) / taps
    bands = (FEATURES - 1) // 2
    phase = angle[:, None] * torch.linspace(1e-4, bands - 1, bands, device="cuda", dtype=torch.float64)[None]
    z = torch.cat([time[:, None], torch.cos(phase), -torch.sin(phase)], 1).float()[:length]
    t = time.float()[:length]
    deltas = torch.linspace(math.log(1e-2) / 1.5, math.log(1e-2) / 0.3, width, device="cuda")

    def filters(layer):
        base = f"backbone.layers.{layer}.mixer.filter_fn.implicit_filter."
        h = z
        for index in (0, 2, 4):
            h = torch.sin(w[f"{base}{index + 1}.freq"] * F.linear(h, w[f"{base}{index}.weight"], w[f"{base}{index}.bias"]))
        k = F.linear(h, w[base + "6.weight"]).float()
        return (k * (torch.exp(-t[:, None] * deltas.abs()[None]) + SHIFT)).T.contiguous()

    def spectrum(layer):
        return torch.fft.rfft(filters(layer), n=2 * length) / (2 * length)

    def forward(spectra):
        x = F.embedding(ids, w["backbone.embeddings.word_embeddings.weight"])
        for layer in range(layers):
            base = f"backbone.layers.{layer}."

            def p(name):
                return w[base + name]

            u = F.layer_norm(x, (width,), p("norm1.weight"), p("norm1.bias"), 1e-5)
            u = F.linear(u, p("mixer.in_proj.weight"), p("mixer.in_proj.bias")).transpose(1, 2)
            u = F.conv1d(u, p("mixer.short_filter.weight"), p("mixer.short_filter.bias"), padding=SHORT - 1, groups=3 * width)[..., :length]
            x0, x1, v = u.split(width, 1)
            v = v * x1
            k_f = spectra[layer] if spectra else spectrum(layer)
            y = torch.fft.irfft(torch.fft.rfft(v.float(), n=2 * length) * k_f, n=2 * length, norm="forward")[..., :length]
            y = (y + v.float() * p("mixer.filter_fn.bias")[:, None]).to(v.dtype) * x0
            x = x + F.linear(y.transpose(1, 2), p("mixer.out_proj.weight"), p("mixer.out_proj.bias"))
            u = F.layer_norm(x, (width,), p("norm2.weight"), p("norm2.bias"), 1e-5)
            u = F.gelu(F.linear(u, p("mlp.fc1.weight"), p("mlp.fc1.bias")), approximate="tanh")
            x = x + F.linear(u, p("mlp.fc2.weight"), p("mlp.fc2.bias"))
        x = F.layer_norm(x, (width,), w["backbone.ln_f.weight"], w["backbone.ln_f.bias"], 1e-5)
        return F.linear(x, w["lm_head.weight"])

    def median_ms(work):
        for _ in range(2):
            work()
        samples = []
        for _ in range(7):
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            work()
            end.record()
            torch.cuda.synchronize()
            samples.append(begin.elapsed_time(end))
        return sorted(samples)[len(samples) // 2]

    result = {"what": "HyenaDNA-shaped model", "device": torch.cuda.get_device_name(), "width": width, "layers": layers, "length": length}
    with torch.no_grad():
        if logits_path:
            ours = torch.from_numpy(load(logits_path)["logits"].copy()).double().cuda()
            want = forward(None).double()
            result["relativeDifference"] = ((ours - want).norm() / want.norm()).item()
            result["bytesOfWeights"] = sum(value.nbytes for value in w.values())
        else:
            with torch.autocast("cuda", torch.float16):
                torch.cuda.reset_peak_memory_stats()
                made = median_ms(lambda: forward(None))
                result["pytorchPeakBytes"] = torch.cuda.max_memory_allocated()
                kept_spectra = [spectrum(layer) for layer in range(layers)]
                kept = median_ms(lambda: forward(kept_spectra))
            result.update({
                "pytorchFiltersMade_ms": made, "pytorchFiltersMade_tokensPerSecond": length / made * 1e3,
                "pytorchFiltersKept_ms": kept, "pytorchFiltersKept_tokensPerSecond": length / kept * 1e3,
            })
    print(json.dumps(result))


parser = argparse.ArgumentParser()
parser.add_argument("command", choices=["make", "run"])
parser.add_argument("folder")
parser.add_argument("--length", type=int, default=1 << 20)
parser.add_argument("--width", type=int, default=256)
parser.add_argument("--layers", type=int, default=8)
parser.add_argument("--logits")
arguments = parser.parse_args()
if arguments.command == "make":
    make(arguments.folder, arguments.length, arguments.width, arguments.layers)
else:
    run(arguments.folder, arguments.length, arguments.logits)
