#!/bin/sh
# Which objective proves most? Cross-entropy, coverage for four N_eff, uniform allocation and the recurrence of
# best-first search, trained from one base, with the controls that a gain has to beat.
#
#   benchmarks/n_eff.sh train 0      the models of training seed 0 (also 1 and 2); half an hour
#   benchmarks/n_eff.sh valid        what those of seed 0 prove on the validation split, to choose the controls on
#   benchmarks/n_eff.sh test         the chosen ones of seeds 0, 1 and 2 on the test split; hours
#   benchmarks/n_eff.sh tables       the tables and pictures of docs/n-eff.md
#   benchmarks/n_eff.sh study        the models of seed 0 with six strategies: studies/n_eff.toml; an hour or two
#   benchmarks/n_eff.sh data         the corpus of small steps and the held-out theorems, which lie in benchmarks/n_eff,
#                                    once more; an hour on two cores
#
# Everything else lies under runs/n-eff; each command goes on where it was stopped.
set -eu
cd "$(dirname "$0")/.."
export run=runs/n-eff OMP_NUM_THREADS=1
python=.venv/bin/python
data=benchmarks/n_eff

# One training: OUT OPTION... A finished one, which has its card, is not done again.
train() {
  [ -f "$1/README.md" ] || .venv/bin/prove train --data $data/train.jsonl.gz --full --schedule constant_with_warmup \
    --micro-batch 32 --seed "$seed" --out "$@"
}

# What models prove within 256 expansions a theorem: SPLIT OPTION... Of the benchmark only its name is taken: the
# theorems are ours. Cross-entropy stands for all its epochs and for fewer.
measure() {
  split=$1
  shift
  for epoch in 16 8 4 2; do set -- --model "$epoch ce=$run/{seed}/ce/epoch-$epoch" "$@"; done
  for name in $objectives; do set -- "$@" --model "$name=$run/{seed}/$name"; done
  $python -m benchmarks.measure --benchmark gym --data $data/theorems.jsonl --split "$split" --budget 256 \
    --model "30 ce=$run/{seed}/ce" "$@" --out "$run/$split.jsonl"
}
objectives="n-eff-4 n-eff-8 n-eff-16 n-eff-32 uniform best-first"
over_n_eff=n-eff-4,n-eff-8,n-eff-16,n-eff-32

case "$1" in
data)
  $python -m benchmarks.small_steps --out $run/data
  mv $run/data/train.jsonl.gz $run/data/theorems.jsonl $data
  ;;
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
valid)
  measure valid --seed 0 --model "base=$run/{seed}/base" --model "4 ce@1.3=$run/{seed}/ce/epoch-4@1.3" \
    --model "8 ce@1.3=$run/{seed}/ce/epoch-8@1.3" --model "30 ce@1.5=$run/{seed}/ce@1.5"
  ;;
test) measure test --seed 0 --seed 1 --seed 2 ;;
tables)
  set -- --ensemble "over N_eff=$over_n_eff" --ensemble "over CE checkpoints=2 ce,4 ce,8 ce,16 ce"
  $python -m benchmarks.compare $run/valid.jsonl --baseline "30 ce" "$@"
  set -- "$@" --ensemble "over CE seeds=4 ce,4 ce,4 ce" --ensemble "over N_eff 16 of seeds=n-eff-16,n-eff-16,n-eff-16"
  for baseline in "30 ce" "2 ce" "4 ce" "8 ce" "16 ce" "over CE checkpoints"; do
    for source in "" gym_ lib_; do # all theorems, those that were generated, and those of Lean's library
      $python -m benchmarks.compare $run/test.jsonl --named "$source" --baseline "$baseline" --budget 4 --budget 16 \
        --budget 64 --budget 256 "$@"
    done
  done
  $python -m benchmarks.plots curves $run/test.jsonl --contestant "30 ce" --contestant "4 ce" --contestant n-eff-16 \
    --ensemble "over N_eff=$over_n_eff" --ensemble "over CE checkpoints=2 ce,4 ce,8 ce,16 ce" \
    --out docs/pictures/n-eff-curves.png
  models="$run/0/ce"
  for name in $objectives; do models="$models $run/0/$name"; done
  $python -m benchmarks.plots reliability $models --out docs/pictures/n-eff-reliability.png
  ;;
study)
  .venv/bin/prove study benchmarks/studies/n_eff.toml --out $run/study
  for source in "" gym_ lib_; do
    $python -m benchmarks.published benchmarks/studies/n_eff.toml --out $run/study --named "$source"
  done
  ;;
*) echo "n_eff.sh: $1 is none of data, train, valid, test, tables, study" >&2 && exit 2 ;;
esac
