#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# tests/run with programs whose result is known: a suite that cannot fail proves nothing.
set -u

here=$(mktemp -d "${TMPDIR:-/tmp}/barlow-selftest-XXXXXX") || exit 1
trap 'rm -rf "$here"' EXIT

# program NAME: makes a test program from the shell lines on standard input
program() {
	{
		echo '#!/bin/sh'
		cat
	} >"$here/$1"
	chmod +x "$here/$1"
}

number=0
# expect NAME STATUS SUMMARY PATTERN PROGRAM...: runs the programs; the output must contain the pattern, too
expect() {
	name=$1 status=$2 summary=$3 pattern=$4
	shift 4
	number=$((number + 1))
	output=$(cd "$here" && SUMMARY='' TEST_TIMEOUT=1 BUILDDIR=$here BARLOW=/bin/sh sh "$SRCDIR/tests/run" "$@" 2>&1)
	got=$?
	last=$(echo "$output" | tail -n 1)
	if [ $got -eq "$status" ] && [ "$last" = "$summary" ] && echo "$output" | grep -q -e "$pattern"; then
		echo "ok $number - $name"
	else
		echo "not ok $number - $name"
		echo "# status $got, expected $status; last line '$last', expected '$summary'; expected '$pattern' in:"
		echo "$output" | sed 's/^/# /'
	fi
}

program good <<'END'
echo 1..2; echo "ok 1 - one"; echo "ok 2 - two"
END
program plan_last <<'END'
echo "ok 1 - one"; echo 1..1
END
program bad <<'END'
echo 1..2; echo "ok 1 - one"; echo "# 3 is not 4"; echo "not ok 2 - two"; exit 1
END
program bad_but_zero <<'END'
echo 1..1; echo "not ok 1 - one"
END
program good_but_status <<'END'
echo 1..1; echo "ok 1 - one"; exit 3
END
program crash <<'END'
echo 1..1; echo "ok 1 - one"; kill -s SEGV $$
END
program few <<'END'
echo 1..3; echo "ok 1 - one"
END
program many <<'END'
echo 1..1; echo "ok 1 - one"; echo "ok 2 - two"
END
program planless <<'END'
echo "ok 1 - one"
END
program silent <<'END'
true
END
program slow <<'END'
echo 1..1; sleep 20; echo "ok 1 - one"
END
program skip_one <<'END'
echo 1..2; echo "ok 1 - one # SKIP no moon tonight"; echo "ok 2 - two"
END
program skip_cmocka <<'END'
echo 1..1; echo "# skipped: no moon"; echo "not ok 1 # SKIP one"
END
program skip_all <<'END'
echo "1..0 # SKIP no terminal"
END
program complains <<'END'
echo 1..1; echo "not ok 1 - one"; echo "said on stderr" >&2; exit 1
END
program script.sh <<'END'
echo 1..1; echo "ok 1 - one"
END
program script.lua <<'END'
echo 1..1; echo "ok 1 - run by $0"
END

echo 1..20
expect "what passes is counted" 0 "2 passed, 0 failed" "good" good
expect "a plan may come last" 0 "1 passed, 0 failed" "" plan_last
expect "sums run over programs" 0 "3 passed, 0 failed" "" good plan_last
expect "a failure is counted" 1 "1 passed, 1 failed" "FAILED  bad: two" bad
expect "a failure shows what was printed" 1 "1 passed, 1 failed" "3 is not 4" bad
expect "a failure shows standard error" 1 "0 passed, 1 failed" "said on stderr" complains
expect "a failure counts whatever the status" 1 "0 passed, 1 failed" "FAILED" bad_but_zero
expect "a status counts whatever was printed" 1 "1 passed, 1 failed" "exit status 3" good_but_status
expect "a crash fails" 1 "1 passed, 1 failed" "died of signal 11" crash
expect "too few tests fail" 1 "1 passed, 1 failed" "planned 3 tests, ran 1" few
expect "too many tests fail" 1 "2 passed, 1 failed" "planned 1 tests, ran 2" many
expect "no plan fails" 1 "1 passed, 1 failed" "no plan" planless
expect "silence fails" 1 "0 passed, 1 failed" "no plan" silent
expect "time runs out" 1 "0 passed, 1 failed" "longer than 1 s" slow
expect "a skip says why" 0 "1 passed, 0 failed, 1 skipped" "skipped: skip_one: no moon tonight" skip_one
expect "cmocka's skip says why" 0 "0 passed, 0 failed, 1 skipped" "skipped: skip_cmocka: no moon" skip_cmocka
expect "a whole program may be skipped" 0 "0 passed, 0 failed, 1 skipped" "skip_all: no terminal" skip_all
expect "a program that is not there fails" 1 "0 passed, 1 failed" "absent" absent
expect "scripts are run by their interpreter" 0 "2 passed, 0 failed" "" script.sh script.lua
expect "no tests at all is a failure" 1 "0 passed, 1 failed" "no tests"
