#!/bin/sh
# Does an adaptive ensemble prove with half the budget what an equal split proves? Two models of training seed 0 of
# benchmarks/n_eff.sh, each with three strategies, so six members, on the held-out theorems in small steps: generated ones
# and Lean's library. A schedule is learned from what each member proves alone on the validation split; both ways are then
# run on the test split.
#
#   benchmarks/adaptive.sh           after `benchmarks/n_eff.sh train 0`; about two hours; under runs/adaptive
#
# Stop it when you like: the same command goes on where it stopped.
set -eu
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
run=runs/adaptive
mkdir -p $run/models # where each has a name of its own
for model in ce n-eff-16; do
  ln -sfn "$PWD/runs/n-eff/0/$model/epoch-4" "$run/models/$model"
done
prove() { .venv/bin/prove --benchmark gym --data benchmarks/n_eff/theorems.jsonl --workers 6 "$@"; }

alone=
members=
for model in ce n-eff-16; do
  for strategy in rollouts best-first mcts; do
    prove --split valid --policy $run/models/$model --strategy $strategy --budget 192 --out $run/alone-$model-$strategy
    alone="$alone $run/alone-$model-$strategy"
    members="$members --policy $run/models/$model --strategy $strategy"
  done
done
for budget in 48 96 192; do
  half=$((budget / 2))
  .venv/bin/prove schedule $alone --budget $half --pilot 2 --out $run/schedule-$half.json
  prove --split test $members --ensemble adaptive --schedule $run/schedule-$half.json --budget $half --out $run/adaptive-$half
  prove --split test $members --ensemble equal --budget $budget --out $run/equal-$budget
  for named in "" gym_ lib_; do
    .venv/bin/python -m benchmarks.compare_runs $run/adaptive-$half $run/equal-$budget --named "$named"
  done
done
