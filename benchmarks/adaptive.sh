#!/bin/sh
# Does an adaptive ensemble prove with half the budget what an equal split proves? On the held-out theorems in small steps,
# generated ones and Lean's library, three models of training seed 0 of benchmarks/n_eff.sh. A schedule is learned from what
# each model proves alone on the validation split; both are then run on the test split.
#
#   benchmarks/adaptive.sh           its end was not seen yet; after `benchmarks/n_eff.sh train 0`; under runs/adaptive
#
# Stop it when you like: the same command goes on where it stopped.
set -eu
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS=1
run=runs/adaptive
mkdir -p $run/models # where each has a name of its own
for model in ce/epoch-4 n-eff-16/epoch-4 n-eff-32/epoch-2; do
  ln -sfn "$PWD/runs/n-eff/0/$model" "$run/models/${model%%/*}"
done
members="$run/models/ce $run/models/n-eff-16 $run/models/n-eff-32"
policies=$(printf -- '--policy %s ' $members)
prove() { .venv/bin/prove --benchmark gym --data benchmarks/n_eff/theorems.jsonl --strategy rollouts --workers 2 "$@"; }

alone=
for member in $members; do
  prove --split valid --policy "$member" --budget 192 --out "$run/alone-${member##*/}"
  alone="$alone $run/alone-${member##*/}"
done
for budget in 96 192; do
  half=$((budget / 2))
  schedule=$run/schedule-$half.json
  [ -f "$schedule" ] || .venv/bin/prove schedule $alone --budget $half --out "$schedule"
  prove --split test $policies --ensemble equal --budget $budget --out $run/equal-$budget
  prove --split test $policies --ensemble equal --budget $half --out $run/equal-$half
  prove --split test $policies --ensemble adaptive --schedule "$schedule" --budget $half --out $run/adaptive-$half
done
