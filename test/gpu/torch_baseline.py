"""Times PyTorch's FFT convolution (torch.fft.rfft, filter spectrum prepared) on the shapes of `fft_conv_check bench`. JSON lines on stdout."""
import json
import sys

import torch

SHAPES = [(256, 64, 768), (1024, 64, 768), (2048, 64, 768), (4096, 64, 768), (8192, 64, 768), (16384, 32, 768), (32768, 16, 768), (65536, 8, 768),
          (131072, 8, 384), (262144, 8, 192), (524288, 8, 96), (1048576, 8, 48), (2097152, 8, 32), (4194304, 8, 16)]


def median_ms(run, repeats):
    for _ in range(2):
        run()
    events = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    events[0].record()
    for event in events[1:]:
        run()
        event.record()
    torch.cuda.synchronize()
    times = sorted(a.elapsed_time(b) for a, b in zip(events, events[1:]))
    return times[len(times) // 2]


def main():
    print(json.dumps({"torch": torch.__version__, "device": torch.cuda.get_device_name()}))
    for n, batch, channels in SHAPES:
        for length in (n, n // 2):
            u, pre, post = (torch.randn(batch, channels, length, device="cuda", dtype=torch.float16) for _ in range(3))
            k = torch.randn(channels, length, device="cuda")

            def convolve(x, spectrum):
                return torch.fft.irfft(torch.fft.rfft(x.float(), n=n) * spectrum, n=n)[..., :length]

            # As FlashFFTConv's benchmark: the filter is transformed in each call.
            def plain():
                return convolve(u, torch.fft.rfft(k, n=n)).to(u.dtype)

            def gated():
                return (convolve(u * pre, torch.fft.rfft(k, n=n)).to(u.dtype)) * post

            for name, run in (("plain", plain), ("gated", gated)):
                torch.cuda.reset_peak_memory_stats()
                base = torch.cuda.memory_allocated()
                run()
                torch.cuda.synchronize()
                peak = torch.cuda.max_memory_allocated() - base
                print(json.dumps({"N": n, "L": length, "B": batch, "H": channels, "gated": int(name == "gated"), "ms": round(median_ms(run, 5), 4),
                                  "peak_bytes": peak}), flush=True)
            del u, pre, post, k
            torch.cuda.empty_cache()


if __name__ == "__main__":
    sys.exit(main())
