#!/bin/sh
# Which objective proves most? Cross-entropy, coverage for four N_eff, uniform allocation and the recurrence of
# best-first search, trained from one base, with the controls that a gain has to beat.
#
#   benchmarks/n_eff.sh data         a corpus of small steps and held-out theorems; an hour on two cores
#   benchmarks/n_eff.sh train 0      the models of training seed 0 (also 1 and 2); half an hour
#   benchmarks/n_eff.sh valid        what they prove on the validation split, to choose the controls on
#   benchmarks/n_eff.sh test         the chosen ones on the test split
#   benchmarks/n_eff.sh tables       the tables and pictures of docs/n-eff.md
#
# Everything lies under runs/n-eff; each command goes on where it was stopped.
set -eu
cd "$(dirname "$0")/.."
export run=runs/n-eff OMP_NUM_THREADS=1
python=.venv/bin/python
data=$run/train.jsonl.gz

# One training: OUT OPTION... A finished one, which has its card, is not done again.
train() {
  [ -f "$1/README.md" ] || .venv/bin/prove train --data $data --full --schedule constant_with_warmup \
    --micro-batch 32 --seed "$seed" --out "$@"
}

# What the models prove: OPTION... Only the file of theorems is ours; --benchmark names no more than its format.
measure() {
  $python -m benchmarks.measure --benchmark gym --data $run/theorems.jsonl --budget 256 "$@"
}

case "$1" in
data) $python -m benchmarks.small_steps --out $run ;;
train)
  seed=$2
  dir=$run/$seed
  train "$dir/base" --model tiny --objective ce --epochs 8
  # The same base and learning rate. Coverage ends by itself when too few tactics are live.
  branch() {
    name=$1
    shift
    train "$dir/$name" --model "$dir/base" --epochs 30 --lr 1e-3 --keep-checkpoints 2,4,8,16 "$@"
  }
  branch ce --objective ce
  branch uniform --objective uniform --budget 256
  branch best-first --objective best-first --budget 256
  for n in 4 8 16 32; do branch n-eff-$n --objective coverage --n-eff $n; done
  ;;
esac
