#!/bin/sh
# Which objective proves most? Cross-entropy, coverage for four N_eff, uniform allocation and the recurrence of
# best-first search, trained as long from one base, with the controls that a gain has to beat.
#
#   benchmarks/n_eff.sh train 0      the models of training seed 0 (also 1 and 2); about an hour on two cores
#   benchmarks/n_eff.sh valid        what they prove on the validation split, to choose the controls on
#   benchmarks/n_eff.sh test         the chosen ones on the test split, rollouts and best-first
#   benchmarks/n_eff.sh tables       the tables of docs/n-eff.md
#
# Everything lies under runs/n-eff; each command goes on where it was stopped.
set -eu
cd "$(dirname "$0")/.."
export run=runs/n-eff OMP_NUM_THREADS=1
python=.venv/bin/python
data=$run/one-proof.jsonl.gz

# One training: OUT OPTION... A finished one, which has its card, is not done again.
train() {
  [ -f "$1/README.md" ] || .venv/bin/prove train --data $data --full --schedule constant_with_warmup \
    --micro-batch 32 --seed "$seed" --out "$@"
}

case "$1" in
train)
  seed=$2
  dir=$run/$seed
  # One proof a theorem, as in corpora that people wrote; so few theorems that a small model can be trained too long.
  [ -f $data ] || $python -m benchmarks.one_proof train/corpus/corpus.jsonl.gz $data --theorems 600
  train "$dir/base" --model tiny --objective ce --epochs 6
  # The same base, as many gradient steps on live tactics, the same constant learning rate; two trainings at a time.
  branch() {
    name=$1
    shift
    train "$dir/$name" --model "$dir/base" --epochs 30 --lr 1e-3 --keep-checkpoints 2,4,8,16 "$@"
  }
  (
    branch ce --objective ce
    branch uniform --objective uniform --budget 256
    branch n-eff-4 --objective coverage --n-eff 4
    branch n-eff-8 --objective coverage --n-eff 8
  ) &
  branch best-first --objective best-first --budget 256
  branch n-eff-16 --objective coverage --n-eff 16
  branch n-eff-32 --objective coverage --n-eff 32
  wait
  ;;
valid)
  # One model a contestant: `4 ce` is cross-entropy after 4 epochs on top of the base, `30 ce@1.3` at temperature 1.3.
  set --
  for epoch in 2 4 8 16; do set -- "$@" --model "$epoch ce=$run/{seed}/ce/epoch-$epoch"; done
  for t in 1.3 1.7; do
    set -- "$@" --model "4 ce@$t=$run/{seed}/ce/epoch-4@$t" --model "30 ce@$t=$run/{seed}/ce@$t"
  done
  for name in n-eff-4 n-eff-8 n-eff-16 n-eff-32 uniform best-first; do set -- "$@" --model "$run/{seed}/$name"; done
  for benchmark in gym library; do
    $python -m benchmarks.measure --benchmark $benchmark --split valid --limit 100 --budget 256 --seed 0 \
      --model "base=$run/{seed}/base" --model "30 ce=$run/{seed}/ce" "$@" --out $run/valid-$benchmark.jsonl
  done
  ;;
esac
