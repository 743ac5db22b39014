"""What this machine is, as JSON."""

import json
import os
import platform
import subprocess

import numpy
import pyarrow
import torch

result = {
    "python": platform.python_version(),
    "torch": torch.__version__,
    "numpy": numpy.__version__,
    "pyarrow": pyarrow.__version__,
    "cores": os.cpu_count(),
    "cuda": torch.version.cuda,
    "gpu": None,
}
if torch.cuda.is_available():
    found = torch.cuda.get_device_properties(0)
    query = "name,driver_version,clocks.max.sm,power.limit,mig.mode.current"
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"]
    result |= {
        "gpu": found.name,
        "gigabytes": round(found.total_memory / 2**30, 1),
        "capability": f"{found.major}.{found.minor}",
        "multiprocessors": found.multi_processor_count,
        "cudnn": torch.backends.cudnn.version(),
    }
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        result["nvidia_smi"] = done.stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        result["nvidia_smi"] = str(error)
print(json.dumps(result))
