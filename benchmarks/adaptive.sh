#!/bin/sh
# Does an adaptive ensemble prove with half the budget what an equal split proves? On `gym` and `library`, three members.
# A schedule is learned from what each member proves alone on the validation split; both are then run on the test split.
#
#   benchmarks/adaptive.sh           about two hours on two cores; everything under runs/adaptive
#
# Stop it when you like: the same command goes on where it stopped.
set -eu
cd "$(dirname "$0")/.."
run=runs/adaptive
prove=.venv/bin/prove
members="portfolio n-eff-4 n-eff-32"
policies=$(printf -- '--policy %s ' $members)

for benchmark in gym library; do
  dir=$run/$benchmark
  alone=
  for member in $members; do
    $prove --benchmark $benchmark --split valid --limit 150 --policy "$member" --budget 256 --workers 2 \
      --out "$dir/alone-$member"
    alone="$alone $dir/alone-$member"
  done
  for budget in 96 192; do
    half=$((budget / 2))
    [ -f "$dir/schedule-$half.json" ] || $prove schedule $alone --budget $half --out "$dir/schedule-$half.json"
    $prove --benchmark $benchmark --split test $policies --ensemble equal --budget $budget --workers 2 \
      --out "$dir/equal-$budget"
    $prove --benchmark $benchmark --split test $policies --ensemble adaptive --schedule "$dir/schedule-$half.json" \
      --budget $half --workers 2 --out "$dir/adaptive-$half"
  done
done
