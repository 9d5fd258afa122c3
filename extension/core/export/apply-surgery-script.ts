/**
 * Python that loads a baked or sidecar export into the original PyTorch model, for modules with Hyena's interface: `filter(L)` gives the
 * filter [1, L, H], `forward(x, L, k, bias)` convolves x [B, H, L] (or [B, heads, H, blocks, L]) with it. Follows core/masks and core/plan: the same masks, gains
 * and lags. @EXPORT@, @SITES@ and @TOOL@ stand for what differs between exports.
 */
export const APPLY_SURGERY_SCRIPT = String.raw`"""Loads weights with masked filters into the original PyTorch model. Needs PyTorch and nothing else.

    from apply_surgery import apply_surgery
    model = ...  # the original code's model, made with the original settings
    apply_surgery(model)

Written by @TOOL@.
"""
import json
import math
import os
import struct

import torch

EXPORT = @EXPORT@
# By site of the plan: the original module that makes and applies its filter, and how many taps the filter has.
SITES = @SITES@

DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64, "I32": torch.int32,
    "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool, "C64": torch.complex64,
}


def load(path):
    """Tensors and metadata of a safetensors file."""
    tensors = {}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        start = file.tell()
        metadata = header.pop("__metadata__", {})
        for name, entry in header.items():
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            data = bytearray(file.read(end - begin))
            dtype = DTYPES[entry["dtype"]]
            tensors[name] = (torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)).reshape(entry["shape"])
    return tensors, metadata


def bins(fraction, n):
    exact = fraction * (n // 2 + 1)
    nearest = round(exact)
    return nearest if abs(exact - nearest) <= nearest * 2.0 ** -51 else math.floor(exact)


def kept(frequency):
    """[N] whether the mask, as drawn, keeps each frequency."""
    n, factors, keep = frequency["grid"]["fftSize"], frequency["grid"]["factors"], frequency["keep"]
    f = torch.arange(n)
    digits, rest = [], f
    for factor in factors:
        digits.append(rest % factor)
        rest = torch.div(rest, factor, rounding_mode="floor")
    if keep["kind"] == "block":
        return torch.stack([digit < count for digit, count in zip(digits, keep["counts"])]).all(0)
    if keep["kind"] == "comb":
        return digits[0] < keep["rows"]
    if keep["kind"] in ("lowpass", "bandpass"):
        low, high = (0, keep["fraction"]) if keep["kind"] == "lowpass" else (keep["from"], keep["to"])
        distance = torch.minimum(f, n - f)
        return (distance >= bins(low, n)) & (distance < bins(high, n))
    cells = keep["cells"]
    index, count = torch.zeros_like(f), 1
    for digit in reversed(cells["digits"]):
        index, count = index * factors[digit] + digits[digit], count * factors[digit]
    flags = torch.zeros(count, dtype=torch.bool)
    for first, length in zip(cells["runs"][::2], cells["runs"][1::2]):
        flags[first:first + length] = True
    return flags[index]


def gains(frequency):
    """[N / 2 + 1] what acts on each frequency of a real signal: the mean of the mask there and at the mirror frequency."""
    mask = kept(frequency).double()
    mean = (mask + mask.flip(0).roll(1)) / 2
    if frequency["symmetry"] == "conjugate":
        mean = (mean > 0).double()
    return mean[:mask.numel() // 2 + 1]


def lag_weights(partial):
    taps, taper = partial["taps"], partial.get("taper", 0)
    weights = torch.ones(taps, dtype=torch.float64)
    for i in range(taper):
        weights[taps - taper + i] = (1 + math.cos(math.pi * (i + 1) / (taper + 1))) / 2
    return weights


def mask_rows(k, mask):
    """k [H, taps] masked: circular lags [H, N] after a frequency mask, causal lags [H, K] after a partial one."""
    if "frequency" in mask:
        grid = mask["frequency"]["grid"]
        n = grid["fftSize"]
        k = torch.fft.irfft(torch.fft.rfft(k[:, :grid["taps"]], n=n) * gains(mask["frequency"]), n=n)
    if "partial" in mask:
        k = k[:, :mask["partial"]["taps"]] * lag_weights(mask["partial"])
    return k


def ranges(masks, channels):
    """(first, end, mask) of disjoint channel ranges that cover all channels; the mask of a range without one is empty."""
    found, end = [], 0
    for mask in masks:
        first, stop = mask.get("channels", (0, channels))
        if first > end:
            found.append((end, first, {}))
        found.append((first, stop, mask))
        end = stop
    return found + ([(end, channels, {})] if end < channels else [])


def filter_parts(site, masks, taps, module, stored, recausalised):
    """(first channel, end, whether the lags are circular, rows) of a site's filter."""
    whole = stored if stored is not None else module.filter(taps)[0].detach().t().double()
    parts = []
    for first, end, mask in ranges(masks, whole.shape[0]):
        rows = whole[first:end]
        circular = "frequency" in mask and "partial" not in mask and not recausalised
        if stored is None:
            rows = mask_rows(rows, mask)
        if "partial" in mask:
            width = mask["partial"]["taps"]
        elif "frequency" in mask:
            width = mask["frequency"]["grid"]["fftSize" if circular else "taps"]
        else:
            width = taps
        parts.append((first, end, circular, rows[:, :width].float()))
    return parts


def convolve(x, parts):
    """x [B, H, L], or [B, heads, H, blocks, L], convolved with the filters of its channels."""
    channel, length = (1 if x.dim() == 3 else 2), x.shape[-1]
    outputs = []
    for first, end, circular, rows in parts:
        n = rows.shape[-1] if circular else 2 * length
        if length > n // 2:
            if circular:
                raise ValueError(f"Inputs of {length} tokens do not fit a frequency mask on {n} points, which takes up to {n // 2}.")
        k = torch.fft.rfft((rows if circular else rows[:, :length]).to(x.device), n=n)
        u = torch.fft.rfft(x.narrow(channel, first, end - first).float(), n=n)
        outputs.append(torch.fft.irfft(u * (k if x.dim() == 3 else k.unsqueeze(1)), n=n)[..., :length])
    return torch.cat(outputs, channel).to(x.dtype)


def replace_forward(module, parts):
    original = module.forward

    def forward(x, L, k=None, bias=None, *args, **kwargs):
        # With a filter of zeros, what is left is the skip term, in whichever form the original code has it.
        zeros = torch.zeros(x.shape[1 if x.dim() == 3 else 2], x.shape[-1], device=x.device)
        return original(x, L, zeros, bias, *args, **kwargs) + convolve(x, parts)

    module.forward = forward


def local(name, known):
    """The name without the leading parts that only the file has."""
    while name not in known and "." in name:
        name = name.split(".", 1)[1]
    return name


def apply_surgery(model, path=None):
    """Loads the export's weights into the model, and makes its masked sites run with their masked filters. Returns the model."""
    tensors, metadata = load(path or os.path.join(os.path.dirname(os.path.abspath(__file__)), EXPORT))
    plan = json.loads(metadata["longconv.surgeon.plan"])
    recausalised = metadata["longconv.surgeon.recausalised"] == "true"
    modules = dict(model.named_modules())
    sites = {site: (local(name, modules), taps) for site, (name, taps) in SITES.items()}

    shift = plan["model"].get("options", {}).get("shift")
    for name, module in modules.items():
        if shift is not None and getattr(module, "shift", shift) != shift:
            raise RuntimeError(f"{name}.shift is {module.shift}, but the surgery was done with {shift}: make the model with shift={shift}.")

    own = model.state_dict(keep_vars=True)
    weights = {local(name, own): tensor for name, tensor in tensors.items() if local(name, own) in own}
    loaded = {own[name].data_ptr() for name in weights}
    baked = [sites[site][0] + "." for site in sites if f"longconv.surgeon.{site}.k" in tensors]
    missing = [name for name, value in own.items() if name not in weights and value.data_ptr() not in loaded and not name.startswith(tuple(baked))]
    if missing or not weights:
        raise RuntimeError(f"The export does not fit this model: it lacks {', '.join(missing[:3]) or 'all of its tensors'}.")
    model.load_state_dict(weights, strict=False)

    for planned in plan["sites"]:
        name, taps = sites[planned["site"]]
        stored = tensors.get(f"longconv.surgeon.{planned['site']}.k")
        replace_forward(modules[name], filter_parts(planned["site"], planned["masks"], taps, modules[name], stored, recausalised))
    return model
`;
