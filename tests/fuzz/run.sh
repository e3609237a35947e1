#!/bin/sh
# run.sh BUILD_DIR SECONDS [SEED]   runs every fuzz target for that long over its corpus, one on
#                     each processor at a time; one line each. What it finds stays in a scratch
#                     folder that the line names. Without a seed, or with 0, every run goes
#                     another way.
# run.sh --targets    prints the targets for ninja.
# Exit status: 0 when all went through, 1 when one crashed, hung or is not built.
set -u
here=$(cd "$(dirname "$0")" && pwd)
names=$(cd "$here" && ls fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')

if [ "${1:-}" = --targets ]; then
    for name in $names; do echo "tests/fuzz/fuzz-$name"; done
    exit 0
fi
if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    sed -n '2,7s/^# //p' "$0" >&2
    exit 2
fi

build=$1 seconds=$2 seed=${3:-0}
one() {
    name=$1 target=$build/tests/fuzz/fuzz-$1
    if [ ! -x "$target" ]; then
        echo "$name: not built"
        return 1
    fi
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/parley-fuzz-$name-XXXXXX")
    mkdir "$scratch/found" "$here/corpus/$name" 2>/dev/null
    if "$target" -seed="$seed" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
        -print_final_stats=1 -artifact_prefix="$scratch/" \
        "$scratch/found" "$here/corpus/$name" >"$scratch/log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
        cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$scratch/log" | tail -1)
        echo "$name: ok, $runs runs, $cover edges"
        rm -r "$scratch"
    else
        echo "$name: FAILED, see $scratch/log: $(grep -m1 -E 'ERROR|SUMMARY|panic' "$scratch/log")"
        grep -m1 '^Base64: ' "$scratch/log" # the input, when it is short
        return 1
    fi
}

# As many hands as there are processors; each takes every so many-th target.
hands=$(nproc) pids=
hand=0
while [ $hand -lt "$hands" ]; do
    (
        failed=0 at=0
        for name in $names; do
            [ $((at % hands)) -eq $hand ] && { one "$name" || failed=1; }
            at=$((at + 1))
        done
        exit $failed
    ) &
    pids="$pids $!"
    hand=$((hand + 1))
done
failed=0
for pid in $pids; do wait "$pid" || failed=1; done
exit $failed
