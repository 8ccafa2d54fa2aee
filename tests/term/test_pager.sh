#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Help at the prompt goes through $PAGER if it is longer than the terminal (24 rows).
. "$SRCDIR/tests/term/setup.sh"
needs pty_talk

talk=$BUILDDIR/tests/term/pty_talk

unset INSIDE_EMACS LESS
TERM=xterm
NO_COLOR=1
PAGER="sed 's/^/paged /'"
export TERM NO_COLOR PAGER

# typed NAME ENTRY PATTERN: PATTERN is in the output; "!PATTERN": it is not
typed() {
	number=$((number + 1))
	"$talk" 'wait:barlow> ' "send:$2\\r" 'wait:\r\n' 'wait:barlow> ' 'send:\d' -- "$BARLOW" --no-init >"$dir/out" 2>&1
	case $3 in
	!*) ! grep -qE -- "${3#!}" "$dir/out" ;;
	*) grep -qE -- "$3" "$dir/out" ;;
	esac
	if [ $? = 0 ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' "$dir/out"
	fi
}
typed "a long text" '?aug' 'paged aug.paper'
typed "to its end" '?aug' 'paged aug.stats'
typed "by the function as well" 'help(aug)' 'paged aug.paper'
typed "a short one is printed" '?tensor.zeros' '!paged'
PAGER="$dir/none" && typed "so is one whose pager is not there" '?aug' '^aug.paper'
PAGER=true && typed "a pager that reads nothing ends nothing" '?aug' '!aug.paper  '
PAGER="sed 's/^/paged /'"
TERM=dumb && typed "plainly on dumb terminals" '?aug' '!paged'
TERM=xterm
INSIDE_EMACS=29.1,comint && export INSIDE_EMACS && typed "and in Emacs" '?aug' '!paged'
unset INSIDE_EMACS
number=$((number + 1))
if echo '?aug' | "$BARLOW" -i --no-init | grep -q paged; then echo "not ok $number - not in pipes"; else echo "ok $number - not in pipes"; fi
number=$((number + 1))
if "$talk" 'wait:aug.paper' 'wait:\n' -- "$BARLOW" -e 'help(aug)' | grep -q paged; then
	echo "not ok $number - nor from scripts"
else
	echo "ok $number - nor from scripts"
fi
if command -v less >/dev/null 2>&1; then
	unset PAGER
	number=$((number + 1))
	if "$talk" 'wait:barlow> ' 'send:?aug\r' 'wait:aug.invert' 'wait::' 'send:q' 'wait:barlow> ' 'send:7 + 1\r' 'wait:8' 'wait:barlow> ' \
		'send:\d' -- "$BARLOW" --no-init >"$dir/out" 2>&1; then
		echo "ok $number - less, where none is named: q comes back"
	else
		echo "not ok $number - less, where none is named: q comes back"
		sed 's/^/# /' "$dir/out"
	fi
fi
echo "1..$number"
