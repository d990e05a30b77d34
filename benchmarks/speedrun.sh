#!/bin/sh
# The whole science on a laptop: theorems, proofs, models, searches, the table. 80 minutes on two cores.
# Stop it when you like: the same command goes on where it stopped.
#
#   make speedrun                 everything under runs/speedrun
set -eu
cd "$(dirname "$0")/.."
run=runs/speedrun
prove=.venv/bin/prove
python=.venv/bin/python
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}"

# What is finished is not done again: a training leaves its card when it is.
train() {
  out=$1
  shift
  [ -f "$out/README.md" ] || $prove train --data $run/corpus/corpus.jsonl.gz --micro-batch 32 --out "$out" "$@"
}

# 1. A corpus. State theorems, search for their proofs with explorers, keep what Lean verifies.
[ -f $run/corpus/figures.json ] || $prove corpus --out $run/corpus --generated 900 --library 0

# 2. A base: a decoder of 0.9 M parameters, from random weights, two epochs of cross-entropy.
train $run/base --model tiny --full --objective ce --epochs 2

# 3. Three adapters of it, as many gradient steps each: trained longer on cross-entropy, and for N_eff 4 and 16.
#    The first epoch of cross-entropy is kept: stopping early is what coverage has to beat.
for n in 4 16; do
  train $run/n-eff-$n --model $run/base --objective coverage --n-eff $n --epochs 6 --lr 1e-3
done
train $run/ce --model $run/base --objective ce --epochs 6 --lr 1e-3 --keep-checkpoints 1

# 4. The same held-out theorems and the same budget for all: rollouts, 64 expansions, two searches with other seeds.
#    Which theorems are held out follows from what they say, so those of the benchmark `gym` are in no corpus's training.
$python -m benchmarks.measure --benchmark gym --split test --limit 120 \
  --model $run/base --model $run/ce/epoch-1 --model $run/ce --model $run/n-eff-4 --model $run/n-eff-16 \
  --strategy rollouts --budget 64 --seed 0 --seed 1 --out $run/rollouts.jsonl

# 5. The table: theorems proved and verified, in per cent, with 95 % intervals; ensembles share the budget equally.
$python -m benchmarks.compare $run/rollouts.jsonl --baseline ce --budget 4 --budget 16 --budget 64 \
  --ensemble 'ensemble over N_eff 1, 4, 16=ce,n-eff-4,n-eff-16' --ensemble 'ensemble of CE checkpoints=base,epoch-1,ce'
